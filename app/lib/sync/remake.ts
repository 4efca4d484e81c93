/**
 * Rows are made by a pure function of the state, and a newer app may make other ones (SPEC V4): then a device makes those that it holds anew, from
 * canonical bytes and pending work, kind by kind and a few at a time, so that screens stay quick.
 *
 * Promises: an interrupted remake goes on at the next start; a kind is called remade only when all its rows are.
 */
import { KINDS, type DocumentId, type KindName } from '#crdt-model/ids.ts';
import { kindNamed, ROW_VERSIONS } from '#crdt-model/kinds/index.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import type { Core } from './core.ts';
import { refreshRows } from './view.ts';

/** Rows in one transaction: some milliseconds on a phone. */
const RECORDS_AT_ONCE = 200;
/** Pages and texts are loaded whole to say their title. */
const PAGES_AT_ONCE = 8;

/** @param made told of the rows of each step */
export async function remakeRows(core: Core, made: (rows: readonly StoredRow[], gone: readonly DocumentId[]) => Promise<void>): Promise<void> {
	const { rows: stored = {} } = await core.read((reads) => reads.meta());
	const outdated = KINDS.filter((kind) => stored[kind] !== ROW_VERSIONS[kind]);
	for (const [index, kind] of outdated.entries()) {
		const ids = (await core.read((reads) => reads.rowsOf(kind))).map(({ id }) => id);
		const step = kindNamed(kind).content ? PAGES_AT_ONCE : RECORDS_AT_ONCE;
		for (let from = 0; from < ids.length; from += step) {
			if (core.closed) return;
			const { rows, gone } = await core.transact((tx) => refreshRows(core, tx, ids.slice(from, from + step)));
			if (rows.length + gone.length > 0) await made(rows, gone);
		}
		// What had no rows is noted along with what comes after it: a new device writes once.
		if (ids.length === 0 && index < outdated.length - 1) continue;
		if (core.closed) return;
		const done = Object.fromEntries(outdated.slice(0, index + 1).map((one) => [one, ROW_VERSIONS[one]]));
		await core.transact(async (tx) => {
			const meta = await tx.meta();
			await tx.setMeta({ ...meta, rows: { ...meta.rows, ...done } });
		});
	}
}

/** Kinds whose rows a relay makes by another version than this app: theirs are not used, the device makes its own. */
export function kindsOfOthers(relay: Readonly<Record<string, number>> | undefined): ReadonlySet<KindName> {
	return new Set(relay ? KINDS.filter((kind) => relay[kind] !== ROW_VERSIONS[kind]) : []);
}
