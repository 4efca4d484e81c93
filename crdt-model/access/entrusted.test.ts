/** What settings entrust; faces; what is left of an erased profile. */
import { describe, expect, test } from 'vitest';
import type { DocumentId } from '../ids.ts';
import { kindNamed } from '../kinds/index.ts';
import { MAX_FACE_BYTES, type FileRow } from '../kinds/file.ts';
import type { DiskLevel } from '../kinds/grants.ts';
import { PERSONAL, type EmployeeRow } from '../kinds/company-structure.ts';
import { planCommand } from '../record/plan.ts';
import { EMPTY_STATE } from '../record/state.ts';
import { departmentId, employeeRow, fileRow, groupId, pageRow, settingsRow } from '../testing/company.ts';
import { ADMIN, ANN, BEN, CAT, GONE, GUY, ROOT, SALES, actor, ask, expectEach, people, say, who } from '../testing/office.ts';
import { commandId, documentId } from '../testing/world.ts';
import { mayAddressAll, mayInvite, whoAddressesAll, whoInvites } from './entrusted.ts';
import type { Recipient } from './recipients.ts';

type FaceId = DocumentId<'file'>;

const each = (may: (name: string) => boolean) => ['boss', 'lead', 'ann', 'ben', 'cat', 'admin', 'guy', 'gone'].filter(may);

describe('what settings entrust', () => {
	test('[A18] everybody is addressed by every employee, or by those who are named; administrators always, guests never', () => {
		const writers = (writersToAll: readonly Recipient[] | null) => each((name) => mayAddressAll(actor(name), { writersToAll }));
		expect(writers(null)).toEqual(['boss', 'lead', 'ann', 'ben', 'cat', 'admin']);
		expect(each((name) => mayAddressAll(actor(name), null))).toEqual(['boss', 'lead', 'ann', 'ben', 'cat', 'admin']);
		expect(writers([])).toEqual(['admin']);
		expect(writers([`user:${CAT}`, `department:${departmentId(SALES)}`])).toEqual(['lead', 'ann', 'ben', 'cat', 'admin']);
		// Guy belongs to the workgroup and stays a guest.
		expect(writers([`group:${groupId(1)}`, `user:${GUY}`, `user:${GONE}`])).toEqual(['ann', 'ben', 'cat', 'admin']);
		expect([whoAddressesAll({ writersToAll: [`user:${CAT}`] }), whoAddressesAll(null)]).toEqual([[`user:${CAT}`, 'admins'], ['all', 'admins']]);
	});

	test('[A18] administrators invite, and those who are named', () => {
		const inviting = (inviters: readonly Recipient[]) => each((name) => mayInvite(actor(name), { inviters }));
		expect([inviting([]), each((name) => mayInvite(actor(name), null))]).toEqual([['admin'], ['admin']]);
		expect(inviting(['all'])).toEqual(['boss', 'lead', 'ann', 'ben', 'cat', 'admin']);
		expect(inviting([`user:${BEN}`, `user:${GUY}`])).toEqual(['ben', 'admin']);
		expect(whoInvites({ inviters: [`user:${BEN}`] })).toEqual([`user:${BEN}`, 'admins']);
	});

	test('[A18] nothing more is granted to all by whoever may not address everybody; taking back is free', () => {
		const settings = settingsRow({ writersToAll: [`user:${BEN}`] });
		const grant = (name: string, from: DiskLevel | null, to: DiskLevel | null, records = [settings]) => {
			const before = pageRow({ createdBy: name === 'ben' ? BEN : ANN, grants: from ? { all: from } : {} });
			return say(ask(name, { before, next: { ...before, grants: to ? { all: to } : {} }, changed: ['grants/all'], records }));
		};
		expect([grant('ann', null, 'read'), grant('ann', 'read', 'edit'), grant('ben', null, 'read'), grant('admin', null, 'read')]).toEqual(['denied recipients.all-is-limited', 'denied recipients.all-is-limited', 'allow disk.full-grants', 'allow disk.full-grants']);
		expect([grant('ann', 'edit', null), grant('ann', 'edit', 'read'), grant('ann', null, 'read', [])]).toEqual(['allow disk.full-grants', 'allow disk.full-grants', 'allow disk.full-grants']);
		const before = pageRow({ createdBy: ANN });
		expect(say(ask('ann', { before, next: { ...before, grants: { [`user:${CAT}`]: 'full' as const } }, changed: [`grants/user:${CAT}`], records: [settings] }))).toBe('allow disk.full-grants');
		const wide = `departments:${departmentId(ROOT)}` as const;
		const grantTo = (to: Recipient) => say(ask('ann', { before, next: { ...before, grants: { [to]: 'read' as const } }, changed: [`grants/${to}`], records: [settings] }));
		expect([grantTo(wide), grantTo(`department:${departmentId(ROOT)}`), grantTo(`departments:${departmentId(SALES)}`)]).toEqual(['denied recipients.all-is-limited', 'allow disk.full-grants', 'allow disk.full-grants']);
		expect(who(ask('ann', { before, next: { ...before, grants: { all: 'read' } }, changed: ['grants/all'], records: [settings] }))).toEqual([`user:${BEN}`, 'admins']);
		// Who may grant nothing here is told of that, and not of the settings.
		expect(say(ask('boss', { before: pageRow({ createdBy: ANN, place: 'company' }), next: { ...before, place: 'company', grants: { all: 'read' } }, changed: ['grants/all'], records: [settings] }))).toBe('denied disk.share-grants');
	});

	test('[A18] nor is anything put into the company’s place, made there or moved there; what lies there may leave and be changed', () => {
		const settings = settingsRow({ writersToAll: [`user:${BEN}`] });
		const made = (name: string, of: typeof pageRow | typeof fileRow, records = [settings]) => say(ask(name, { next: of({ createdBy: name === 'ben' ? BEN : ANN, place: 'company' } as never), records }));
		for (const of of [pageRow, fileRow]) expect([made('ann', of), made('ben', of), made('admin', of), made('ann', of, [])].map((one) => one.split(' ')[0])).toEqual(['denied', 'allow', 'allow', 'allow']);
		expect(made('ann', pageRow)).toBe('denied recipients.all-is-limited');
		const moved = (name: string, from: 'mine' | 'company', to: 'mine' | 'company', createdBy = ANN, records = [settings]) => {
			const before = fileRow({ createdBy, place: from });
			return say(ask(name, { before, next: { ...before, place: to }, changed: ['place'], records }));
		};
		expect(moved('ann', 'mine', 'company')).toBe('denied recipients.all-is-limited');
		expect([moved('ben', 'mine', 'company', BEN), moved('admin', 'mine', 'company'), moved('ann', 'mine', 'company', ANN, []), moved('ann', 'company', 'mine'), moved('ann', 'company', 'company')].map((one) => one.split(' ')[0])).toEqual(Array(5).fill('allow'));
		// Who may place nothing here is told of that, and not of the settings.
		expect(moved('cat', 'company', 'mine')).toBe('denied page.maker-places');
		const there = pageRow({ createdBy: ANN, place: 'company' });
		expect(say(ask('cat', { before: there, next: { ...there, title: 'Changed' }, changed: ['title'], records: [settings] }))).toBe('allow page.company-writes');
		// A word that gives way to a later one is judged as the word that it is.
		const before = pageRow({ createdBy: ANN });
		expect(say(ask('ann', { before, next: before, changed: ['place'], wishes: [['place', 'company']], records: [settings] }))).toBe('denied recipients.all-is-limited');
	});
});

