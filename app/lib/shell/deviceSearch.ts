/**
 * Finds records by their titles, people and departments by their names, among everything on this device, offline. Plain text, accents and case folded, each word anywhere;
 * what begins with the query comes first, then what has a word that begins with it, then the rest, the newest first.
 * Ten thousand titles take some milliseconds: they are folded once, when their row changes.
 */
import FileIcon from '@lucide/svelte/icons/file';
import FileText from '@lucide/svelte/icons/file-text';
import Building from '@lucide/svelte/icons/building-2';
import CircleCheck from '@lucide/svelte/icons/circle-check-big';
import Handshake from '@lucide/svelte/icons/handshake';
import Network from '@lucide/svelte/icons/network';
import UserRound from '@lucide/svelte/icons/user-round';
import UsersRound from '@lucide/svelte/icons/users-round';
import { offServiceOf } from '#crdt-model/access/services.ts';
import type { KindName, PersonId } from '#crdt-model/ids.ts';
import type { RowOf } from '#crdt-model/kinds/index.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import { m } from '#lib/paraglide/messages.js';
import { liveRows } from '#lib/sync/live-rows.svelte.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { fold } from '#lib/ui/Combobox.svelte';
import type { IconComponent } from '#lib/ui/icon.ts';
import type { FoundRecord, RecordSearch } from './actions.svelte.ts';
import { services } from './services.svelte.ts';

const KINDS = ['task', 'deal', 'company', 'page', 'text', 'file', 'employee', 'department', 'group'] as const satisfies readonly KindName[];
type Found = (typeof KINDS)[number];
const MOST = 20;

interface Entry {
	readonly row: BaseRow;
	readonly id: string;
	readonly kind: Found;
	readonly title: string;
	readonly folded: string;
	readonly number: number | null;
	readonly person: PersonId | null;
	readonly updatedAt: number;
}

const look: Record<Found, { icon: IconComponent; word: () => string; href: (id: string) => string }> = {
	task: { icon: CircleCheck, word: m.sync_found_task, href: (id) => `/tasks/${id}` },
	deal: { icon: Handshake, word: m.sync_found_deal, href: (id) => `/crm/${id}` },
	company: { icon: Building, word: m.sync_found_company, href: (id) => `/crm/${id}` },
	page: { icon: FileText, word: m.sync_found_page, href: (id) => `/documents/${id}` },
	text: { icon: FileText, word: m.sync_found_page, href: (id) => `/documents/${id}` },
	file: { icon: FileIcon, word: m.sync_found_file, href: (id) => `/documents/${id}` },
	employee: { icon: UserRound, word: m.sync_found_person, href: (id) => `/company?tab=people&person=${id}` },
	department: { icon: Network, word: m.sync_found_department, href: (id) => `/company?department=${id}` },
	group: { icon: UsersRound, word: m.sync_found_group, href: (id) => `/company?tab=groups&group=${id}` }
};

export function deviceSearch(workspace: Workspace): RecordSearch {
	let entries = new Map<string, Entry>();
	const taken = new Map<Found, unknown>();

	/** Takes over what changed since the last question; rows that are the same object are not folded again. */
	function refresh(): void {
		const rows = KINDS.map((kind) => [kind, liveRows(workspace, kind).current] as const);
		if (rows.every(([kind, current]) => taken.get(kind) === current)) return;
		const next = new Map<string, Entry>();
		for (const [kind, current] of rows) {
			taken.set(kind, current);
			for (const row of current) {
				// A record's own page has the record's title and is found as the record; a face as the person; who was dismissed is in the list of those.
				if (row.deleted || (row.kind === 'employee' && !row.active) || ('on' in row && row.on !== null) || ('place' in row && row.place === 'face')) continue;
				const old = entries.get(row.id);
				next.set(row.id, old?.row === row ? old : entryOf(kind, row));
			}
		}
		entries = next;
	}

	return async (query, signal) => {
		const asked = fold(query.trim().replace(/^#(?=\d)/u, ''));
		const words = asked.split(/\s+/u).filter(Boolean);
		if (words.length === 0) return [];
		for (const kind of KINDS) await untilReady(workspace, kind, signal);
		if (signal.aborted) return [];
		refresh();
		const hits: { entry: Entry; rank: number }[] = [];
		for (const entry of entries.values()) {
			if (offServiceOf(entry.row, services.off) !== null) continue;
			const rank = rankOf(entry, asked, words);
			if (rank < 9) hits.push({ entry, rank });
		}
		hits.sort((a, b) => a.rank - b.rank || b.entry.updatedAt - a.entry.updatedAt);
		return hits.slice(0, MOST).map(({ entry }): FoundRecord => {
			const { icon, word, href } = look[entry.kind];
			const number = entry.number === null ? '' : ` ${entry.number}`;
			const person = workspace.nameOf(entry.person);
			return { id: entry.id, label: entry.title, hint: `${word()}${number}${person ? ` · ${person}` : ''}`, icon, href: href(entry.id) };
		});
	};
}

function entryOf(kind: Found, row: RowOf[Found]): Entry {
	const title = row.kind === 'employee' ? `${row.firstName} ${row.lastName}`.trim() : 'title' in row ? row.title : row.name;
	const person = 'responsible' in row ? (row.responsible as PersonId) : null;
	return { row, id: row.id, kind, title, folded: fold(title), number: row.number, person, updatedAt: row.updatedAt };
}

/** Lower is better; 9 is no hit. */
function rankOf({ folded, number }: Entry, asked: string, words: readonly string[]): number {
	if (number !== null && String(number) === asked) return 0;
	const at = folded.indexOf(asked);
	if (at === 0) return 1;
	if (at > 0 && !/[\p{L}\p{N}]/u.test(folded[at - 1]!)) return 2;
	if (at > 0) return 3;
	return words.every((word) => folded.includes(word)) ? 4 : 9;
}

const WAIT_MS = 20;
async function untilReady(workspace: Workspace, kind: Found, signal: AbortSignal): Promise<void> {
	const rows = liveRows(workspace, kind);
	while (!rows.ready && !signal.aborted && !workspace.outdated) await new Promise((wake) => setTimeout(wake, WAIT_MS));
}
