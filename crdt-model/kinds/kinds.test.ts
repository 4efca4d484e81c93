/** Properties that hold for every kind, on random histories of its own commands. */
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { KINDS, type KindName } from '../ids.ts';
import { collectionsOf, specAt } from '../record/kind.ts';
import { planCommand, rowOf, seenBy, type Plan } from '../record/plan.ts';
import { EMPTY_STATE, applyWrites, readFromDoc, writeToDoc, type RecordState } from '../record/state.ts';
import { viewOf } from '../record/view.ts';
import { budget } from '../testing/budget.ts';
import {
	FrozenState, START, argsOf, draftOf, freezeDeep, historyOf, play, recordOf, sorted, stepOf
} from '../testing/commands.ts';
import { ANN, BEN, commandId } from '../testing/world.ts';
import { ROW_VERSIONS, kindNamed } from './index.ts';

const RUNS = 120;
/** Above the numbers that histories give to their commands. */
const FRESH = 1e12;

describe.each(KINDS.map((name) => ({ name })))('$name', ({ name }) => {
	const kind = kindNamed(name);
	const id = recordOf(name);
	const collections = collectionsOf(kind);
	const lives = 'delete' in kind.commands;

	test('[C2] the generator makes every command, every meeting and every refusal that the kind can have', () => {
		const seen = new Set<string>();
		fc.assert(
			fc.property(historyOf(kind), (steps) => {
				for (const { command, plan } of play(name, steps).played) {
					if (plan.kind === 'planned') {
						seen.add(`planned ${command.name}`);
						if (plan.overruled.length > 0) seen.add('overruled');
						if (plan.overruled.some(({ stands }) => stands.command === command.id)) seen.add('overruled by a newcomer');
						if (plan.overruled.some(({ gaveWay }) => gaveWay.command === command.id)) seen.add('overruled as a newcomer');
					} else {
						seen.add(plan.refusal.code);
						if (plan.refusal.code === 'target-gone') seen.add(`target-gone ${command.name}`);
					}
				}
			}),
			budget(1_500)
		);
		const wanted = Object.keys(kind.commands).map((verb) => `planned ${name}.${verb}`);
		wanted.push('overruled', 'overruled by a newcomer', 'overruled as a newcomer', 'exists', 'bad-value');
		if (lives) wanted.push('target-gone');
		if (Object.values(kind.fields).some((field) => field.meeting === 'guarded')) wanted.push('stale');
		for (const verb of Object.keys(kind.commands)) if (/Item$|Comment$/.test(verb) && verb !== 'addItem') wanted.push(`target-gone ${name}.${verb}`);
		expect(wanted.filter((one) => !seen.has(one))).toEqual([]);
	});

	test('[C3] planning never throws, touches none of its inputs, and gives the same plan again', () => {
		const step = stepOf(kind, undefined, 9);
		fc.assert(
			fc.property(historyOf(kind, 12), step, (steps, last) => {
				const { state } = play(name, steps);
				const frozen = new FrozenState(state) as RecordState;
				for (const cell of state.values()) freezeDeep(cell);
				const draft = freezeDeep(draftOf(name, last.verb, last.args, START + last.skew, commandId(FRESH + last.rank)));
				const command = Object.freeze({ ...draft, seen: Object.freeze(seenBy(kind, frozen, draft, ANN)) });
				const context = Object.freeze({ author: ANN, latest: START + 100 });
				const plan = planCommand(kind, frozen, command, context);
				expect(planCommand(kind, frozen, command, context)).toEqual(plan);
				expect(sorted(frozen)).toEqual(sorted(state));
				if (plan.kind === 'refused') expect(plan.refusal.detail.length).toBeLessThan(400);
			}),
			budget(RUNS)
		);
	});

	test('[C4] a plan writes declared paths alone, none of the relay, with values of their schema', () => {
		fc.assert(
			fc.property(historyOf(kind), (steps) => {
				for (const { plan, command, author, now } of play(name, steps).played) {
					if (plan.kind === 'refused') continue;
					for (const { path, cell } of plan.writes) {
						const spec = specAt(kind, path);
						expect(spec, path).not.toBeNull();
						expect(spec!.relayOnly, path).toBeUndefined();
						expect(v.is(spec!.schema, cell.value), path).toBe(true);
						expect(cell).toMatchObject({ by: author, command: command.id });
						expect(cell.at).toBeLessThanOrEqual(now);
					}
				}
			}),
			budget(RUNS)
		);
	});

	test('[V3] document and plain state say the same, on the relay, on replicas, and after either was loaded anew', () => {
		fc.assert(
			fc.property(historyOf(kind), fc.nat(30), (steps, evictAfter) => {
				let relay = new Y.Doc();
				const replica = new Y.Doc();
				const follow = () => relay.on('update', (update: Uint8Array) => Y.applyUpdate(replica, update));
				follow();
				const { state, played } = play(name, steps);
				played.forEach(({ plan }, turn) => {
					if (plan.kind === 'planned') writeToDoc(relay, plan.writes, 'relay');
					if (turn !== evictAfter) return;
					relay = loaded(relay);
					follow();
				});
				const row = rowOf(kind, id, state);
				for (const doc of [relay, replica, loaded(relay), loaded(replica)]) {
					const read = readFromDoc(doc, collections);
					expect(sorted(read)).toEqual(sorted(state));
					expect(rowOf(kind, id, read)).toEqual(row);
				}
				expect(kind.audience(row!)).toBeTruthy();
				expect(JSON.parse(JSON.stringify(row))).toEqual(row);
			}),
			budget(RUNS)
		);
	});

	test('[V2] the view with everything pending is what the relay makes of it when nobody came between', () => {
		fc.assert(
			fc.property(historyOf(kind, 8), fc.array(stepOf(kind), { maxLength: 8 }), (first, pending) => {
				const { state: canonical } = play(name, first);
				const now = START + 1_000;
				let state = canonical;
				const commands = pending.map((step, turn) => {
					const draft = draftOf(name, step.verb, step.args, now + turn, commandId(step.rank * 1_000 + 500 + turn));
					const command = { ...draft, seen: seenBy(kind, state, draft, BEN) };
					state = viewOf(kind, id, state, [command], BEN, now + 100).state;
					return command;
				});
				const view = viewOf(kind, id, canonical, commands, BEN, now + 100);
				let accepted = canonical;
				for (const command of commands) {
					const plan = planCommand(kind, accepted, command, { author: BEN, latest: now + 100 });
					expect(plan.kind === 'refused').toBe(view.doubtful.has(command.id));
					if (plan.kind === 'planned') accepted = applyWrites(accepted, plan.writes);
				}
				expect(sorted(view.state)).toEqual(sorted(accepted));
				expect(view.row).toEqual(rowOf(kind, id, accepted));
				expect(view.overruled).toEqual([]);
				expect(viewOf(kind, id, accepted, [], BEN, now).row).toEqual(view.row);
			}),
			budget(RUNS)
		);
	});

	test('[M5] two who wrote one field unseen: the later authored stands, in either order, and the other is told once', () => {
		let met = 0;
		fc.assert(
			fc.property(pairOn(name), ({ state, a, b }) => {
				const orders = [run(name, state, [a, b]), run(name, state, [b, a])];
				const paths = pathsOf(name, state, a);
				if (paths.length !== 1 || a.author === b.author || paths[0] !== pathsOf(name, state, b)[0]) return;
				const later = a.command.at !== b.command.at ? (a.command.at > b.command.at ? a : b) : a.command.id > b.command.id ? a : b;
				const loser = later === a ? b : a;
				for (const { plans, state: after } of orders) {
					if (plans.some((plan) => plan.kind === 'refused')) return;
					const cell = after.get(paths[0]!)!;
					expect(cell).toMatchObject({ command: later.command.id, by: later.author });
					const told = plans.flatMap((plan) => (plan.kind === 'planned' ? plan.overruled : []));
					const values = [a, b].map((one) => JSON.stringify(run(name, state, [one]).state.get(paths[0]!)!.value));
					expect(told).toHaveLength(values[0] === values[1] ? 0 : 1);
					if (told.length > 0) {
						met++;
						expect(told[0]).toMatchObject({ path: paths[0], gaveWay: { by: loser.author, command: loser.command.id }, stands: { by: later.author } });
					}
				}
				expect(rowOf(kind, id, orders[0]!.state)).toEqual(rowOf(kind, id, orders[1]!.state));
			}),
			budget(RUNS * 3)
		);
		expect(met, 'no two writers met').toBeGreaterThan(5);
	});

	test('[M6] independent commands give the same row in either order', () => {
		let met = 0;
		fc.assert(
			fc.property(pairOn(name), ({ state, a, b }) => {
				if (!areIndependent(name, state, a, b)) return;
				const [first, second] = [run(name, state, [a, b]), run(name, state, [b, a])];
				for (const { plans } of [first, second]) expect(plans.map((plan) => plan.kind)).toEqual(['planned', 'planned']);
				expect(sorted(first.state)).toEqual(sorted(second.state));
				expect(rowOf(kind, id, first.state)).toEqual(rowOf(kind, id, second.state));
				met++;
			}),
			budget(RUNS * 3)
		);
		expect(met, 'no two commands were independent').toBeGreaterThan(20);
	});
});