describe('faces', () => {
	const face = (more: Partial<FileRow> = {}) => fileRow({ createdBy: ANN, place: 'face', mime: 'image/webp', ...more });
	test('[A17] every employee reads one, its maker and administrators change it', () => {
		expect(kindNamed('file').audience(face())).toEqual(['all', `user:${ANN}`]);
		expectEach({ next: face({ createdBy: CAT }) }, { cat: 'allow file.face-is-makers', guy: 'denied guests.make-nothing' });
		for (const changed of [['name'], ['deleted']]) expectEach({ before: face(), changed }, { 'ann admin': 'allow file.face-is-makers', 'ben boss': changed[0] === 'deleted' ? 'denied page.maker-places' : 'denied file.face-is-makers', guy: 'not-found not-readable' });
	});
	test('[A17] it takes no grants, stays a face, and nothing becomes one', () => {
		expectEach({ before: face(), next: { ...face(), grants: { [`user:${BEN}`]: 'read' as const } }, changed: [`grants/user:${BEN}`] }, { 'ann admin ben': 'denied file.face-takes-no-grants' });
		expectEach({ before: face(), next: { ...face(), place: 'company' }, changed: ['place'] }, { 'ann admin': 'denied file.face-stays' });
		expectEach({ before: fileRow({ createdBy: ANN }), next: face(), changed: ['place'] }, { 'ann admin': 'denied file.face-stays' });
	});
	test('[A17] it is a picture, and small', () => {
		const make = (args: object) => {
			const draft = { name: 'x', size: 1, mime: 'image/png', digest: '0'.repeat(64), place: 'face', ...args };
			const plan = planCommand(kindNamed('file'), EMPTY_STATE, { id: commandId(1), document: documentId('file', 1), name: 'file.create', args: draft, at: 1, seen: {} }, { author: ANN, latest: 1 });
			return plan.kind === 'planned' ? 'planned' : plan.refusal.code;
		};
		expect([make({}), make({ size: MAX_FACE_BYTES }), make({ mime: 'image/jpeg' }), make({ mime: 'image/webp' })]).toEqual(Array(4).fill('planned'));
		expect([make({ size: MAX_FACE_BYTES + 1 }), make({ mime: 'image/svg+xml' }), make({ mime: 'text/html' }), make({ mime: 'image/gif' })]).toEqual(Array(4).fill('bad-value'));
		expect(make({ size: MAX_FACE_BYTES + 1, place: 'company' })).toBe('planned');
	});
	test('[A17] a photo or logo is a face that is there for whoever chooses it', () => {
		const ann = people[2]!;
		const photo = (name: string, file: FileRow | null, before: EmployeeRow = ann) => say(ask(name, { before, next: { ...before, photo: (file?.id ?? null) as FaceId | null }, changed: ['photo'], records: file ? [file] : [] }));
		expect([photo('ann', face()), photo('admin', face()), photo('ann', null), photo('ben', face())]).toEqual(['allow company.own-profile', 'allow company.administrators-change', 'allow company.own-profile', 'denied company.administrators-change']);
		for (const other of [face({ deleted: true }), fileRow({ createdBy: ANN }), fileRow({ createdBy: CAT, place: 'mine' })]) expect(photo('ann', other)).toBe('denied company.face-is-there');
		expect(say(ask('ann', { before: ann, next: { ...ann, photo: face().id as FaceId }, changed: ['photo'] }))).toBe('denied company.face-is-there');
		const settings = settingsRow();
		for (const [records, told] of [[[face()], 'allow company.administrators-change'], [[], 'denied company.face-is-there']] as const) expect(say(ask('admin', { before: settings, next: { ...settings, logo: face().id as FaceId }, changed: ['logo'], records }))).toBe(told);
	});
});

