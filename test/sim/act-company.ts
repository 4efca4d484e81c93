/** What changes who may do what: structure, groups, roles, grants, proposals, people who go and come back, and the tariff. */
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { GroupRow } from '#crdt-model/kinds/group.ts';
import type { PageRow, TextRow } from '#crdt-model/kinds/page.ts';
import type { ProposalRow } from '#crdt-model/kinds/proposal.ts';
import { SERVICES } from '#crdt-model/kinds/services.ts';
import { CRM_ACTIONS, CRM_LEVELS, type RoleRow } from '#crdt-model/kinds/role.ts';
import type { Draft } from '#lib/sync/engine.ts';
import { anyone, pickRow } from './act-work.ts';
import type { Device } from './device.ts';
import type { World } from './world.ts';

/** Where most changes of the structure are made. */
const administrator = (world: World): Device => world.devices.find(({ name }) => name.startsWith('ana'))!;

/** Moves people and departments, gives teams heads and deputies. */
export async function reorganise(world: World): Promise<void> {
	const { random, ids } = world;
	const team = random.pick(world.teams);
	const person = anyone(world);
	const draft = random.pick<Draft>([
		{ document: person, name: 'employee.joinDepartment', args: { member: team } },
		{ document: person, name: 'employee.leaveDepartment', args: { member: team } },
		{ document: team, name: 'department.setHead', args: { value: random.chance(0.8) ? person : null } },
		{ document: team, name: random.chance(0.7) ? 'department.addDeputy' : 'department.removeDeputy', args: { member: person } },
		{ document: team, name: 'department.move', args: { value: random.pick(world.teams) } },
		{ document: team, name: random.chance(0.5) ? 'department.delete' : 'department.restore', args: {} },
		{ document: ids.document('department'), name: 'department.create', args: { name: 'New', parent: team } }
	]);
	if (await world.run(administrator(world), draft)) world.tally.reorganised++;
}

/** Workgroups: made, joined, left, passed on, closed to others. */
export async function joinOrLeave(world: World, device: Device): Promise<void> {
	const { random, ids } = world;
	const group = await pickRow<GroupRow>(world, device, 'group');
	if (!group || random.chance(0.1)) {
		const made: Draft = { document: ids.document('group'), name: 'group.create', args: { name: 'Friends', visibility: random.pick(['open', 'closed', 'secret']), members: [anyone(world)] } };
		await world.run(device, made);
		return;
	}
	const draft = (verb: string, args: unknown = {}): Draft => ({ document: group.id, name: `group.${verb}`, args });
	const member = { member: anyone(world) };
	const ran = await world.run(
		device,
		random.pick([
			draft('join'), draft('leave'), draft('ask'), draft('addMember', member), draft('addMember', member), draft('removeMember', member), draft('addModerator', member),
			draft('setVisibility', { value: random.pick(['open', 'closed', 'secret']) }), draft('setOwner', { value: anyone(world) })
		])
	);
	if (ran) world.tally.groups++;
}

/** CRM roles: whom they apply to and how far they reach. */
export async function giveRole(world: World): Promise<void> {
	const { random, ids } = world;
	const device = administrator(world);
	const role = await pickRow<RoleRow>(world, device, 'role');
	const recipient = random.pick([`user:${anyone(world)}`, `department:${random.pick(world.teams)}`, `departments:${random.pick(world.teams)}`, 'all']);
	const permission = () => ({ key: `${random.pick(['deal', 'deal', 'company'])}.${random.pick(CRM_ACTIONS)}`, value: random.pick(CRM_LEVELS) });
	const full = ['deal', 'company'].flatMap((entity) => CRM_ACTIONS.map((action) => ({ key: `${entity}.${action}`, value: random.pick(CRM_LEVELS) })));
	const made: Draft = { document: ids.document('role'), name: 'role.create', args: { name: 'Sales', people: [recipient], permissions: full } };
	const draft = (verb: string, args: unknown = {}): Draft => ({ document: role!.id, name: `role.${verb}`, args });
	const one = !role || random.chance(0.2) ? made : random.pick([draft('addPerson', { member: recipient }), draft('removePerson', { member: recipient }), draft('setPermission', permission()), draft('delete')]);
	if (await world.run(device, one)) world.tally.roles++;
}

