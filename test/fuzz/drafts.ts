/** What the people of a random company try: its founding, and one act after another, mostly where somebody may and somebody may not. */
import { KINDS, kindOf, pageOf, RELAY, type DepartmentId, type DocumentId, type KindName, type PersonId } from '#crdt-model/ids.ts';
import { kindNamed, type Row } from '#crdt-model/kinds/index.ts';
import { SERVICES } from '#crdt-model/kinds/services.ts';
import { CRM_ACTIONS, CRM_LEVELS } from '#crdt-model/kinds/role.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { Act, Company } from './company.ts';
import { hostileArgs, valueOf } from './values.ts';

/** How often each kind is meant beside the others. */
const WEIGHTS: Readonly<Record<KindName, number>> = {
	settings: 2, employee: 8, department: 8, group: 10, role: 6, task: 24, company: 6, product: 3, deal: 18, page: 10, text: 5, file: 6, proposal: 8
};
const KINDS_BY_WEIGHT: readonly KindName[] = KINDS.flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind));
/** Seldom, so that records live and companies stay at work. */
const SELDOM = /\.(delete|setServicesOff|dismiss|erase|setAdministrator|setArchived|unknown)$/;
/** What was closed comes back, so that companies do not run empty. */
const OFTEN = /\.(restore|rehire|create|moveToStage|setState|comment)$/;

export interface Founding {
	readonly author: PersonId;
	readonly commands: readonly Command[];
}

export function foundingOf(company: Company): Founding[] {
	const { random, ids } = company;
	const some = <T>(most: number, make: (n: number) => T): T[] => Array.from({ length: 1 + random.below(most) }, (_, i) => make(i));
	const people = Array.from({ length: 7 + random.below(6) }, () => ids.document('employee'));
	const departments: DepartmentId[] = [];
	const made: Founding[] = [];
	const by = (author: PersonId, name: string, document: DocumentId, args: unknown) =>
		made.push({ author, commands: [{ id: ids.command(), document, name, args: JSON.parse(JSON.stringify(args)) as unknown, at: company.now(), seen: {} }] });
	by(RELAY, 'settings.create', ids.document('settings'), { company: 'Acme' });
	for (let i = 0, most = 4 + random.below(4); i < most; i++) {
		const id = ids.document('department');
		by(RELAY, 'department.create', id, { name: `D${i}`, parent: departments.length === 0 ? null : random.pick(departments) });
		departments.push(id);
	}
	// The relay alone makes guests; the last two are.
	people.forEach((id, i) => {
		const guest = i >= people.length - 2;
		by(RELAY, 'employee.create', id, {
			firstName: 'P', lastName: String(i), email: `p${i}@example.com`, administrator: i === 0, ...(guest && { guest }),
			departments: guest ? [] : some(i === 0 ? 1 : 2, () => random.pick(departments)).filter((d, at, all) => all.indexOf(d) === at)
		});
	});
	const employees = people.slice(0, -2);
	for (const id of departments) {
		if (random.chance(0.7)) by(RELAY, 'department.setHead', id, { value: random.pick(employees) });
		if (random.chance(0.4)) by(RELAY, 'department.addDeputy', id, { member: random.pick(employees) });
	}
	const one = () => random.pick(employees);
	some(4, () => by(one(), 'group.create', ids.document('group'), { name: 'G', visibility: random.pick(['open', 'closed', 'secret']), members: some(3, () => random.pick(people)) }));
	// A company without roles lives by what holds where none applies.
	if (random.chance(0.7)) {
		some(3, () => {
			const permissions = ['deal', 'company'].flatMap((entity) => CRM_ACTIONS.map((action) => ({ key: `${entity}.${action}`, value: random.pick(CRM_LEVELS) })));
			const named = [`user:${random.pick(people)}`, `department:${random.pick(departments)}`, `departments:${random.pick(departments)}`];
			const recipients = random.chance(0.15) ? ['all'] : named.slice(random.below(3));
			by(people[0]!, 'role.create', ids.document('role'), { name: 'R', people: recipients, permissions, open: random.chance(0.5) ? ['deal.read', 'company.write'] : [] });
		});
	}
	for (let i = 0; i < 4; i++) {
		const task = ids.document('task');
		by(one(), 'task.create', task, {
			title: 'T', responsible: one(), participants: some(2, one), observers: random.chance(0.5) ? [random.pick(people)] : [], control: random.chance(0.4), mayMoveDeadline: random.chance(0.4)
		});
		const author = one();
		by(author, 'deal.create', ids.document('deal'), { title: 'D', responsible: author, amount: 10, open: random.chance(0.3) });
		by(one(), 'company.create', ids.document('company'), { name: 'C', responsible: one(), open: random.chance(0.3) });
		if (i % 2) by(one(), 'page.hang', pageOf(task), { title: 'P', on: task });
		by(one(), random.chance(0.5) ? 'page.create' : 'text.create', ids.document('page'), { title: 'X', place: random.pick(['company', 'mine']) });
	}
	by(one(), 'product.create', ids.document('product'), { name: 'X' });
	return made.map((founding) => fitting(founding));
}

