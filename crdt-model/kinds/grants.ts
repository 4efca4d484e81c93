/** What documents and files share: where they lie, and who was given more than the place gives (access/disk.ts says what each level may). */
import * as v from 'valibot';
import type { Principal } from '../access/principals.ts';
import { isRecipient, type Recipient } from '../access/recipients.ts';
import type { PersonId } from '../ids.ts';
import { command } from '../record/kind.ts';
import { field, recipient, valuesOf } from '../record/parts.ts';
import { keysOf, type RecordState } from '../record/state.ts';

/** From little to much; each holds what those before it hold. */
export const DISK_LEVELS = ['read', 'add', 'edit', 'share', 'full'] as const;
export type DiskLevel = (typeof DISK_LEVELS)[number];

/** Granted levels by recipient; who was never named, or whose grant was taken back, is not in it. */
export type Grants = Readonly<Partial<Record<Recipient, DiskLevel>>>;

/** Null takes the grant back. */
const level = v.nullable(v.picklist(DISK_LEVELS));

export const grantMap = { grants: { isKey: isRecipient, value: field(level) } } as const;
/** Recipients that one document may ever name: its audience is gone through at every change, and who needs more names a department or a workgroup. */
export const MAX_GRANTS = 500;
export const grantCommands = {
	setGrant: command(v.strictObject({ key: recipient, value: level }), (state, { key, value }) => {
		const path = `grants/${key}`;
		const isFull = !state.has(path) && keysOf(state, 'grants').length >= MAX_GRANTS;
		return isFull ? { gone: `room for more than ${MAX_GRANTS} grants` } : [[path, value]];
	})
} as const;
export const grantsOf = (state: RecordState): Grants => valuesOf<Recipient, DiskLevel>(state, 'grants');

/** Who reads what lies in a place of its own: those of the place, and whoever was granted any level. */
export function placedPrincipals(row: { readonly place: string; readonly createdBy: PersonId; readonly grants: Grants }): readonly Principal[] {
	const base: Principal[] = row.place === 'company' ? ['all'] : [`user:${row.createdBy}`, 'admins'];
	const granted = Object.keys(row.grants) as Recipient[];
	return granted.length === 0 ? base : [...new Set([...base, ...granted])];
}