test('[V4] every kind names itself, and its row version is said at hello', () => {
	for (const name of KINDS) {
		expect(kindNamed(name).kind).toBe(name);
		expect(ROW_VERSIONS[name]).toBe(kindNamed(name).rowVersion);
	}
});

interface Writer {
	readonly author: typeof ANN;
	readonly command: Parameters<typeof planCommand>[2];
}

function loaded(doc: Y.Doc): Y.Doc {
	const copy = new Y.Doc();
	Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
	return copy;
}

/** Two people with the same view of a living record, each with one command. Half of the pairs use one verb, so that they meet. */
function pairOn(name: KindName) {
	const kind = kindNamed(name);
	const verbs = Object.keys(kind.commands).filter((verb) => kind.commands[verb]!.needs === 'live');
	const pair = fc
		.tuple(fc.constantFrom(...verbs), fc.constantFrom(...verbs), fc.boolean())
		.chain(([one, other, same]) => fc.tuple(fc.constant(one), argsOf(kind, one), fc.constant(same ? one : other), argsOf(kind, same ? one : other)));
	return fc
		.tuple(historyOf(kind, 10), pair, fc.nat(3), fc.nat(3), fc.boolean())
		.map(([steps, [verbA, argsA, verbB, argsB], atA, atB, swapIds]) => {
			const { state } = play(name, steps.filter((step) => step.verb !== 'delete'));
			const make = (author: typeof ANN, verb: string, args: unknown, at: number, n: number): Writer => {
				const draft = draftOf(name, verb, args, START + 1_000 + at, commandId(FRESH + n));
				return { author, command: { ...draft, seen: seenBy(kind, state, draft, author) } };
			};
			return { state, a: make(ANN, verbA, argsA, atA, swapIds ? 2 : 1), b: make(BEN, verbB, argsB, atB, swapIds ? 1 : 2) };
		});
}