/** Somebody is let into a page or text, or put out of it. */
export async function grant(world: World, device: Device): Promise<void> {
	const { random } = world;
	const kind = random.pick(['page', 'text'] as const);
	const row = await pickRow<PageRow | TextRow>(world, device, kind);
	if (!row) return;
	const key = random.pick([`user:${anyone(world)}`, `department:${random.pick(world.teams)}`]);
	const value = random.pick(['read', 'edit', 'share', null]);
	if (await world.run(device, { document: row.id, name: `${kind}.setGrant`, args: { key, value } })) world.tally.grants++;
}

/** What lies in the tray, or a wish out of the blue, goes to whoever may. */
export async function propose(world: World, device: Device): Promise<void> {
	const { random, ids } = world;
	const tray = (await device.replica.aside()).filter((item) => item.kind === 'command');
	const item = tray.length > 0 ? random.pick(tray) : null;
	const target = item ? item.document : random.pick(world.rowsOf(random.pick(['task', 'deal'])))?.id;
	if (!target) return;
	const command = item ? { document: item.command.document, name: item.command.name, args: item.command.args } : { document: target, name: `${target.slice(0, 4)}.setTitle`, args: { value: 'better' } };
	if (await world.run(device, { document: ids.document('proposal'), name: 'proposal.create', args: { target, commands: [command], note: 'Please' } })) world.tally.proposed++;
}

/** Applied in one batch with what it asks for, under the rights of whoever applies it; or declined, or taken back. */
export async function answerProposal(world: World, device: Device): Promise<void> {
	const { random } = world;
	const open = ((await device.replica.rows('proposal')) as unknown as ProposalRow[]).filter(({ state }) => state === 'open');
	if (open.length === 0) return;
	const proposal = random.pick(open);
	const drafts: Draft[] = proposal.createdBy === device.person
		? [{ document: proposal.id, name: 'proposal.withdraw', args: {} }]
		: random.chance(0.7)
			? [...proposal.commands, { document: proposal.id, name: 'proposal.apply', args: {} }]
			: [{ document: proposal.id, name: 'proposal.decline', args: { word: 'No' } }];
	if (await world.run(device, ...drafts)) world.tally.answered++;
}

/** Somebody leaves the company; somebody comes back, if there is a seat. */
export async function dismissOrRehire(world: World): Promise<void> {
	const { random } = world;
	const gone = world.rowsOf('employee').filter(({ active }) => !active);
	const device = administrator(world);
	if (gone.length > 0 && random.chance(0.6)) {
		if (await world.run(device, { document: random.pick(gone).id, name: 'employee.rehire', args: {} })) world.tally.rehired++;
		return;
	}
	const person = anyone(world);
	if (person === device.person) return;
	if (await world.run(device, { document: person, name: 'employee.dismiss', args: {} })) world.tally.dismissed++;
}

/** A service is switched off, or everything on again: the rest of the company works on meanwhile. */
export async function switchServices(world: World): Promise<void> {
	const { random } = world;
	const [settings] = world.rowsOf('settings');
	const off = settings!.servicesOff;
	const value = off.length > 0 && random.chance(0.6) ? [] : [random.pick(SERVICES), ...(random.chance(0.3) ? off : [])];
	if (await world.run(administrator(world), { document: settings!.id, name: 'settings.setServicesOff', args: { value } })) world.tally.switched++;
}
export async function switchAllOn(world: World): Promise<void> {
	await world.run(administrator(world), { document: world.rowsOf('settings')[0]!.id, name: 'settings.setServicesOff', args: { value: [] } });
}

/** Devices of the simulation come from no network: whoever has set a rule for that, with a program of their own, has shut out everybody but administrators. */
export async function letEverybodyIn(world: World): Promise<void> {
	const settings = world.rowsOf('settings')[0]!;
	if (settings.entry === null) return;
	world.note('everybody is let in again');
	await world.run(administrator(world), { document: settings.id, name: 'settings.setEntry', args: { value: null } });
}

/** The portal is given another plan, sometimes one that is too small for what is there; somebody new is invited and may find no seat. */
export async function changeTariff(world: World): Promise<void> {
	const { random } = world;
	const people = world.rowsOf('employee').filter(({ active }) => active).length;
	if (random.chance(0.5)) {
		world.subscribe(random.pick([{ plan: 'company' }, { plan: 'project' }, { plan: 'boxCrm', seats: people }, { plan: 'boxCrm', seats: Math.max(1, people - 1) }, { plan: 'boxCrm', seats: people + 1 }]));
		return;
	}
	await world.hire();
}

