/** The company as its screen shows it, and what the person is being asked there; one per opened screen. */
import { mayInvite } from '#crdt-model/access/entrusted.ts';
import type { DepartmentId } from '#crdt-model/ids.ts';
import type { EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import { preferences } from '#lib/shell/preferences.svelte.ts';
import { liveRows, settingsOf } from '#lib/sync/live-rows.svelte.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import type { PersonAt } from './changes.ts';
import { InviteDraft } from './invite/draft.svelte.ts';
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
	| { readonly what: 'erase'; readonly person: EmployeeRow }
	| { readonly what: 'sessions'; readonly person: EmployeeRow }
	| { readonly what: 'second-factor'; readonly person: EmployeeRow }
	/** `into`: the department in which they land; empty for none. */
	| { readonly what: 'invite'; readonly into: string };

/** The one menu of the screen that says what to do with a person: whose, and where it opens. */
export interface PersonMenuAt {
	readonly person: EmployeeRow;
	/** The department that the line stands in; null in a list without departments. */
	readonly at: DepartmentNode | null;
	/** In pixels of the window. */
	readonly x: number;
	readonly y: number;
	/** Gets the focus back. */
	readonly from: HTMLElement | null;
}

export class Company {
	readonly workspace: Workspace;
	readonly #employees;
	readonly #departments;
	asked = $state.raw<Asked>({ what: 'nothing' });
	menu = $state.raw<PersonMenuAt | null>(null);
	/** What was typed into the dialog of inviting. */
	readonly invite = new InviteDraft();

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

	/** Administrators, and whom the settings name beside them. */
	readonly mayInvite = $derived.by(() => {
		void this.structure;
		const { viewer, person } = this.workspace;
		return viewer === null && mayInvite({ person, principals: this.directory.principalsOf(person) }, settingsOf(this.workspace) ?? null);
	});

	/** Administrators everywhere; who may invite beside them: into their own departments and those below one that they lead, as the relay judges it. */
	mayPutInto(department: DepartmentId): boolean {
		if (this.mayChange) return true;
		const { directory } = this;
		const { person } = this.workspace;
		return directory.departmentsOf(person).has(department) || directory.standingChainOf(department).some((id) => directory.leads(person, id));
	}

	/** Opens the menu of a person at the pointer, or at an element. */
	showMenu(person: EmployeeRow, at: DepartmentNode | null, place: { x: number; y: number } | Element, from: HTMLElement | null): void {
		const { x, y } = place instanceof Element ? { x: place.getBoundingClientRect().left, y: place.getBoundingClientRect().bottom } : place;
		this.menu = { person, at, x, y, from };
	}

	ask(asked: Asked): void {
		this.asked = asked;
	}
	done(): void {
		this.asked = { what: 'nothing' };
	}
}