function run(name: KindName, base: RecordState, writers: readonly Writer[]): { state: RecordState; plans: Plan[] } {
	let state = base;
	const plans = writers.map(({ author, command }) => {
		const plan = planCommand(kindNamed(name), state, command, { author, latest: START + 10_000 });
		if (plan.kind === 'planned') state = applyWrites(state, plan.writes);
		return plan;
	});
	return { state, plans };
}

function pathsOf(name: KindName, state: RecordState, writer: Writer): string[] {
	const plan = run(name, state, [writer]).plans[0]!;
	return plan.kind === 'planned' ? plan.writes.map(({ path }) => path) : [];
}

/** Different paths, neither deletes what the other works on; or the same membership said twice. */
function areIndependent(name: KindName, state: RecordState, a: Writer, b: Writer): boolean {
	const [one, other] = [run(name, state, [a]), run(name, state, [b])];
	if (one.plans[0]!.kind === 'refused' || other.plans[0]!.kind === 'refused') return false;
	if (a.command.name.endsWith('.delete') || b.command.name.endsWith('.delete')) return false;
	const [pathsA, pathsB] = [pathsOf(name, state, a), pathsOf(name, state, b)];
	const shared = pathsA.filter((path) => pathsB.includes(path));
	if (shared.length > 0) {
		const isMembership = /^(participants|observers|departments)\//.test(shared[0]!);
		return isMembership && one.state.get(shared[0]!)!.value === other.state.get(shared[0]!)!.value;
	}
	const itemOf = (path: string) => path.split('/').slice(0, 2).join('/');
	const removes = [...pathsA, ...pathsB].some((path) => path.endsWith('/removed'));
	return !removes || !pathsA.some((path) => pathsB.some((with_) => itemOf(path) === itemOf(with_)));
}
