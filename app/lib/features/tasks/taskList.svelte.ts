/**
 * What the task screen shows: which tasks, in what order, under which headings, and which of them are selected.
 * Everything follows the device's rows; nothing here waits for the network.
 */
import type { PersonId } from '#crdt-model/ids.ts';
import { TASK_STATES, type TaskRow, type TaskState } from '#crdt-model/kinds/task.ts';
import { endOfWeek, todayIs } from '#lib/shell/days.svelte.ts';
import { portalFormats } from '#lib/shell/formats.svelte.ts';
import type { LiveRows } from '#lib/sync/live-rows.svelte.ts';
import { liveRows } from '#lib/sync/live-rows.svelte.ts';
import { InOrder } from '#lib/sync/in-order.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import { fold } from '#lib/ui/Combobox.svelte';
import { isOverdue } from './dates.ts';

export type Task = StoredRow<TaskRow>;
export const SCOPES = ['mine', 'watched', 'all'] as const;
export type Scope = (typeof SCOPES)[number];
export type View = 'list' | 'board';
export const GROUPS = ['overdue', 'today', 'week', 'later', 'none', 'deferred', 'done'] as const;
export type Group = (typeof GROUPS)[number];

export type Line = { readonly key: string; readonly task: Task } | { readonly key: string; readonly heading: Group; readonly count: number };

const KEPT = 'atrium.tasks';

export class TaskList {
	#view = $state<View>('list');
	#scope = $state<Scope>('mine');
	#folded = $state.raw<ReadonlySet<Group>>(new Set<Group>(['done', 'deferred']));
	#selected = $state.raw<ReadonlySet<string>>(new Set());
	text = $state('');
	person = $state.raw<PersonId | null>(null);
	readonly #rows: LiveRows<'task'>;
	readonly #me: PersonId;

	constructor(workspace: Workspace) {
		this.#rows = liveRows(workspace, 'task');
		this.#me = workspace.person;
		const kept = recall();
		if (kept.view === 'board') this.#view = 'board';
		if (SCOPES.includes(kept.scope as Scope)) this.#scope = kept.scope as Scope;
	}

	get ready(): boolean {
		return this.#rows.ready;
	}
	get view(): View {
		return this.#view;
	}
	set view(view: View) {
		this.#view = view;
		this.#remember();
	}
	get scope(): Scope {
		return this.#scope;
	}
	set scope(scope: Scope) {
		this.#scope = scope;
		this.#remember();
	}

