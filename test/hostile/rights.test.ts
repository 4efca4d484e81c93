// Somebody with bad intentions in a company: reading what is not theirs, and giving themselves more. Everything that they ever received is searched for a
// word of every record that they may not see, and an administrator compares the company before and after.

import { afterAll, beforeAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import { KINDS, pageOf, type DocumentId } from '#crdt-model/ids.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import { SyncClient } from '../support/sync-client.ts';
import { Arena, commandOf, ids, liveFrame, marker, type Hostile } from './arena.ts';

let arena: Arena;
/** An agent in Support. Eve heads Support, Ben heads Sales with Cat in it; Ana administers. */
let mallory: Hostile;
let ben: Hostile;
let cat: Hostile;
let eve: Hostile;
let root: DocumentId;
let sales: DocumentId;
let support: DocumentId;
/** Words of what Mallory may not read. */
const secrets: string[] = [];
const secret = (what: string): string => {
	const word = marker(what);
	secrets.push(word);
	return word;
};
let before: Map<DocumentId, BaseRow>;

const task = { ana: ids.document('task'), eve: ids.document('task') };
const deal = { ben: ids.document('deal'), cat: ids.document('deal'), closed: ids.document('deal') };
const group = { secret: ids.document('group'), closed: ids.document('group'), open: ids.document('group') };
const text = { ana: ids.document('text') };
const role = ids.document('role');
/** Given to Mallory by Ana, who approves it; and one in which Mallory takes part. */
const given = { answers: ids.document('task'), takesPart: ids.document('task') };
/** Mallory's own deals, one of them won. */
const mine = { open: ids.document('deal'), won: ids.document('deal') };
/** Texts of Ana on which Mallory has these levels. */
const granted = { share: ids.document('text'), edit: ids.document('text') };
/** Shared with Mallory to look at. */
const shown = { task: ids.document('task'), text: ids.document('text') };

async function rowsNow(): Promise<Map<DocumentId, BaseRow>> {
	const device = new SyncClient(arena.relay.socketUrl, arena.ana.token);
	await device.connect();
	device.close();
	return new Map([...device.held].map(([id, { row }]) => [id, row!]));
}
const must = async (outcome: Promise<string>): Promise<void> => expect(await outcome).toBe('accepted');
const item = () => ids.item();

beforeAll(async () => {
	arena = await Arena.open();
	[mallory, ben, cat, eve] = [await arena.hostile(), await arena.honest('Ben'), await arena.honest('Cat'), await arena.honest('Eve')];
	root = [...arena.truth.held.values()].find(({ row }) => row?.kind === 'department')!.row!.id;
	[sales, support] = [ids.document('department'), ids.document('department')];
	await arena.made(sales, { name: 'Sales', parent: root, head: ben.person });
	await arena.made(support, { name: 'Support', parent: root, head: eve.person });
	for (const [who, where] of [[ben, sales], [cat, sales], [eve, support], [mallory, support]] as const) await must(arena.as(who.person, 'employee.joinDepartment', { member: where }));
	await arena.made(task.ana, { title: secret('task') });
	await must(arena.as(task.ana, 'task.comment', { item: item(), text: secret('comment') }));
	await must(arena.as(task.ana, 'task.addItem', { item: item(), text: secret('item'), position: 'a0' }));
	const hung = pageOf(task.ana);
	await must(arena.as(hung, 'page.hang', { title: secret('hung'), on: task.ana }));
	const doc = new Y.Doc();
	const paragraph = new Y.XmlText();
	(doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, paragraph);
	paragraph.insert(0, secret('content'));
	expect(await arena.truth.update(ids.batch(), hung, Y.encodeStateAsUpdate(doc))).toMatchObject({ kind: 'accepted' });
	await must(eve.command(task.eve, 'task.create', { title: secret('boss') }));
	for (const [id, who] of [[deal.ben, ben], [deal.cat, cat], [deal.closed, cat]] as const) await must(who.command(id, 'deal.create', { title: secret('deal'), amount: 1_000 }));
	await must(cat.command(deal.closed, 'deal.moveToStage', { value: 'won' }));
	await must(ben.command(group.secret, 'group.create', { name: secret('group'), description: secret('description'), visibility: 'secret', members: [cat.person] }));
	await must(ben.command(group.closed, 'group.create', { name: 'Closed', visibility: 'closed' }));
	await must(ben.command(group.open, 'group.create', { name: 'Open', visibility: 'open' }));
	await must(arena.as(role, 'role.create', { name: 'Clerks', people: [`user:${mallory.person}`], permissions: [{ key: 'deal.read', value: 'own' }, { key: 'deal.write', value: 'own' }, { key: 'deal.add', value: 'own' }] }));
	await must(arena.as(text.ana, 'text.create', { title: secret('own-text'), place: 'mine' }));
	await must(arena.as(shown.task, 'task.create', { title: 'Shown', observers: [mallory.person] }));
	await must(arena.as(shown.text, 'text.create', { title: 'Shown', place: 'mine' }));
	await must(arena.as(shown.text, 'text.setGrant', { key: `user:${mallory.person}`, value: 'read' }));
	await must(arena.as(given.answers, 'task.create', { title: 'Given', responsible: mallory.person, control: true, deadline: '2027-01-31' }));
	await must(arena.as(given.takesPart, 'task.create', { title: 'Together', participants: [mallory.person], observers: [cat.person] }));
	for (const id of [mine.open, mine.won]) await must(mallory.command(id, 'deal.create', { title: 'Mine', amount: 10 }));
	await must(mallory.command(mine.won, 'deal.moveToStage', { value: 'won' }));
	for (const level of ['share', 'edit'] as const) {
		await must(arena.as(granted[level], 'text.create', { title: 'Granted', place: 'mine' }));
		await must(arena.as(granted[level], 'text.setGrant', { key: `user:${mallory.person}`, value: level }));
		await must(arena.as(granted[level], 'text.setGrant', { key: `user:${cat.person}`, value: 'read' }));
	}
	before = await rowsNow();
}, 120_000);

afterAll(async () => {
	for (const word of secrets) expect(mallory.has(word), word).toBe(false);
	const after = await rowsNow();
	const changed = [...before].filter(([id, row]) => JSON.stringify(row) !== JSON.stringify(after.get(id))).map(([, row]) => row);
	// Somebody honest works beside every attack; and that Mallory asked is hers to do.
	expect(changed.filter(({ kind, id }) => kind !== 'task' || [task.ana, task.eve, shown.task, given.answers, given.takesPart].includes(id as never)).filter(({ id }) => id !== group.closed && id !== group.open)).toEqual([]);
	await arena?.close();
});

type Attack = readonly [what: string, outcome: readonly string[], () => Promise<string>];
const no: readonly string[] = ['denied'];
const hidden: readonly string[] = ['not-found'];

test('reading: a device from nothing, every list of REST, every id over REST and /live', { timeout: 60_000 }, async () => {
	const device = await mallory.anotherDevice();
	for (const id of [task.ana, task.eve, deal.ben, deal.cat, group.secret, text.ana, pageOf(task.ana)]) expect(device.held.has(id), id).toBe(false);
	for (const kind of KINDS) {
		for (const query of ['', '&limit=200', `&after=${ids.document(kind)}`]) expect([200, 422]).toContain((await mallory.api('GET', `/documents?kind=${kind}${query}`)).status);
	}
	for (const id of [task.ana, task.eve, deal.ben, deal.cat, deal.closed, group.secret, text.ana, pageOf(task.ana)]) {
		expect((await mallory.api('GET', `/documents/${id}`)).status).toBe(404);
		expect(await mallory.attack(`/live/${id}`, [liveFrame(0, Uint8Array.of(0))])).toBe(4404);
	}
	device.close();
});

test('reading: a device that says it holds everything is told to drop what it may not', async () => {
	const device = new SyncClient(arena.relay.socketUrl, mallory.token);
	device.onFrame = (frame) => mallory.keep(frame);
	for (const [id, { docSeq, doc, row }] of arena.truth.held) device.held.set(id, { docSeq, doc, row });
	await device.connect();
	for (const id of [task.ana, text.ana, pageOf(task.ana)]) expect(device.held.has(id), id).toBe(false);
	device.close();
});

test.each<Attack>([
	['make oneself an administrator', no, () => mallory.command(mallory.person, 'employee.setAdministrator', { value: true })],
	['take away the administrator', no, () => mallory.command(arena.ana.employee, 'employee.setAdministrator', { value: false })],
	['dismiss the administrator', no, () => mallory.command(arena.ana.employee, 'employee.dismiss')],
	['join the department of others', no, () => mallory.command(mallory.person, 'employee.joinDepartment', { member: sales })],
	['join the company’s root', no, () => mallory.command(mallory.person, 'employee.joinDepartment', { member: root })],
	['leave one’s own department', no, () => mallory.command(mallory.person, 'employee.leaveDepartment', { member: support })],
	['move another person', no, () => mallory.command(cat.person, 'employee.joinDepartment', { member: support })],
	['head one’s own department', no, () => mallory.command(support, 'department.setHead', { value: mallory.person })],
	['head the department of one’s own boss', no, () => mallory.command(root, 'department.setHead', { value: mallory.person })],
	['be a deputy', no, () => mallory.command(sales, 'department.addDeputy', { member: mallory.person })],
	['move the own department above', no, () => mallory.command(sales, 'department.move', { value: support })],
	['make a department with oneself at the head', no, () => mallory.command(ids.document('department'), 'department.create', { name: 'Mine', parent: root, head: mallory.person })],
	['a second root', no, () => mallory.command(ids.document('department'), 'department.create', { name: 'Root', parent: null, head: mallory.person })],
	['rename the company', no, () => mallory.command(ids.document('settings'), 'settings.create', { company: 'Mine' })],
	['invite oneself a second record', no, () => mallory.command(ids.document('employee'), 'employee.create', { firstName: 'M', lastName: 'M', email: 'm@x.example', administrator: true })],
	['another’s profile', no, () => mallory.command(ben.person, 'employee.setPosition', { value: 'Clerk' })],
	['one’s own profile together with a right', no, () => mallory.submit(commandOf(mallory.person, 'employee.setPosition', { value: 'Boss' }), commandOf(mallory.person, 'employee.setAdministrator', { value: true }))]
])('the structure: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test.each<Attack>([
	['a ring of departments', no, () => arena.as(sales, 'department.move', { value: sales })],
	['the last administrator leaves', no, () => arena.as(arena.ana.employee, 'employee.setAdministrator', { value: false })],
	['the root goes', no, () => arena.as(root, 'department.delete')],
	['a department with people goes', no, () => arena.as(sales, 'department.delete')],
	['a head who is nobody', no, () => arena.as(sales, 'department.setHead', { value: ids.document('employee') })]
])('even an administrator may not: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test.each<Attack>([
	['join a secret group', hidden, () => mallory.command(group.secret, 'group.join')],
	['ask at a secret group', hidden, () => mallory.command(group.secret, 'group.ask')],
	['make a secret group open', hidden, () => mallory.command(group.secret, 'group.setVisibility', { value: 'open' })],
	['make the secret group again', hidden, () => mallory.command(group.secret, 'group.create', { name: 'probe' })],
	['join a closed group', no, () => mallory.command(group.closed, 'group.join')],
	['let oneself into a closed group', no, () => mallory.command(group.closed, 'group.addMember', { member: mallory.person })],
	['moderate a closed group', no, () => mallory.command(group.closed, 'group.addModerator', { member: mallory.person })],
	['moderate an open group', no, () => mallory.command(group.open, 'group.addModerator', { member: mallory.person })],
	['join and moderate in one batch', no, () => mallory.submit(commandOf(group.open, 'group.join'), commandOf(group.open, 'group.addModerator', { member: mallory.person }))],
	['own a group', no, () => mallory.command(group.open, 'group.setOwner', { value: mallory.person })],
	['put out its owner', no, () => mallory.command(group.open, 'group.removeMember', { member: ben.person })],
	['bring others in', no, () => mallory.command(group.open, 'group.addMember', { member: cat.person })],
	['delete a group', no, () => mallory.command(group.open, 'group.delete')],
	['rename a group', no, () => mallory.command(group.open, 'group.setName', { value: 'Mine' })]
])('workgroups: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test('workgroups: who moderates is not who says they do: an asking outsider reads nothing more', async () => {
	expect(await mallory.command(group.closed, 'group.ask')).toBe('accepted');
	expect(await mallory.command(group.closed, 'group.addMember', { member: mallory.person })).toBe('denied');
	expect(await arena.row(group.closed)).toMatchObject({ members: [], moderators: [], requests: [mallory.person] });
});

