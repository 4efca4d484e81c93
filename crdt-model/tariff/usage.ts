/**
 * What a portal uses of its tariff, reckoned from records: people and bytes. The relay keeps the sums as counters of its log, changed with the
 * entries that cause them; `verify` and a portal's first opening reckon them anew from the rows. Both use this one function.
 */
import type { KindName } from '../ids.ts';
import type { BaseRow } from '../record/kind.ts';
import type { EmployeeRow } from '../kinds/company-structure.ts';
import type { FileRow } from '../kinds/file.ts';

/** How much is used of each limit. */
export interface Usage {
	readonly people: number;
	readonly storageBytes: number;
}
export const NOTHING_USED: Usage = { people: 0, storageBytes: 0 };

/** Names in `LogHead.counters`, apart from the kinds whose numbers are counted there. */
export const USAGE_COUNTERS = { people: 'quota:people', storageBytes: 'quota:bytes' } as const satisfies Record<keyof Usage, string>;
/** The kind from whose rows each is reckoned. */
export const USAGE_KINDS = { people: 'employee', storageBytes: 'file' } as const satisfies Record<keyof Usage, KindName>;

/** Whether a record takes room under a tariff. */
export function isCounted({ kind }: BaseRow): boolean {
	return kind === USAGE_KINDS.people || kind === USAGE_KINDS.storageBytes;
}

/**
 * An active employee takes a seat, a guest too; a dismissed one does not. A file takes its bytes from the acceptance of its record on, before they
 * have come; a deleted one gives them back, and takes them again when it is restored.
 */
export function usageOf(row: BaseRow | null): Usage {
	if (row?.kind === 'employee') return (row as EmployeeRow).active ? { people: 1, storageBytes: 0 } : NOTHING_USED;
	if (row?.kind === 'file' && !row.deleted) return { people: 0, storageBytes: (row as FileRow).size };
	return NOTHING_USED;
}

export function plus(a: Usage, b: Usage): Usage {
	return b === NOTHING_USED ? a : { people: a.people + b.people, storageBytes: a.storageBytes + b.storageBytes };
}

export function usageOfAll(rows: Iterable<BaseRow>): Usage {
	let all = NOTHING_USED;
	for (const row of rows) all = plus(all, usageOf(row));
	return all;
}