/** A text is made under a text's id. */
function fitting({ author, commands: [command] }: Founding): Founding {
	const { name, document } = command!;
	const kind = name.slice(0, name.indexOf('.'));
	return { author, commands: [{ ...command!, document: `${kind}_${document.slice(document.indexOf('_') + 1)}` as DocumentId }] };
}

export function draftOf(company: Company): Act {
	const { random } = company;
	const pointed = random.chance(0.03) ? pointedAct(company) : null;
	if (pointed) return pointed;
	const count = random.chance(0.8) ? 1 : 2 + random.below(3);
	const first = target(company);
	const person = author(company, first.document);
	const commands: Command[] = [];
	for (let i = 0; i < count; i++) {
		// What a batch says of one record, or of the structure, is judged together.
		const { document, verb } = i === 0 ? first : random.chance(0.5) ? { document: first.document, verb: verbOf(company, kindOf(first.document)!, true) } : target(company);
		commands.push(commandOf(company, person, document, verb));
	}
	return { person, commands };
}

/** What chance alone would bring too seldom: a companion of each rule that needs much to come together. */
function pointedAct(company: Company): Act | null {
	const { random, oracle, known } = company;
	const administrator = known.get('employee')!.find((id) => oracle.isAdministrator(id as PersonId)) as PersonId | undefined;
	const act = (person: PersonId, name: string, document: DocumentId, args: unknown): Act => ({ person, commands: [company.command(person, document, name, args)] });
	const people = oracle.rowsOf('employee');
	switch (random.below(9)) {
		case 0: {
			const controlled = oracle.rowsOf('task').filter(({ control, deleted }) => control && !deleted);
			const task = controlled.length > 0 ? random.pick(controlled) : null;
			return task && act(task.responsible, 'task.setState', task.id, { value: random.pick(['done', 'review']) });
		}
		case 1: {
			const guests = people.filter(({ guest, active }) => guest && active);
			return administrator && guests.length > 0 ? act(administrator, 'employee.setAdministrator', random.pick(guests).id, { value: random.chance(0.7) }) : null;
		}
		case 2: {
			const gone = people.filter(({ active }) => !active);
			return administrator && gone.length > 0 ? act(administrator, 'employee.rehire', random.pick(gone).id, {}) : null;
		}
		case 7:
		case 8: {
			// Mostly on again, so that most companies work with everything.
			const [settings] = oracle.rowsOf('settings');
			const value = settings!.servicesOff.length > 0 || random.chance(0.7) ? [] : [random.pick(SERVICES)];
			return administrator ? act(administrator, 'settings.setServicesOff', settings!.id, { value }) : null;
		}
		case 3: {
			const left = people.filter(({ active, erased }) => !active && !erased);
			return administrator && left.length > 0 ? act(administrator, 'employee.erase', random.pick(left).id, random.chance(0.5) ? { name: true } : {}) : null;
		}
		case 4: {
			const erased = people.filter((one) => one.erased);
			if (!administrator || erased.length === 0) return null;
			const [verb, args] = random.pick([['rehire', {}], ['setPhone', { value: '+40 21 555 0199' }], ['setLastName', { value: 'Pop' }], ['erase', { name: true }]] as const);
			return act(administrator, `employee.${verb}`, random.pick(erased).id, args);
		}
		case 5: {
			const person = company.person();
			const file = company.ids.document('file');
			const face = company.command(person, file, 'file.create', { name: 'me', size: 1000, mime: 'image/webp', digest: 'a'.repeat(64), place: 'face' });
			const faces = oracle.rowsOf('file').filter(({ place }) => place === 'face');
			if (random.chance(0.4)) return { person, commands: [face, company.command(person, person, 'employee.setPhoto', { value: file })] };
			if (faces.length === 0) return { person, commands: [face] };
			const one = random.pick(faces);
			if (random.chance(0.4) && administrator) return act(administrator, 'settings.setLogo', oracle.rowsOf('settings')[0]!.id, { value: one.id });
			const [verb, args] = random.pick([['setName', { value: 'us' }], ['delete', {}], ['setGrant', { key: 'all', value: 'read' }], ['setPlace', { value: 'company' }]] as const);
			return act(random.chance(0.5) ? one.createdBy : person, `file.${verb}`, one.id, args);
		}
		default: {
			const [settings] = oracle.rowsOf('settings');
			if (random.chance(0.5)) {
				const own = oracle.rowsOf(random.pick(['page', 'text', 'file'] as const)).filter((row) => !row.deleted && row.place !== 'record' && row.place !== 'face');
				const one = own.length > 0 ? random.pick(own) : null;
				if (administrator && random.chance(0.2)) return act(administrator, 'settings.setWritersToAll', settings!.id, { value: random.chance(0.3) ? null : [`user:${company.person()}`] });
				return one && act(one.createdBy, `${one.kind}.setGrant`, one.id, { key: 'all', value: random.pick(['read', 'edit', null]) });
			}
			return administrator ? act(administrator, 'settings.setDomain', settings!.id, { value: random.pick(['portal.acme.example', 'www.acme.example', null]) }) : null;
		}
	}
}

