/** What cards of Set aside and of proposals need to speak in names: the records that they mention, while this device has them. */
import { kindOf, type DepartmentId, type DocumentId } from '#crdt-model/ids.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import { settingsOf } from '#lib/sync/live-rows.svelte.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import type { FieldWords } from './fields.ts';

export interface Mentioned {
	readonly words: FieldWords;
	row(id: DocumentId): BaseRow | undefined;
}

/** The ids of documents in anything that survives JSON. */
export function idsIn(value: unknown): DocumentId[] {
	return (JSON.stringify(value).match(/[a-z]+_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu) ?? []).filter((id) => kindOf(id) !== null) as DocumentId[];
}

export function titleOfRow(row: BaseRow | undefined): string | null {
	if (!row) return null;
	const { title, name, company, firstName, lastName } = row as BaseRow & Record<string, string | undefined>;
	return title ?? name ?? company ?? ([firstName, lastName].filter(Boolean).join(' ') || null);
}

/** Call it while a component is set up. */
export function mentioned(workspace: Workspace, ids: () => readonly DocumentId[]): Mentioned {
	const named = $derived([...new Set<string>(ids())].sort().join());
	const rows = workspace.live<ReadonlyMap<DocumentId, BaseRow>>(() => {
		const asked = named === '' ? [] : (named.split(',') as DocumentId[]);
		return async () => {
			const found = new Map<DocumentId, BaseRow>();
			for (const id of asked) {
				const kind = kindOf(id);
				const row = kind && (await workspace.rows(kind).get(id as never));
				if (row) found.set(id, row as BaseRow);
			}
			return found;
		};
	}, new Map());
	return {
		row: (id) => rows.current.get(id),
		words: {
			get currency() {
				return settingsOf(workspace)?.currency ?? 'EUR';
			},
			nameOf: (person) => workspace.nameOf(person),
			departmentOf: (id: DepartmentId) => {
				void workspace.structure;
				return workspace.replica.directory.department(id)?.name ?? '';
			},
			titleOf: (id) => titleOfRow(rows.current.get(id))
		}
	};
}
