/** Who may change what, as the rules are written: a question per command, answered by loops over the company. Part of the oracle. */
import type { DepartmentId, DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { DepartmentRow, EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import type { CompanyRow } from '#crdt-model/kinds/crm.ts';
import type { DealRow } from '#crdt-model/kinds/deal.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import type { DiskLevel } from '#crdt-model/kinds/grants.ts';
import type { GroupRow } from '#crdt-model/kinds/group.ts';
import type { Row } from '#crdt-model/kinds/index.ts';
import type { PageRow, TextRow } from '#crdt-model/kinds/page.ts';
import type { ProposalRow } from '#crdt-model/kinds/proposal.ts';
import type { TaskRow } from '#crdt-model/kinds/task.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { Known, Oracle } from './oracle.ts';

export type Answer = { readonly may: true; readonly rule: string } | { readonly may: false; readonly rule: string; readonly code: 'denied' | 'not-found' };

/** Every rule that the oracle knows; the fuzz insists that each was met, where it can be, both ways. */
export const ORACLE_RULES = {
	/** Met both ways. */
	both: [
		'task.creator-side', 'task.deadline', 'task.delegate', 'task.state', 'task.people', 'task.checklist', 'comments.author', 'comments.author-or-admin',
		'deal.add', 'deal.write', 'deal.delete', 'company.add', 'company.write', 'company.delete', 'product.maker', 'page.edit', 'page.full', 'page.grant', 'page.hang',
		'file.edit', 'file.full', 'file.grant', 'group.owner', 'group.members', 'group.moderators', 'group.join', 'group.leave', 'admins.structure', 'admins.people', 'admins.roles',
		'proposal.answer', 'proposal.author', 'face.maker', 'recipients.all'
	],
	/** What whoever reads may do, or whoever is of the company. */
	allowing: ['task.create', 'task.comment', 'task.leave', 'deal.comment', 'group.create', 'group.ask', 'page.create', 'file.create', 'product.everyone', 'own.profile', 'proposal.create'],
	/** What nobody may do, whoever they are. */
	denying: [
		'service.tasks', 'service.crm', 'service.documents', 'service.groups',
		'guest', 'relay.alone', 'task.people-are-employees', 'task.review', 'deal.responsible-is-employee', 'deal.closed', 'company.responsible-is-employee', 'structure.one-root',
		'structure.parent', 'structure.ring', 'structure.head', 'structure.not-empty', 'people.last-administrator', 'people.department', 'people.guest', 'group.people',
		'proposal.target', 'proposal.answered', 'page.record-grants', 'face.is-there', 'face.grants', 'erase.left', 'erase.empty', 'erase.address'
	]
} as const;

const yes = (rule: string): Answer => ({ may: true, rule });
const no = (rule: string, code: 'denied' | 'not-found' = 'denied'): Answer => ({ may: false, rule, code });
const when = (condition: boolean, rule: string): Answer => (condition ? yes(rule) : no(rule));

interface Asked {
	readonly world: Oracle;
	readonly person: PersonId;
	readonly verb: string;
	readonly args: Readonly<Record<string, unknown>>;
	readonly before: Known | null;
	readonly next: Known;
}

export function judge(world: Oracle, person: PersonId, command: Command, before: Known | null, next: Known): Answer {
	const verb = command.name.slice(command.name.indexOf('.') + 1);
	const asked: Asked = { world, person, verb, args: command.args as Asked['args'], before, next };
	const { row } = next;
	// A guest makes nothing but the description of what they were asked to do.
	if (!before && !world.isEmployee(person) && verb !== 'hang') return no('guest');
	switch (row.kind) {
		case 'task':
			return ofTask(asked, row, before?.row as TaskRow | undefined);
		case 'deal':
		case 'company':
			return ofCrm(asked, row, before?.row as DealRow | CompanyRow | undefined);
		case 'product':
			return !before ? yes('product.everyone') : verb === 'delete' || verb === 'restore' ? when(isMakerOrAdmin(asked, before.row), 'product.maker') : yes('product.everyone');
		case 'page':
		case 'text':
		case 'file':
			return ofPlaced(asked, row, before?.row as PageRow | TextRow | FileRow | undefined);
		case 'group':
			return ofGroup(asked, row, before?.row as GroupRow | undefined);
		case 'employee':
			return ofEmployee(asked, row, before?.row as EmployeeRow | undefined);
		case 'department':
			return ofDepartment(asked, row, before?.row as DepartmentRow | undefined);
		case 'settings':
			if (!before || !world.isAdministrator(person)) return no('admins.structure');
			return verb === 'setLogo' && !isFace(asked) ? no('face.is-there') : yes('admins.structure');
		case 'role':
			return when(world.isAdministrator(person), 'admins.roles');
		case 'proposal':
			return ofProposal(asked, row, before?.row as ProposalRow | undefined);
	}
}

function isMakerOrAdmin({ world, person }: Asked, row: Row): boolean {
	return row.createdBy === person || world.isAdministrator(person);
}

/** Comments are their authors' alone; who wrote one is the author of its text. */
function ofComment({ person, world, verb, args, before }: Asked): Answer {
	if (verb === 'comment') return yes(before!.row.kind === 'task' ? 'task.comment' : 'deal.comment');
	const author = before!.state.get(`comments/${args.item as string}/text`)?.by;
	if (verb === 'editComment') return when(author === person, 'comments.author');
	return when(author === person || world.isAdministrator(person), 'comments.author-or-admin');
}
const isComment = (verb: string) => verb === 'comment' || verb === 'editComment' || verb === 'removeComment';

function ofTask(asked: Asked, row: TaskRow, before: TaskRow | undefined): Answer {
	const answer = before ? changesTask(asked, row, before) : yes('task.create');
	if (!answer.may) return answer;
	const known = before ? [before.responsible, ...before.participants, ...before.observers] : [];
	const strangers = [row.responsible, ...row.participants, ...row.observers].filter((who) => !known.includes(who) && !asked.world.isActive(who));
	return strangers.length > 0 ? no('task.people-are-employees') : answer;
}

function changesTask(asked: Asked, row: TaskRow, before: TaskRow): Answer {
	const { world, person, verb, args } = asked;
	if (isComment(verb)) return ofComment(asked);
	const admin = world.isAdministrator(person);
	const creatorSide = admin || world.isSelfOrAbove(person, before.createdBy);
	const responsibleSide = world.isSelfOrAbove(person, before.responsible);
	const participantSide = before.participants.some((who) => world.isSelfOrAbove(person, who));
	switch (verb) {
		case 'setTitle':
		case 'setPriority':
		case 'setControl':
		case 'setMayMoveDeadline':
		case 'delete':
		case 'restore':
			return when(creatorSide, 'task.creator-side');
		case 'setDeadline':
			return when(creatorSide || (responsibleSide && before.mayMoveDeadline), 'task.deadline');
		case 'setResponsible':
			return when(creatorSide || responsibleSide, 'task.delegate');
		case 'setState':
			if (creatorSide) return yes('task.state');
			if (!responsibleSide) return no('task.state');
			return before.control && (row.state === 'done' || before.state === 'done') ? no('task.review') : yes('task.state');
		case 'addParticipant':
		case 'addObserver':
			return when(creatorSide || responsibleSide, 'task.people');
		case 'removeParticipant':
		case 'removeObserver':
			return args.member === person ? yes('task.leave') : when(creatorSide || responsibleSide, 'task.people');
		default:
			return when(creatorSide || responsibleSide || participantSide, 'task.checklist');
	}
}

function ofCrm(asked: Asked, row: DealRow | CompanyRow, before: DealRow | CompanyRow | undefined): Answer {
	const { world, person, verb } = asked;
	const entity = row.kind;
	if (row.responsible !== before?.responsible && !world.isEmployee(row.responsible)) return no(`${entity}.responsible-is-employee`);
	if (!before) return when(world.crm(person, entity, 'add', row) !== 'no', `${entity}.add`);
	if (isComment(verb)) return ofComment(asked);
	const action = verb === 'delete' || verb === 'restore' ? 'delete' : 'write';
	const reach = world.crm(person, entity, action, before);
	if (reach === 'no') return no(`${entity}.${action}`);
	// What was sold is corrected by those above.
	const isClosed = before.kind === 'deal' && (before.stage === 'won' || before.stage === 'lost');
	return isClosed && reach === 'own' ? no('deal.closed') : yes(`${entity}.${action}`);
}

/** What content and fields of a page on a record need: to change the record. */
function writesScope({ world, person }: Pick<Asked, 'world' | 'person'>, on: DocumentId | null): boolean {
	const scope = on === null ? undefined : world.record(on)?.row;
	if (!scope || scope.deleted || !world.reads(person, scope.id)) return false;
	if (scope.kind === 'company' || scope.kind === 'deal') return world.crm(person, scope.kind, 'write', scope) !== 'no';
	return scope.kind === 'task' && worksOn(world, person, scope);
}

function worksOn(world: Oracle, person: PersonId, task: TaskRow): boolean {
	return world.isAdministrator(person) || [task.createdBy, task.responsible, ...task.participants].some((who) => world.isSelfOrAbove(person, who));
}

function ofPlaced(asked: Asked, row: PageRow | TextRow | FileRow, before: PageRow | TextRow | FileRow | undefined): Answer {
	const { world, person, verb } = asked;
	const kind = row.kind === 'file' ? 'file' : 'page';
	// What the relay says of a file's bytes, it says itself.
	if (verb === 'arrive') return no('relay.alone');
	if (!before) {
		if (row.kind === 'file' || row.place !== 'record') return row.place === 'company' ? when(world.addressesAll(person), 'recipients.all') : yes(`${kind}.create`);
		// Neither the record nor a page that it has is admitted to.
		if (!world.reads(person, row.on!)) return no('page.hang', 'not-found');
		return when(writesScope(asked, row.on), 'page.hang');
	}
	const isFull = verb === 'delete' || verb === 'restore' || verb === 'setPlace';
	if (before.kind !== 'file' && before.place === 'record') {
		if (verb === 'setGrant') return no('page.record-grants');
		if (verb === 'setPlace') return no('page.full');
		if (isFull && !isMakerOrAdmin(asked, before)) return no('page.full');
		return when(writesScope(asked, before.on), isFull ? 'page.full' : 'page.edit');
	}
	if (before.kind === 'file' && before.place === 'face') {
		if (verb === 'setGrant') return no('face.grants');
		return verb === 'setPlace' ? no('face.grants') : when(isMakerOrAdmin(asked, before), 'face.maker');
	}
	const level = world.diskLevel(person, before);
	if (verb === 'setGrant') {
		if (!mayGrant(asked, before, level)) return no(`${kind}.grant`);
		return raisesAll(asked, before) ? when(world.addressesAll(person), 'recipients.all') : yes(`${kind}.grant`);
	}
	if (!world.isAtLeast(level, isFull ? 'full' : 'edit')) return no(`${kind}.${isFull ? 'full' : 'edit'}`);
	const isPut = verb === 'setPlace' && asked.args.value === 'company' && before.place !== 'company';
	return isPut ? when(world.addressesAll(person), 'recipients.all') : yes(`${kind}.${isFull ? 'full' : 'edit'}`);
}

/** Who shares grants up to the own level; only who has full takes back or lowers. */
function mayGrant({ world, args }: Asked, before: PageRow | TextRow | FileRow, level: DiskLevel | null): boolean {
	if (world.isAtLeast(level, 'full')) return true;
	if (!world.isAtLeast(level, 'share')) return false;
	const given = args.value as DiskLevel | null;
	const standing = (before.grants as Record<string, DiskLevel | undefined>)[args.key as string] ?? null;
	if (given === null) return standing === null;
	return world.isAtLeast('share', given) && (standing === null || world.isAtLeast(given, standing));
}

/** Whether a grant gives all employees more than they were granted. */
function raisesAll({ world, person, args }: Asked, { grants }: PageRow | TextRow | FileRow): boolean {
	const key = args.key as string;
	const root = world.isEmployee(person) && key.startsWith('departments:') && world.department(key.slice('departments:'.length) as DepartmentId)?.parent === null;
	if ((key !== 'all' && !root) || args.value === null) return false;
	const standing = (grants as Record<string, DiskLevel | undefined>)[key] ?? null;
	return standing === null || DISK.indexOf(args.value as DiskLevel) > DISK.indexOf(standing);
}
const DISK: readonly DiskLevel[] = ['read', 'add', 'edit', 'share', 'full'];

/** A photo or a logo: none, or a face that whoever chooses it sees. */
function isFace({ world, person, args }: Asked): boolean {
	if (args.value === null) return true;
	const file = world.record(args.value as DocumentId)?.row;
	return file?.kind === 'file' && file.place === 'face' && !file.deleted && world.reads(person, file.id);
}

function ofGroup(asked: Asked, row: GroupRow, before: GroupRow | undefined): Answer {
	const { world, person, verb, args } = asked;
	const fresh = (now: readonly PersonId[], then: readonly PersonId[] | undefined) => now.filter((id) => !then?.includes(id));
	if (row.owner !== before?.owner && !world.isEmployee(row.owner)) return no('group.people');
	if (fresh(row.moderators, before?.moderators).some((id) => !world.isEmployee(id))) return no('group.people');
	if (fresh([...row.members, ...row.requests], before && [before.owner, ...before.members, ...before.requests]).some((id) => !world.isActive(id))) return no('group.people');
	if (!before) return yes('group.create');
	const owns = before.owner === person || world.isAdministrator(person);
	const moderates = owns || before.moderators.includes(person);
	const aboutSelf = args.member === person;
	// What gives way to a later word of the same person is judged by what stands then, and who is in already may say so again.
	const stays = row.members.includes(person);
	const joins = stays && !before.members.includes(person);
	// An owner’s word that gives way to their own leaving, said before the group came back to them, would leave again.
	const lets = before.owner === person ? stays : moderates || before.visibility === 'open' || !joins;
	switch (verb) {
		case 'join':
			return when(lets, 'group.join');
		case 'ask':
		case 'withdrawRequest':
			return yes('group.ask');
		case 'leave':
			return when(before.owner !== person || stays, 'group.leave');
		case 'addMember':
			return aboutSelf ? when(lets, 'group.join') : when(moderates, 'group.members');
		case 'removeMember':
			if (aboutSelf) return when(before.owner !== person || stays, 'group.leave');
			// A moderator is not put out by another one.
			return when(before.moderators.includes(args.member as PersonId) ? owns : moderates, 'group.members');
		case 'declineRequest':
			return when(aboutSelf || moderates, 'group.members');
		case 'addModerator':
			return when(owns || ((moderates || aboutSelf) && !row.moderators.includes(args.member as PersonId)), 'group.moderators');
		case 'removeModerator':
			return when(owns || aboutSelf || (moderates && !before.moderators.includes(args.member as PersonId)), 'group.moderators');
		default:
			return when(owns, 'group.owner');
	}
}

const OWN_PROFILE = ['setFirstName', 'setLastName', 'setPosition', 'setLanguage', 'setPhone', 'setBirthday', 'setPhoto'];
/** What is gone from an erased profile for good. */
const PERSONAL = OWN_PROFILE.filter((verb) => verb !== 'setLanguage');

function ofEmployee(asked: Asked, row: EmployeeRow, before: EmployeeRow | undefined): Answer {
	const { world, person, verb, args } = asked;
	if (!before) return no('admins.people');
	// Who looked on as whom is recorded by the relay alone.
	if (verb === 'recordView' || verb === 'setEmail') return no('relay.alone');
	const own = row.id === person && OWN_PROFILE.includes(verb);
	const admin = world.isAdministrator(person);
	if (!own && !admin) return no('admins.people');
	if (row.guest && row.administrator && !before.administrator) return no('people.guest');
	if (verb === 'joinDepartment' && !before.departments.includes(args.member as DepartmentId)) {
		const department = world.department(args.member as DepartmentId);
		if (!department || department.deleted) return no('people.department');
	}
	const administers = ({ active, administrator, guest }: EmployeeRow) => active && administrator && !guest;
	const others = world.rowsOf('employee').filter((other) => other.id !== row.id && administers(other));
	if (administers(before) && !administers(row) && others.length === 0) return no('people.last-administrator');
	if (verb === 'erase' && before.active) return no('erase.left');
	if (verb === 'rehire' && row.active && before.email === '') return no('erase.address');
	if (before.erased && PERSONAL.includes(verb)) return no('erase.empty');
	if (verb === 'setPhoto' && !isFace(asked)) return no('face.is-there');
	return yes(own ? 'own.profile' : 'admins.people');
}

function ofDepartment({ world, person }: Asked, row: DepartmentRow, before: DepartmentRow | undefined): Answer {
	if (!world.isAdministrator(person)) return no('admins.structure');
	const moved = row.parent !== (before?.parent ?? undefined);
	const returns = before?.deleted === true && !row.deleted;
	if (moved && row.parent === null && !(before && before.parent === null)) return no('structure.one-root');
	if (moved || returns) {
		const parent = world.department(row.parent);
		if (row.parent !== null && (!parent || parent.deleted)) return no('structure.parent');
	}
	if (moved && before) for (let at = world.department(row.parent), steps = 0; at && steps < 100; at = world.department(at.parent), steps++) if (at.id === row.id) return no('structure.ring');
	if (row.head !== null && row.head !== before?.head && !world.isEmployee(row.head)) return no('structure.head');
	if (row.deputies.some((deputy) => !before?.deputies.includes(deputy) && !world.isEmployee(deputy))) return no('structure.head');
	if (row.deleted && !before?.deleted) {
		if (row.parent === null) return no('structure.one-root');
		if (world.rowsOf('department').some((child) => child.parent === row.id && !child.deleted)) return no('structure.not-empty');
		if (world.rowsOf('employee').some((other) => other.active && other.departments.includes(row.id as DepartmentId))) return no('structure.not-empty');
	}
	return yes('admins.structure');
}

function ofProposal(asked: Asked, row: ProposalRow, before: ProposalRow | undefined): Answer {
	const { world, person, verb } = asked;
	if (!before) {
		const target = world.record(row.target)?.row;
		// Its readers would be nobody: a page's are its record's, and an audience is followed one step.
		if (row.target.startsWith('proposal_')) return no('proposal.target');
		if (target?.kind === 'page' && target.place === 'record' && world.reads(person, target.id)) return no('proposal.target');
		return yes('proposal.create');
	}
	if (before.state !== 'open') return no('proposal.answered');
	return verb === 'apply' || verb === 'decline' ? when(mayAnswer(asked, before), 'proposal.answer') : when(before.createdBy === person, 'proposal.author');
}

/** Applying and declining are for whoever may change the target. */
function mayAnswer({ world, person }: Asked, { target }: ProposalRow): boolean {
	const row = world.record(target)?.row;
	if (!row || !world.reads(person, target)) return false;
	switch (row.kind) {
		case 'task':
			return worksOn(world, person, row);
		case 'deal':
		case 'company':
			return world.crm(person, row.kind, 'write', row) !== 'no';
		case 'product':
			return true;
		case 'page':
		case 'text':
		case 'file':
			if (row.deleted) return false;
			return row.kind !== 'file' && row.place === 'record' ? writesScope({ world, person }, row.on) : world.isAtLeast(world.diskLevel(person, row), 'edit');
		case 'group':
			return row.owner === person || row.moderators.includes(person) || world.isAdministrator(person);
		case 'proposal':
			return false;
		default:
			return world.isAdministrator(person);
	}
}

/** Who may edit the content of a page or text. */
export function writesContent(world: Oracle, person: PersonId, id: DocumentId): boolean {
	const row = world.record(id)?.row;
	if (!row || (row.kind !== 'page' && row.kind !== 'text') || row.deleted || !world.reads(person, id)) return false;
	if (row.place === 'record') return writesScope({ world, person }, row.on);
	return world.isAtLeast(world.diskLevel(person, row), 'edit');
}
