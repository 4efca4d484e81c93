/**
 * Six people, random work, random changes of the structure, random drops, over hand-flushed connections. After each quiet point every device
 * holds what the rules written here say that it may, row for row what the relay has; and no frame ever carried the marker of a document
 * that its reader could not read at any moment since the last quiet point.
 *
 * A failure prints its seed; `ATRIUM_SEED=… ` replays it.
 */
import { expect, test } from 'vitest';
import { kindOf, pageOf, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { DepartmentRow, EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import type { DealRow } from '#crdt-model/kinds/deal.ts';
import type { PageRow } from '#crdt-model/kinds/page.ts';
import type { ProposalRow } from '#crdt-model/kinds/proposal.ts';
import type { TaskRow } from '#crdt-model/kinds/task.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import { budget } from '#crdt-model/testing/budget.ts';
import { isAbove } from '#crdt-model/testing/company.ts';
import { itemId } from '#crdt-model/testing/world.ts';
import type { Device } from '#sync-server/testing/device.ts';
import { ANN, BEN, CAT, COMPANY, DAN, deal, EVE, FAY, SALES, some, Stage, SUPPORT, task } from '#sync-server/testing/stage.ts';

const PEOPLE = [ANN, BEN, CAT, DAN, EVE, FAY];
const RUNS = budget(10);
const QUIET_POINTS = 25;

function random(seed: number) {
	let state = seed >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
	const below = (n: number) => Math.floor(next() * n);
	return { below, pick: <T>(from: readonly T[]): T => from[below(from.length)]! };
}

/** Who may read, by the book: nothing of `access/` is asked. */
function mayRead(person: PersonId, row: BaseRow, rows: ReadonlyMap<DocumentId, BaseRow>): boolean {
	const all = [...rows.values()];
	const company = {
		people: all.filter(({ kind }) => kind === 'employee') as EmployeeRow[],
		departments: all.filter(({ kind }) => kind === 'department') as DepartmentRow[]
	};
	const me = rows.get(person) as EmployeeRow;
	const speaksFor = (other: PersonId) => other === person || isAbove(company, person, other);
	if (!me.active) return false;
	switch (row.kind) {
		case 'task': {
			const { createdBy, responsible, participants, observers } = row as TaskRow;
			return me.administrator || [createdBy, responsible, ...participants, ...observers].some(speaksFor);
		}
		case 'deal':
			return me.administrator || speaksFor((row as DealRow).responsible);
		case 'page': {
			const { place, on, createdBy } = row as PageRow;
			if (place === 'record') return mayRead(person, rows.get(on!)!, rows);
			return place === 'company' || createdBy === person || me.administrator;
		}
		case 'proposal': {
			const target = rows.get((row as ProposalRow).target);
			// Proposals for the page of a record name the record; one that names the page is its author's alone.
			const isSecondStep = target?.kind === 'page' && (target as PageRow).place === 'record';
			return row.createdBy === person || (target !== undefined && !isSecondStep && mayRead(person, target, rows));
		}
		default:
			return true;
	}
}

/** In the title and nowhere else, so that a frame that holds it holds the document. */
const marker = (id: DocumentId) => `MARK-${kindOf(id)}-${parseInt(id.slice(-6), 16)}-END`;

async function rowsOf(stage: Stage): Promise<Map<DocumentId, BaseRow>> {
	const heads = await stage.portal.store.headsOfKinds(['settings', 'employee', 'department', 'task', 'deal', 'page', 'proposal']);
	return new Map(heads.map(({ id, row }) => [id, row]));
}

async function soak(seed: number): Promise<{ accepted: number; refused: number; drops: number }> {
	const { below, pick } = random(seed);
	let told = async () => {};
	const stage = await Stage.open({ acknowledge: () => told() });
	const devices = new Map<PersonId, Device>(PEOPLE.map((person) => [person, stage.device(person).connect()]));
	await stage.settle();
	const counts = { accepted: 0, refused: 0, drops: 0 };
	/** Who could read what after some commit since the last quiet point. */
	let could = new Map<DocumentId, Set<PersonId>>();
	const note = async () => {
		const rows = await rowsOf(stage);
		for (const [id, row] of rows) {
			const readers = could.get(id) ?? new Set();
			for (const person of PEOPLE) if (mayRead(person, row, rows)) readers.add(person);
			could.set(id, readers);
		}
	};
	told = note;

	const act = (device: Device): Promise<unknown> | void => {
		const n = 1 + below(8);
		const say = (name: string, id: DocumentId, args: unknown = {}) => void device.submit(name, id, args);
		const admin = (name: string, id: DocumentId, args: unknown = {}) => stage.as(ANN, name, id, args);
		switch (below(26)) {
			case 0: return say('task.create', task(n), { title: marker(task(n)), responsible: pick(PEOPLE) });
			case 1: return say('deal.create', deal(n), { title: marker(deal(n)) });
			case 2: return say('task.setResponsible', task(n), { value: pick(PEOPLE) });
			case 3: return say(pick(['task.addObserver', 'task.removeObserver', 'task.addParticipant', 'task.removeParticipant']), task(n), { member: pick(PEOPLE) });
			case 4: case 5: return say('deal.setResponsible', deal(n), { value: pick(PEOPLE) });
			case 6: return say('task.comment', task(n), { item: itemId(below(1e6)), text: marker(task(n)) });
			case 7: return say('page.hang', pageOf(deal(n)), { title: marker(pageOf(deal(n))), on: deal(n) });
			case 8: return say('page.setTitle', pageOf(deal(n)), { value: marker(pageOf(deal(n))) });
			case 9: return say('page.create', some('page', 50 + n), { title: marker(some('page', 50 + n)), place: pick(['mine', 'company']) });
			case 10: return say('page.setPlace', some('page', 50 + n), { value: pick(['mine', 'company']) });
			case 11: return say(pick(['task.delete', 'task.restore']), task(n));
			case 12: return say('deal.setAmount', deal(n), { value: below(1000) });
			case 13: return admin('department.setHead', pick([SALES, SUPPORT]), { value: pick(PEOPLE) });
			case 14: return admin('department.move', SALES, { value: pick([SUPPORT, COMPANY]) });
			case 15: return admin(pick(['employee.joinDepartment', 'employee.leaveDepartment']), pick(PEOPLE.slice(1)), { member: pick([SALES, SUPPORT]) });
			case 16: return admin('employee.setAdministrator', pick([BEN, EVE]), { value: below(2) === 0 });
			case 17: return device.submitBatch([device.command('deal.create', deal(n + 8), { title: marker(deal(n + 8)) }), device.command('deal.setResponsible', deal(n + 8), { value: pick(PEOPLE) })]) && undefined;
			case 18: counts.drops++; return void (device.cut(), below(2) && device.connect());
			case 19: return void (device.socket && (device.socket.stopped = below(2) === 0));
			case 20: return admin('deal.setResponsible', deal(n), { value: pick(PEOPLE) });
			case 21: case 22: return say('proposal.create', some('proposal', n), { target: pick([deal(n), deal(n + 8), task(n), some('page', 50 + n), pageOf(deal(n))]), text: marker(some('proposal', n)) });
			case 23: return say('proposal.setNote', some('proposal', n), { value: marker(some('proposal', n)) });
			case 24: return say(pick(['proposal.decline', 'proposal.apply', 'proposal.withdraw']), some('proposal', n));
			default: return say('deal.setTitle', deal(n), { value: marker(deal(n)) });
		}
	};

	for (let point = 0; point < QUIET_POINTS; point++) {
		for (let i = 0; i < 12; i++) {
			stage.pass(below(50));
			const device = devices.get(pick(PEOPLE))!;
			if (device.closedWith !== null || device.socket === null) device.connect();
			await act(device);
			if (below(3) === 0) await Promise.resolve();
			if (below(3) === 0) stage.flush();
			if (below(2) === 0) await stage.settle();
		}
		for (const device of devices.values()) {
			if (device.socket) device.socket.stopped = false;
			if (device.closedWith !== null || device.socket === null) device.connect();
		}
		await stage.settle();
		const rows = await rowsOf(stage);
		for (const [person, device] of devices) {
			expect(device.complaints, `seed ${seed}, point ${point}, ${person}`).toEqual([]);
			const readable = [...rows.values()].filter((row) => mayRead(person, row, rows)).map(({ id }) => id).sort();
			expect(device.holds, `seed ${seed}, point ${point}, ${person}`).toEqual(readable);
			for (const id of readable) expect(device.row(id), `seed ${seed}, point ${point}, ${id}`).toEqual(rows.get(id));
			const text = Buffer.concat(device.socket!.sent).toString('latin1');
			for (const [id, readers] of could) if (!readers.has(person)) expect(text.includes(marker(id)), `seed ${seed}, point ${point}: ${id} crossed to ${person}`).toBe(false);
			device.socket!.sent.length = 0;
		}
		could = new Map();
		await note();
	}
	for (const device of devices.values()) for (const { kind } of device.answers.values()) counts[kind]++;
	expect(stage.failures).toEqual([]);
	return counts;
}

test('[F3][Y6] six people, random work, structure and drops: nobody lacks, nobody leaks', { timeout: RUNS.numRuns * 60_000 }, async () => {
	const total = { accepted: 0, refused: 0, drops: 0 };
	for (let run = 0; run < RUNS.numRuns; run++) {
		const counts = await soak(RUNS.seed + run);
		for (const key of ['accepted', 'refused', 'drops'] as const) total[key] += counts[key];
	}
	// A soak that refuses everything proves nothing.
	expect(total.accepted).toBeGreaterThan(30 * RUNS.numRuns);
	expect(total.drops).toBeGreaterThan(5 * RUNS.numRuns);
});