function target(company: Company): { document: DocumentId; verb: string } {
	const { random } = company;
	const kind = random.pick(KINDS_BY_WEIGHT);
	const isThere = random.chance(0.88);
	const document = isThere ? company.idOf(kind) : company.ids.document(kind);
	return { document, verb: verbOf(company, kind, company.oracle.record(document) !== undefined) };
}

function verbOf({ random }: Company, kind: KindName, isThere: boolean): string {
	const verbs = Object.keys(kindNamed(kind).commands);
	const makes = (verb: string) => kindNamed(kind).commands[verb]!.needs === 'new';
	for (let attempt = 0; ; attempt++) {
		const verb = random.pick(verbs);
		if (attempt > 20) return verb;
		if (makes(verb) === isThere && random.chance(0.95)) continue;
		if (SELDOM.test(`.${verb}`) && random.chance(0.7)) continue;
		if (!OFTEN.test(`.${verb}`) && random.chance(0.2)) continue;
		return verb;
	}
}

/** Half of the time somebody whom the record names, so that much is allowed; else anybody, the dismissed and strangers too. */
function author(company: Company, document: DocumentId): PersonId {
	const { random, oracle, known } = company;
	if (random.chance(0.01)) return random.chance(0.5) ? RELAY : company.ids.document('employee');
	if (random.chance(0.15)) return known.get('employee')![0] as PersonId;
	const row = oracle.record(document)?.row;
	const named = row ? peopleIn(row) : [];
	return named.length > 0 && random.chance(0.6) ? random.pick(named) : company.person();
}

function peopleIn(row: Row): PersonId[] {
	return [...JSON.stringify(row).matchAll(/employee_[0-9a-f-]{36}/g)].map(([id]) => id as PersonId);
}

function commandOf(company: Company, person: PersonId, document: DocumentId, verb: string): Command {
	const { random, source } = company;
	const kind = kindOf(document)!;
	if (verb === 'hang') {
		const on = company.idOf(random.pick(['task', 'task', 'deal', 'company', 'page']));
		return company.command(person, random.chance(0.9) ? pageOf(on) : document, 'page.hang', { title: 'P', on });
	}
	let args = verb === 'create' && kind === 'proposal' ? proposed(company, person) : kind === 'department' && verb === 'create' ? { ...(given(company, kind, verb) as object), parent: random.chance(0.1) ? null : company.idOf('department') } : given(company, kind, verb);
	if (random.chance(0.04)) args = hostileArgs(args, source);
	const name = random.chance(0.01) ? random.pick([`${kind}.nothing`, `task.${verb}`, `${kind}.constructor`]) : `${kind}.${verb}`;
	return company.command(person, document, name, args);
}

function given(company: Company, kind: KindName, verb: string): unknown {
	const { random, oracle, source } = company;
	const args = valueOf(kindNamed(kind).commands[verb]!.args, source) as Record<string, unknown>;
	// Mostly people who are there: a stranger in a list of three would decide nearly every case.
	if (kind === 'group' || kind === 'task') for (const [key, value] of Object.entries(args)) if (Array.isArray(value)) args[key] = value.filter((id) => oracle.isActive(id as PersonId) || random.chance(0.1));
	return args;
}

/** A change that somebody would like made, to something that they may not even know. */
function proposed(company: Company, person: PersonId): unknown {
	const { random } = company;
	const { document, verb } = target(company);
	if (random.chance(0.3)) return { target: document, text: 'Please say it like this.' };
	const { name, args } = commandOf(company, person, document, verb === 'hang' ? 'setTitle' : verb);
	return { target: document, commands: [{ document, name, args }], note: 'Please' };
}