test.each<Attack>([
	['give one’s role more', no, () => mallory.command(role, 'role.setPermission', { key: 'deal.read', value: 'all' })],
	['make a role for oneself', no, () => mallory.command(ids.document('role'), 'role.create', { name: 'Mine', people: ['all'], permissions: [{ key: 'deal.read', value: 'all' }] })],
	['put oneself into a role', no, () => mallory.command(role, 'role.addPerson', { member: 'all' })],
	['delete the role that holds one back', no, () => mallory.command(role, 'role.delete')],
	['open items', no, () => mallory.command(role, 'role.setOpen', { key: 'deal.read', value: true })]
])('CRM roles: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test.each<Attack>([
	['take over another’s deal', hidden, () => mallory.command(deal.cat, 'deal.setResponsible', { value: mallory.person })],
	['its stage', hidden, () => mallory.command(deal.cat, 'deal.moveToStage', { value: 'won' })],
	['its amount, with what was last seen forged', hidden, () => mallory.command(deal.cat, 'deal.setAmount', { value: 1 }, { seen: { amount: ids.command() } })],
	['open it to all', hidden, () => mallory.command(deal.cat, 'deal.setOpen', { value: true })],
	['comment on it', hidden, () => mallory.command(deal.cat, 'deal.comment', { item: item(), text: 'x' })],
	['make one for somebody else', no, () => mallory.command(ids.document('deal'), 'deal.create', { title: 'x', responsible: ben.person })],
	['hang a page on it', hidden, () => mallory.command(pageOf(deal.cat), 'page.hang', { title: 'x', on: deal.cat })]
])('deals: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test.each<Attack>([
	['an observer sets the title', no, () => mallory.command(shown.task, 'task.setTitle', { value: 'mine' })],
	['an observer sets the deadline', no, () => mallory.command(shown.task, 'task.setDeadline', { value: '2027-01-01' })],
	['an observer sets the state', no, () => mallory.command(shown.task, 'task.setState', { value: 'done' })],
	['an observer becomes responsible', no, () => mallory.command(shown.task, 'task.setResponsible', { value: mallory.person })],
	['an observer becomes a participant', no, () => mallory.command(shown.task, 'task.addParticipant', { member: mallory.person })],
	['an observer brings others', no, () => mallory.command(shown.task, 'task.addObserver', { member: cat.person })],
	['an observer puts others out', ['denied', 'accepted'], () => mallory.command(shown.task, 'task.removeObserver', { member: cat.person })],
	['an observer deletes it', no, () => mallory.command(shown.task, 'task.delete')],
	['an observer writes its checklist', no, () => mallory.command(shown.task, 'task.addItem', { item: item(), text: 'x', position: 'a0' })],
	['an agent in the boss’s task', hidden, () => mallory.command(task.eve, 'task.setTitle', { value: 'mine' })]
])('tasks: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test.each<Attack>([
	['who answers for it says that it is done, which another approves', no, async () => (await mallory.api('POST', `/documents/${given.answers}/commands`, { command: 'setState', value: 'done' })).body.code!],
	['who answers for it says so without having seen the state', ['stale'], () => mallory.command(given.answers, 'task.setState', { value: 'done' })],
	['who answers for it takes the approval away', no, () => mallory.command(given.answers, 'task.setControl', { value: false })],
	['who answers for it moves the deadline', no, () => mallory.command(given.answers, 'task.setDeadline', { value: '2030-01-01' })],
	['who answers for it lets themselves move the deadline', no, () => mallory.command(given.answers, 'task.setMayMoveDeadline', { value: true })],
	['who answers for it sets title or priority', no, () => mallory.submit(commandOf(given.answers, 'task.setPriority', { value: 'high' }), commandOf(given.answers, 'task.setTitle', { value: 'mine' }))],
	['who answers for it deletes it', no, () => mallory.command(given.answers, 'task.delete')],
	['who takes part sets the state', no, () => mallory.command(given.takesPart, 'task.setState', { value: 'done' })],
	['who takes part sets the deadline', no, () => mallory.command(given.takesPart, 'task.setDeadline', { value: '2030-01-01' })],
	['who takes part puts an observer out', no, () => mallory.command(given.takesPart, 'task.removeObserver', { member: cat.person })],
	['who takes part takes over', no, () => mallory.command(given.takesPart, 'task.setResponsible', { value: mallory.person })],
	['something allowed in one batch with something that is not', no, () => mallory.submit(commandOf(given.takesPart, 'task.addItem', { item: item(), text: 'good', position: 'a0' }), commandOf(given.takesPart, 'task.setState', { value: 'done' }))]
])('task roles: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test.each<Attack>([
	['the stage of one’s own won deal', ['denied', 'stale'], () => mallory.command(mine.won, 'deal.moveToStage', { value: 'engaging' })],
	['its amount', ['denied', 'stale'], () => mallory.command(mine.won, 'deal.setAmount', { value: 1_000_000 })],
	['its day of closing', no, () => mallory.command(mine.won, 'deal.setClosedOn', { value: '2020-01-01' })],
	['its responsible person', no, () => mallory.command(mine.won, 'deal.setResponsible', { value: cat.person })],
	['its title', no, () => mallory.command(mine.won, 'deal.setTitle', { value: 'lost' })],
	['deleting it, beside a role that deletes nothing', no, () => mallory.command(mine.won, 'deal.delete')],
	['deleting an open one without the permission', no, () => mallory.command(mine.open, 'deal.delete')],
	['handing an open one to nobody', no, () => mallory.command(mine.open, 'deal.setResponsible', { value: ids.document('employee') })]
])('a closed deal is frozen: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test.each<Attack>([
	['sharing gives full to all', no, () => mallory.command(granted.share, 'text.setGrant', { key: 'all', value: 'full' })],
	['sharing gives oneself full', no, () => mallory.command(granted.share, 'text.setGrant', { key: `user:${mallory.person}`, value: 'full' })],
	['sharing takes back', no, () => mallory.command(granted.share, 'text.setGrant', { key: `user:${cat.person}`, value: null })],
	['sharing moves it to the company', no, () => mallory.command(granted.share, 'text.setPlace', { value: 'company' })],
	['sharing deletes', no, () => mallory.command(granted.share, 'text.delete')],
	['editing shares', no, () => mallory.command(granted.edit, 'text.setGrant', { key: `user:${eve.person}`, value: 'read' })],
	['editing makes oneself a sharer', no, () => mallory.command(granted.edit, 'text.setGrant', { key: `user:${mallory.person}`, value: 'share' })],
	['granting through one’s own group what one has not', no, async () => {
		const own = ids.document('group');
		await must(mallory.command(own, 'group.create', { name: 'Own', visibility: 'secret' }));
		return mallory.command(granted.share, 'text.setGrant', { key: `group:${own}`, value: 'full' });
	}]
])('grants: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test('tasks: one takes part and gives away what is not theirs to give', async () => {
	const shared = ids.document('task');
	expect(await arena.as(shared, 'task.create', { title: 'Given', participants: [mallory.person] })).toBe('accepted');
	expect(await mallory.command(shared, 'task.setResponsible', { value: ids.document('employee') })).toBe('denied');
	expect(await mallory.command(shared, 'task.addObserver', { member: 'task:user:all' as never })).toBe('bad-value');
});

