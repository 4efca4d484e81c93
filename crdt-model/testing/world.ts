/** Ids and people that tests share. Made from a counter, so that a failing case reads the same in every run. */
import { IdMaker, type CommandId, type DocumentId, type ItemId, type KindName, type PersonId } from '../ids.ts';

/** Mulberry32 as a source of bytes: the same seed, the same ids. */
export function seededBytes(seed: number): (target: Uint8Array) => Uint8Array {
	let state = seed >>> 0;
	return (target) => {
		for (let i = 0; i < target.length; i++) {
			state = (state + 0x6d2b79f5) >>> 0;
			let t = Math.imul(state ^ (state >>> 15), state | 1);
			t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
			target[i] = (t ^ (t >>> 14)) & 0xff;
		}
		return target;
	};
}

export function idMaker(seed: number): IdMaker {
	let now = 1_700_000_000_000;
	return new IdMaker(() => now++, seededBytes(seed));
}

const uuid = (n: number) => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** Small ids that can be read in a failure: `documentId('task', 7)`. 0 is the relay's and is not handed out. */
export const documentId = <K extends KindName>(kind: K, n: number) => `${kind}_${uuid(n)}` as DocumentId<K>;
export const person = (n: number): PersonId => documentId('employee', n);
export const itemId = (n: number) => `item_${uuid(n)}` as ItemId;
export const commandId = (n: number) => `command_${uuid(n)}` as CommandId;

export const ANN = person(1);
export const BEN = person(2);
export const CAT = person(3);
export const PEOPLE = [ANN, BEN, CAT] as const;
