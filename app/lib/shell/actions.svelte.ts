/**
 * What can be made and reached from anywhere: features register here, the command palette, `c` and the create button read here.
 *
 * Labels are functions, so that they follow the language. Every `register…` returns the way to take it back, and may be called
 * in an effect (`$effect(() => actions.registerCreate(…))`): reading what is registered so far does not make the effect depend on it.
 */
import { untrack } from 'svelte';
import type { ServiceId } from '#crdt-model/kinds/services.ts';
import type { IconComponent } from '#lib/ui/icon.ts';
import { sections, type SectionId } from './sections.ts';
import { services } from './services.svelte.ts';

export interface CreateAction {
	id: string;
	/** "New task". */
	label: () => string;
	icon: IconComponent;
	/** `c` makes this while its section is open. */
	section: SectionId;
	/** Where it is of another service than its section. */
	service?: ServiceId;
	/** More words that find it in the palette. */
	words?: () => string;
	run: () => void;
}

export interface PaletteEntry {
	id: string;
	label: () => string;
	icon?: IconComponent;
	group?: () => string;
	keys?: string;
	words?: () => string;
	when?: () => boolean;
	run: () => void;
}

/** A record that the search of the device found. */
export interface FoundRecord {
	id: string;
	label: string;
	/** "Task · Ana Pop", shown beside it. */
	hint?: string;
	icon?: IconComponent;
	href: string;
}
export type RecordSearch = (query: string, signal: AbortSignal) => Promise<readonly FoundRecord[]>;

class Actions {
	#creates = $state.raw<readonly CreateAction[]>([]);
	#entries = $state.raw<readonly PaletteEntry[]>([]);
	#search = $state.raw<RecordSearch | undefined>(undefined);

	/** Without what is of a service that is switched off. */
	get creates(): readonly CreateAction[] {
		return this.#creates.filter(({ section, service }) => !services.isOff(service ?? sections.find(({ id }) => id === section)?.service));
	}
	get entries(): readonly PaletteEntry[] {
		return this.#entries;
	}
	get search(): RecordSearch | undefined {
		return this.#search;
	}
	createIn(section: SectionId | undefined): CreateAction | undefined {
		return this.creates.find((action) => action.section === section);
	}

	registerCreate(action: CreateAction): () => void {
		this.#creates = [...untrack(() => this.#creates).filter((one) => one.id !== action.id), action];
		return () => {
			this.#creates = untrack(() => this.#creates).filter((one) => one !== action);
		};
	}
	registerEntries(entries: readonly PaletteEntry[]): () => void {
		this.#entries = [...untrack(() => this.#entries), ...entries];
		return () => {
			this.#entries = untrack(() => this.#entries).filter((one) => !entries.includes(one));
		};
	}
	/** One search serves the app: the device's index. */
	provideSearch(search: RecordSearch): () => void {
		this.#search = search;
		return () => {
			if (untrack(() => this.#search) === search) this.#search = undefined;
		};
	}
}

export const actions = new Actions();