test.each<Attack>([
	['who may look shares on', no, () => mallory.command(shown.text, 'text.setGrant', { key: 'all', value: 'read' })],
	['who may look gives themselves more', no, () => mallory.command(shown.text, 'text.setGrant', { key: `user:${mallory.person}`, value: 'full' })],
	['who may look takes a grant back', no, () => mallory.command(shown.text, 'text.setGrant', { key: `user:${mallory.person}`, value: null })],
	['who may look renames', no, () => mallory.command(shown.text, 'text.setTitle', { value: 'mine' })],
	['who may look moves it to the company', no, () => mallory.command(shown.text, 'text.setPlace', { value: 'company' })],
	['who may look deletes', no, () => mallory.command(shown.text, 'text.delete')],
	['a grant on what is hidden', hidden, () => mallory.command(text.ana, 'text.setGrant', { key: `user:${mallory.person}`, value: 'full' })],
	['a grant to what is no recipient', ['bad-value'], () => mallory.command(shown.text, 'text.setGrant', { key: 'admins', value: 'full' })],
	['a grant to a prototype', ['bad-value', 'closed 4400'], () => mallory.command(shown.text, 'text.setGrant', { key: '__proto__', value: 'full' })]
])('documents: %s', async (_what, outcomes, attack) => {
	expect(outcomes).toContain(await attack());
});

