/**
 * What a change of the structure costs a company of 10,000 people of whom 1,000 are there: until every session holds what it may hold now, and until
 * the last of them has been told what it lost and gained. Real portal, SQLite, sockets that only count. Reports, asserts nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IdMaker, type DepartmentId, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { decodeDown, encodeUp } from '#crdt-model/wire/codec.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import { Portals } from '#sync-server/room/portals.ts';
import { table } from './report.ts';

const PEOPLE = 10_000;
const SESSIONS = 1_000;
const DEPARTMENTS = 100;
const DEALS = 5_000;
/** Documents that everyone in a branch may read by a grant to it. */
const PAGES_OF_BRANCH = 5;
const BATCH = 100;

const ids = new IdMaker();
const folder = await mkdtemp(join(tmpdir(), 'atrium-bench-'));
const portals = await Portals.open({ store: await SqliteRelayStore.open(folder), macKey: new Uint8Array(32) });
const { portal, administrator } = await portals.found({ company: 'Bench', language: 'en', firstName: 'Ana', lastName: 'Pop', email: 'ana@bench.example' });
const company = [...portal.directory.departments][0]!.id as DepartmentId;
const command = (document: DocumentId, name: string, args: unknown): Command => ({ id: ids.command(), document, name, args, at: Date.now(), seen: {} });

async function make(commands: readonly Command[], author?: PersonId): Promise<void> {
	for (let from = 0; from < commands.length; from += BATCH) {
		const result = await portal.submitAsRelay({ commands: commands.slice(from, from + BATCH) }, author);
		if (result.kind === 'refused') throw new Error(`bench: ${result.refusal.code} ${result.refusal.detail}`);
	}
}

// Two branches with half of the departments each; every department has a head.
const [east, west] = [ids.document('department'), ids.document('department')];
const departments = Array.from({ length: DEPARTMENTS }, () => ids.document('department'));
const people = Array.from({ length: PEOPLE }, () => ids.document('employee'));
await make([east, west].map((id, i) => command(id, 'department.create', { name: `Branch ${i}`, parent: company })));
await make(departments.map((id, i) => command(id, 'department.create', { name: `Department ${i}`, parent: i % 2 === 0 ? east : west })));
await make(people.map((id, i) => command(id, 'employee.create', { firstName: 'P', lastName: `${i}`, email: `p${i}@bench.example`, departments: [departments[i % DEPARTMENTS]] })));
await make(departments.map((id, i) => command(id, 'department.setHead', { value: people[i] })));
await make([command(east, 'department.setHead', { value: people[DEPARTMENTS] }), command(west, 'department.setHead', { value: people[DEPARTMENTS + 1] })]);
await make(Array.from({ length: DEALS }, (_, i) => command(ids.document('deal'), 'deal.create', { title: `Deal ${i}`, responsible: people[(i * 7) % PEOPLE] })));
for (const branch of [east, west]) {
	const pages = Array.from({ length: PAGES_OF_BRANCH }, () => ids.document('page'));
	await make(pages.map((id) => command(id, 'page.create', { title: 'Of the branch', place: 'mine' })), administrator);
	await make(pages.map((id) => command(id, 'page.setGrant', { key: `departments:${branch}`, value: 'read' })), administrator);
}

// Devices that are up to date: to compare what each of a thousand holds is another bench.
const HELD = { count: 0, digest: '' };
portal.store.digest = async () => HELD;

/** When the last frame of losses or gains went out, and how many documents they named. */
let isOver = false;
const told = { at: 0, lost: 0, gained: 0 };
const online = [people[DEPARTMENTS]!, people[DEPARTMENTS + 1]!, ...people.filter((_, i) => i % (PEOPLE / SESSIONS) === 0)].slice(0, SESSIONS);
const sessions = online.map((person) => {
	const session = portal.attachSync(person, {
		send(frame) {
			const decoded = decodeDown(frame);
			if (!decoded.ok) throw new Error(decoded.problem);
			const { message } = decoded;
			if (message.type === 'lose') told.lost += message.documents.length;
			else if (message.type === 'gains') told.gained += message.snapshots.length;
			else return 'ok';
			told.at = performance.now();
			return 'ok';
		},
		close: (code, reason) => {
			if (!isOver) throw new Error(`bench: closed ${code} ${reason}`);
		}
	});
	void session.receive(encodeUp({ type: 'hello', version: WIRE_VERSION, cursor: { epoch: portal.log.epoch, seq: portal.log.durable }, held: HELD }));
	return session;
});

async function quiet(): Promise<void> {
	for (let at = -1; at !== told.at; ) {
		at = told.at;
		await new Promise((resolve) => setTimeout(resolve, 1_500));
	}
}
await quiet();

const rows: [string, string][] = [];
async function change(what: string, commands: readonly Command[]): Promise<void> {
	told.at = told.lost = told.gained = 0;
	const before = new Map(sessions.map((session) => [session, (session as unknown as { principals: object }).principals]));
	const began = performance.now();
	await make(commands);
	const decided = performance.now() - began;
	const touched = sessions.filter((session) => (session as unknown as { principals: object }).principals !== before.get(session)).length;
	await quiet();
	const last = told.at === 0 ? '–' : `${(told.at - began).toFixed(0)} ms`;
	rows.push([what, `all decided ${decided.toFixed(0)} ms, last told ${last}; ${touched} sessions changed, ${told.lost} lost, ${told.gained} gained`]);
}

try {
	await change('a person joins another department', [command(people[500]!, 'employee.joinDepartment', { member: departments[3] })]);
	await change('a department of 100 gets another head', [command(departments[20]!, 'department.setHead', { value: people[120] })]);
	await change('a department of 100 moves to the other branch', [command(departments[10]!, 'department.move', { value: west })]);
	await change('a branch of 5,000 moves below the other', [command(east, 'department.move', { value: west })]);
	await change('and back', [command(east, 'department.move', { value: company })]);
	await change('the company gets another head', [command(company, 'department.setHead', { value: people[DEPARTMENTS] })]);
	table(`A change of the structure: ${PEOPLE} people, ${SESSIONS} sessions, ${DEALS} deals`, rows);
} finally {
	isOver = true;
	await portals.close();
	await rm(folder, { recursive: true, force: true });
}