	readonly #order = new InOrder<Task>(inOrder);
	readonly #finished = { groups: new InOrder<Task>(latestFirst), columns: new InOrder<Task>(latestFirst) };
	/** In the order of the list; whatever is chosen from it is in order too. */
	readonly #standing = $derived.by(() => this.#order.of(this.#rows.current.filter((row) => !row.deleted)));
	/** Whether the device holds any task at all. */
	readonly isEmpty = $derived.by(() => this.#standing.length === 0);
	readonly counts = $derived.by((): Readonly<Record<Scope, number>> => {
		const counts = { mine: 0, watched: 0, all: 0 };
		for (const row of this.#standing) {
			if (row.state === 'done' || row.state === 'deferred') continue;
			for (const scope of SCOPES) if (this.#isIn(row, scope)) counts[scope]++;
		}
		return counts;
	});
	/** Whether a filter beyond the scope hides something. */
	readonly isFiltered = $derived.by(() => this.text.trim() !== '' || this.person !== null);

	readonly shown = $derived.by((): readonly Task[] => {
		const words = fold(this.text).split(/\s+/u).filter(Boolean);
		const { person } = this;
		return this.#standing.filter(
			(row) =>
				this.#isIn(row, this.#scope) &&
				(person === null || row.responsible === person || row.participants.includes(person)) &&
				(words.length === 0 || matches(row, words))
		);
	});

	readonly groups = $derived.by((): ReadonlyMap<Group, readonly Task[]> => {
		const today = todayIs();
		const lastOfWeek = endOfWeek(today, portalFormats().weekStart);
		const groups = new Map<Group, Task[]>(GROUPS.map((group) => [group, []]));
		for (const row of this.shown) groups.get(groupOf(row, today, lastOfWeek))!.push(row);
		return groups.set('done', [...this.#finished.groups.of(groups.get('done')!)]);
	});
	/** A search shows its hits wherever they are: nothing is folded then. */
	readonly lines = $derived.by((): readonly Line[] => {
		const searching = this.text.trim() !== '';
		const lines: Line[] = [];
		for (const [group, rows] of this.groups) {
			if (rows.length === 0) continue;
			lines.push({ key: group, heading: group, count: rows.length });
			if (searching || !this.#folded.has(group)) for (const task of rows) lines.push(lineOf(task));
		}
		return lines;
	});
	readonly columns = $derived.by((): ReadonlyMap<TaskState, readonly Task[]> => {
		const columns = new Map<TaskState, Task[]>(TASK_STATES.map((state) => [state, []]));
		for (const row of this.shown) columns.get(row.state)!.push(row);
		return columns.set('done', [...this.#finished.columns.of(columns.get('done')!)]);
	});

	isFolded(group: Group): boolean {
		return this.#folded.has(group);
	}
	fold(group: Group): void {
		this.#folded = toggled(this.#folded, group);
	}

	/** Only what is still shown counts as selected: nobody changes what they do not see. */
	readonly selected = $derived.by((): readonly Task[] => (this.#selected.size === 0 ? [] : this.shown.filter((row) => this.#selected.has(row.id))));
	get selectedIds(): ReadonlySet<string> {
		return this.#selected;
	}
	select(id: string): void {
		this.#selected = toggled(this.#selected, id);
	}
	clearSelection(): void {
		this.#selected = new Set();
	}
	clearFilter(): void {
		this.text = '';
		this.person = null;
	}

	#isIn(row: TaskRow, scope: Scope): boolean {
		if (scope === 'all') return true;
		const mine = row.responsible === this.#me || row.participants.includes(this.#me);
		// What I gave to others I watch as well.
		return scope === 'mine' ? mine : row.observers.includes(this.#me) || (row.createdBy === this.#me && !mine);
	}

	#remember(): void {
		try {
			localStorage.setItem(KEPT, JSON.stringify({ view: this.#view, scope: this.#scope }));
		} catch {
			// Storage is forbidden: kept for this visit.
		}
	}
}

function recall(): { view?: unknown; scope?: unknown } {
	try {
		return (JSON.parse(localStorage.getItem(KEPT) ?? 'null') as object | null) ?? {};
	} catch {
		return {};
	}
}

/** One for each state of a row, so that a line in sight is drawn again only if its task changed. */
const lineFor = new WeakMap<Task, Line>();
function lineOf(task: Task): Line {
	let line = lineFor.get(task);
	if (!line) lineFor.set(task, (line = { key: task.id, task }));
	return line;
}

const folded = new WeakMap<TaskRow, string>();
function matches(row: TaskRow, words: readonly string[]): boolean {
	let text = folded.get(row);
	if (text === undefined) folded.set(row, (text = `${fold(row.title)} #${row.number ?? ''}`));
	for (const word of words) if (!text.includes(word)) return false;
	return true;
}

function groupOf(row: TaskRow, today: string, lastOfWeek: string): Group {
	if (row.state === 'done' || row.state === 'deferred') return row.state;
	if (row.deadline === null) return 'none';
	if (isOverdue(row, today)) return 'overdue';
	if (row.deadline === today) return 'today';
	return row.deadline <= lastOfWeek ? 'week' : 'later';
}

/** By deadline, those without one last; then the important; then the newest. */
function inOrder(a: TaskRow, b: TaskRow): number {
	if (a.deadline !== b.deadline) return a.deadline === null ? 1 : b.deadline === null ? -1 : a.deadline < b.deadline ? -1 : 1;
	if (a.priority !== b.priority) return a.priority === 'high' ? -1 : 1;
	return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}

function latestFirst(a: TaskRow, b: TaskRow): number {
	return b.updatedAt - a.updatedAt || (a.id < b.id ? 1 : -1);
}

function toggled<T>(set: ReadonlySet<T>, one: T): ReadonlySet<T> {
	const next = new Set(set);
	if (!next.delete(one)) next.add(one);
	return next;
}
