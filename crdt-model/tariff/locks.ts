/**
 * Which features a tariff may leave out, as locks on what commands leave behind (SPEC T5). The relay's gate and the device ask the same function,
 * so a button that the tariff locks is grey and its command refused. A lock keeps new use out: what is there stays, and giving back is free.
 */
import type { EmployeeRow, SettingsRow } from '../kinds/company-structure.ts';
import type { KindName } from '../ids.ts';
import type { BaseRow } from '../record/kind.ts';
import type { Feature } from './plans.ts';

interface Lock<Row extends BaseRow = BaseRow> {
	readonly feature: Feature;
	readonly kind: KindName;
	/** Whether the command makes more use of the feature than there was. */
	uses(before: Row | null, next: Row): boolean;
}

const lock = <Row extends BaseRow>(one: Lock<Row>): Lock => one as unknown as Lock;

/** A module that a tariff may leave out adds its line here. */
const LOCKS: readonly Lock[] = [
	lock<SettingsRow>({ feature: 'workingHours', kind: 'settings', uses: (before, next) => next.workingHours !== null && !same(before?.workingHours, next.workingHours) }),
	lock<SettingsRow>({ feature: 'ownDomain', kind: 'settings', uses: (before, next) => next.domain !== null && before?.domain !== next.domain }),
	lock<EmployeeRow>({ feature: 'extranet', kind: 'employee', uses: (before, next) => isGuest(next) && !(before && isGuest(before)) })
];

const LOCKED_KINDS: ReadonlySet<KindName> = new Set(LOCKS.map(({ kind }) => kind));

/** Whether a tariff locks anything of a record; of all others nothing need be asked. */
export function isLockable({ kind }: BaseRow): boolean {
	return LOCKED_KINDS.has(kind);
}

/** The first feature that a change would use and that is not among those that the plan has; null where nothing is locked. */
export function lockedFeature(before: BaseRow | null, next: BaseRow, features: readonly Feature[], locks: readonly Lock[] = LOCKS): Feature | null {
	for (const { feature, kind, uses } of locks) if (next.kind === kind && !features.includes(feature) && uses(before, next)) return feature;
	return null;
}

function isGuest(row: EmployeeRow): boolean {
	return row.active && row.guest;
}

function same(a: unknown, b: unknown): boolean {
	return JSON.stringify(a) === JSON.stringify(b);
}