describe('profiles', () => {
	const gone = employeeRow(7, { active: false, position: 'CEO', phone: '1' });
	const bare = { ...gone, phone: null, birthday: null, photo: null, position: null, email: '', erased: true };
	test('[A4] an address is the relay’s word alone', () => {
		for (const name of ['ann', 'admin', 'boss']) expect(say(ask(name, { before: people[2]!, changed: ['email'] }))).toBe('denied company.relay-sets-email');
	});
	test('[A16] administrators erase whoever was dismissed, and nobody else', () => {
		const paths = ['erased', 'email', 'phone', 'birthday', 'photo', 'position'];
		expectEach({ before: gone, next: bare, changed: paths }, { admin: 'allow company.administrators-change', 'ann boss': 'denied company.administrators-change' });
		expectEach({ before: people[2]!, next: { ...people[2]!, email: '', erased: true }, changed: paths }, { admin: 'denied company.erased-has-left', ann: 'denied company.administrators-change' });
		expectEach({ before: bare, next: { ...bare, firstName: '', lastName: '' }, changed: [...paths, 'firstName', 'lastName'] }, { admin: 'allow company.administrators-change' });
	});
	test('[A16] nothing of an erased profile is filled in again, and who has no address does not come back', () => {
		for (const path of PERSONAL.filter((one) => one !== 'email')) expect(say(ask('admin', { before: bare, next: { ...bare, [path]: 'x' }, changed: [path] })), path).toBe('denied company.erased-stays-empty');
		expectEach({ before: bare, next: { ...bare, active: true, erased: false }, changed: ['active', 'erased'] }, { admin: 'denied company.erased-has-no-email' });
		const known = { ...bare, email: 'p7@example.com' };
		expectEach({ before: known, next: { ...known, active: true, erased: false }, changed: ['active', 'erased'] }, { admin: 'allow company.administrators-change' });
		expectEach({ before: gone, next: { ...gone, active: true }, changed: ['active', 'erased'] }, { admin: 'allow company.administrators-change' });
	});
	test('[A16] what erasing takes is in the row no more; the names on demand', () => {
		const kind = kindNamed('employee');
		const erase = (args: object) => {
			const plan = planCommand(kind, new Map([['created', { value: true, at: 1, by: ADMIN, command: commandId(1) }]]), { id: commandId(2), document: gone.id, name: 'employee.erase', args, at: 2, seen: {} }, { author: ADMIN, latest: 2 });
			return plan.kind === 'planned' ? Object.fromEntries(plan.writes.map(({ path, cell }) => [path, cell.value])) : plan.refusal.code;
		};
		const always = { erased: true, email: '', phone: null, birthday: null, photo: null, position: null };
		expect([erase({}), erase({ name: false }), erase({ name: true })]).toEqual([always, always, { ...always, firstName: '', lastName: '' }]);
	});
});