test('documents: who may look types, over both sockets', async () => {
	const doc = new Y.Doc();
	doc.getText('text').insert(0, 'mine');
	expect(await mallory.update(shown.text, Y.encodeStateAsUpdate(doc))).toBe('denied');
	expect(await mallory.attack(`/live/${shown.text}`, [liveFrame(2, Y.encodeStateAsUpdate(doc))])).toBe(4403);
	expect((await arena.content(shown.text)).getText('text').toString()).toBe('');
});

test('proposals as an oracle: a hidden record, one that is not there, and a foreign one are answered alike', async () => {
	const answers: string[] = [];
	for (const target of [task.ana, deal.cat, ids.document('task'), ids.document('deal'), group.secret]) {
		answers.push(await mallory.command(ids.document('proposal'), 'proposal.create', { target, commands: [{ document: target, name: 'task.setTitle', args: { value: 'x' } }] }));
	}
	expect(new Set(answers).size).toBe(1);
	for (const target of [task.ana, ids.document('task')]) {
		const id = ids.document('proposal');
		expect(await mallory.command(id, 'proposal.create', { target, text: 'please' })).toBe('accepted');
		const { body } = await mallory.api<{ row: object }>('GET', `/documents/${id}`);
		expect(Object.keys(body.row).sort()).toEqual(['before', 'commands', 'createdAt', 'createdBy', 'deleted', 'id', 'kind', 'note', 'number', 'state', 'target', 'text', 'updatedAt', 'word']);
	}
});

