/** The company as its screen shows it, and what the person is being asked there; one per opened screen. */
import type { DepartmentId } from '#crdt-model/ids.ts';
import type { EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import { preferences } from '#lib/shell/preferences.svelte.ts';
import { liveRows } from '#lib/sync/live-rows.svelte.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import type { PersonAt } from './changes.ts';
import { structureOf, type DepartmentNode } from './structure.ts';

/** The dialog that is open over the screen. */
export type Asked =
	| { readonly what: 'nothing' }
	| { readonly what: 'new-department'; readonly parent: DepartmentId }
	| { readonly what: 'change-department'; readonly node: DepartmentNode }
	| { readonly what: 'move-department'; readonly node: DepartmentNode }
	| { readonly what: 'delete-department'; readonly node: DepartmentNode }
	/** `to` is chosen already: dropped by a finger, which has no Shift. */
	| { readonly what: 'move-people'; readonly people: readonly PersonAt[]; readonly to?: DepartmentNode }
	| { readonly what: 'administrator'; readonly person: EmployeeRow }
	| { readonly what: 'dismiss'; readonly person: EmployeeRow }
	| { readonly what: 'rehire'; readonly person: EmployeeRow }
	| { readonly what: 'invite'; readonly into: string };

export class Company {
	readonly workspace: Workspace;
	readonly #employees;
	readonly #departments;
	asked = $state.raw<Asked>({ what: 'nothing' });

	constructor(workspace: Workspace) {
		this.workspace = workspace;
		this.#employees = liveRows(workspace, 'employee');
		this.#departments = liveRows(workspace, 'department');
	}

	get directory() {
		return this.workspace.replica.directory;
	}
	/** False until the device's database has answered. */
	get ready(): boolean {
		return this.#employees.ready;
	}

	// The directory's own version counts what changes rights; names and positions are read from the rows.
	readonly structure = $derived.by(() => {
		void this.workspace.structure;
		void this.#employees.current;
		void this.#departments.current;
		return structureOf(this.directory, preferences.locale);
	});
	/** Changing the structure is theirs; everybody else reads it. */
	readonly mayChange = $derived.by(() => {
		void this.structure;
		return this.workspace.viewer === null && this.directory.isAdministrator(this.workspace.person);
	});

	ask(asked: Asked): void {
		this.asked = asked;
	}
	done(): void {
		this.asked = { what: 'nothing' };
	}
}
