/** The list of people as it is asked for: who, in which department, by which words, in which order. One per opened screen, so that it stays while tabs change. */
import type { EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import type { PersonId } from '#crdt-model/ids.ts';
import { preferences } from '#lib/shell/preferences.svelte.ts';
import { fold } from '#lib/ui/Combobox.svelte';
import type { Company } from './company.svelte.ts';
import { departmentsOf, nameOf } from './structure.ts';

/** `invited` and `waiting` are no people yet: they come from the relay and have lists of their own. */
export const WHICH = ['active', 'online', 'administrators', 'dismissed', 'invited', 'waiting'] as const;
export type Which = (typeof WHICH)[number];
export const SORTS = ['name', 'department', 'position', 'newest'] as const;
export type Sort = (typeof SORTS)[number];

/** What a search looks through, made once per row: ten thousand are folded at the first letter and never again. */
const haystacks = new WeakMap<EmployeeRow, string>();
export function haystackOf(person: EmployeeRow): string {
	let haystack = haystacks.get(person);
	if (haystack === undefined) haystacks.set(person, (haystack = fold(`${nameOf(person)} ${person.position ?? ''} ${person.email} ${person.phone ?? ''}`)));
	return haystack;
}
/** Rows folded in one idle moment: some milliseconds. */
const WARM_AT_ONCE = 500;
/** Folds all of them while nothing else is to be done, so that the first letter of a search waits for none. @returns how to stop */
export function warmHaystacks(people: readonly EmployeeRow[]): () => void {
	// Safari has no idle moments: a timer after the screen has been drawn is near enough.
	const soon = (run: () => void): number => (typeof requestIdleCallback === 'function' ? requestIdleCallback(run) : window.setTimeout(run, 50));
	const cancel = (handle: number): void => (typeof cancelIdleCallback === 'function' ? cancelIdleCallback(handle) : clearTimeout(handle));
	let at = 0;
	const some = (): void => {
		for (const end = at + WARM_AT_ONCE; at < end && at < people.length; at++) haystackOf(people[at]!);
		if (at < people.length) handle = soon(some);
	};
	let handle = soon(some);
	return () => cancel(handle);
}
export const wordsOf = (text: string): string[] => fold(text).split(/\s+/u).filter(Boolean);

export class PeopleList {
	readonly #company: Company;
	which = $state<Which>('active');
	text = $state('');
	/** A department's id; empty for all. */
	department = $state('');
	/** With the people of the departments below it. */
	below = $state(true);
	sort = $state<Sort>('name');

	constructor(company: Company) {
		this.#company = company;
	}

	readonly words = $derived.by(() => wordsOf(this.text));
	readonly dismissed = $derived.by(() => {
		void this.#company.structure;
		const order = new Intl.Collator(preferences.locale, { numeric: true });
		return [...this.#company.directory.people].filter((one) => !one.active).sort((a, b) => order.compare(a.lastName, b.lastName) || order.compare(a.firstName, b.firstName));
	});
	readonly administrators = $derived.by(() => this.#company.structure.people.filter((one) => one.administrator));
	/** Null where nobody can say who is online. */
	readonly online = $derived.by(() => {
		const { workspace, structure } = this.#company;
		return workspace.online === null ? null : structure.people.filter((one) => workspace.isOnline(one.id as PersonId));
	});

	/** By name where nothing else is asked, which is the order that they come in. */
	readonly shown = $derived.by((): readonly EmployeeRow[] => {
		const { structure } = this.#company;
		const all = { active: structure.people, online: this.online ?? [], administrators: this.administrators, dismissed: this.dismissed, invited: [], waiting: [] }[this.which];
		const within = this.#within();
		const found = all.filter((person) => (within === null || person.departments.some((id) => within.has(id))) && (this.words.length === 0 || this.#fits(person)));
		return this.#sorted(found);
	});

	#fits(person: EmployeeRow): boolean {
		const haystack = haystackOf(person);
		return this.words.every((word) => haystack.includes(word));
	}

	#within(): ReadonlySet<string> | null {
		const top = this.#company.structure.byId.get(this.department);
		if (!top) return null;
		const ids = new Set<string>();
		const open = [top];
		for (let node = open.pop(); node; node = open.pop()) {
			ids.add(node.id);
			if (this.below) open.push(...node.children);
		}
		return ids;
	}

	#sorted(people: readonly EmployeeRow[]): readonly EmployeeRow[] {
		if (this.sort === 'name') return people;
		if (this.sort === 'newest') return people.toSorted((a, b) => b.createdAt - a.createdAt);
		const order = new Intl.Collator(preferences.locale, { numeric: true });
		const { structure } = this.#company;
		const key = this.sort === 'position' ? (one: EmployeeRow) => one.position ?? '' : (one: EmployeeRow) => departmentsOf(structure, one)[0]?.label ?? '';
		// Without one they come last. Sorting is stable: within one, by name.
		return people
			.map((one) => [key(one), one] as const)
			.sort(([a], [b]) => Number(a === '') - Number(b === '') || order.compare(a, b))
			.map(([, one]) => one);
	}
}