test('proposals: one’s own are not applied by oneself, and others’ are not answered by who may not', async () => {
	const own = ids.document('proposal');
	const create = commandOf(own, 'proposal.create', { target: task.ana, commands: [{ document: task.ana, name: 'task.setTitle', args: { value: 'mine' } }] });
	expect(await mallory.submit(create)).toBe('accepted');
	const seen = { state: create.id };
	for (const verb of ['apply', 'decline']) expect(await mallory.command(own, `proposal.${verb}`, {}, { seen })).toBe('denied');
	expect(await mallory.submit(commandOf(task.ana, 'task.setTitle', { value: 'mine' }), commandOf(own, 'proposal.apply', {}, { seen }))).toBe('not-found');
	const cats = ids.document('proposal');
	expect(await cat.command(cats, 'proposal.create', { target: task.ana, text: secret('proposal') })).toBe('accepted');
	for (const verb of ['apply', 'decline', 'withdraw', 'setNote']) expect(await mallory.command(cats, `proposal.${verb}`, verb === 'setNote' ? { value: 'x' } : {})).toBe('not-found');
	expect(await arena.row(cats)).toMatchObject({ state: 'open' });
});

test('REST says what the socket says: no field is changed there either', async () => {
	const tries: [DocumentId, Record<string, unknown>, number[]][] = [
		[mallory.person, { command: 'setAdministrator', value: true }, [403]],
		[deal.cat, { command: 'setAmount', value: 1 }, [404]],
		[task.ana, { command: 'addObserver', member: mallory.person }, [404]],
		[group.open, { command: 'addModerator', member: mallory.person }, [403]],
		[role, { command: 'setPermission', key: 'deal.read', value: 'all' }, [403]],
		[shown.text, { command: 'setGrant', key: 'all', value: 'full' }, [403]]
	];
	for (const [id, body, statuses] of tries) expect(statuses).toContain((await mallory.api('POST', `/documents/${id}/commands`, body)).status);
});
