/** Who has access to a document or file, and what this person may change of it: the rule book's answers as screens need them. Pure. */
import { diskLevel } from '#crdt-model/access/disk.ts';
import type { Directory } from '#crdt-model/access/directory.ts';
import type { Recipient } from '#crdt-model/access/recipients.ts';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { DISK_LEVELS, type DiskLevel, type Grants } from '#crdt-model/kinds/grants.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import type { PageRow, TextRow } from '#crdt-model/kinds/page.ts';

export type Shared = PageRow | TextRow | FileRow;
export interface Access {
	/** This person's own level; null where none applies. */
	readonly mine: DiskLevel | null;
	readonly mayGrant: boolean;
	readonly mayTakeBack: boolean;
	/** Levels that this person may give to somebody who has `now` (null: nothing yet). */
	levels(now: DiskLevel | null): readonly DiskLevel[];
}

const rank = (level: DiskLevel | null): number => (level === null ? -1 : DISK_LEVELS.indexOf(level));

export function accessOf(directory: Directory, person: PersonId, row: Shared): Access {
	const mine = row.place === 'record' ? null : (diskLevel({ person, principals: directory.principalsOf(person) }, row)?.level ?? null);
	const mayGrant = rank(mine) >= rank('share') && !row.deleted;
	const mayTakeBack = mine === 'full' && !row.deleted;
	return {
		mine,
		mayGrant,
		mayTakeBack,
		levels: (now) => (mayTakeBack ? DISK_LEVELS : DISK_LEVELS.filter((level) => rank(level) <= rank(mine) && rank(level) >= rank(now)))
	};
}

/** Granted by name, the highest first. */
export function grantsInOrder(grants: Grants): readonly (readonly [Recipient, DiskLevel])[] {
	return (Object.entries(grants) as [Recipient, DiskLevel][]).sort(([a, x], [b, y]) => rank(y) - rank(x) || (a < b ? -1 : 1));
}

/** Whether the place gives the recipient as much already: then the grant says nothing new. */
export function saysNothing(row: Shared, level: DiskLevel): boolean {
	return row.place === 'company' && rank(level) <= rank('edit');
}

export type SharedId = DocumentId<'page' | 'text' | 'file'>;
