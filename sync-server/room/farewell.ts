/**
 * The last contact of a dismissed person (P3): what was theirs and not sent yet goes to their head as proposals; then their device wipes itself.
 *
 * Promises: nothing of it is applied: each piece is a proposal in the person's name, which somebody applies under their own rights or declines. A
 * piece stands on the record that it is about where the heir reads that, else on a task that is made for it, so that nobody learns what they may not read and
 * nothing lies where nobody looks. A piece that does not fit is counted and left out, and the others come.
 * Leaves to others: who may call it and how often (rest/farewell.ts).
 */
import type { DocumentId, IdMaker, PersonId } from '#crdt-model/ids.ts';
import type { Language } from '#crdt-model/kinds/company-structure.ts';
import type { PageRow } from '#crdt-model/kinds/page.ts';
import type { ProposedCommand } from '#crdt-model/kinds/proposal.ts';
import type { Portal } from './portal.ts';

export interface FarewellItem {
	readonly document: DocumentId;
	readonly commands?: readonly ProposedCommand[] | undefined;
	readonly text?: string | undefined;
}
export interface Farewell {
	readonly heir: PersonId;
	readonly proposed: number;
	/** Pieces that are no proposal: malformed, or too large for one. */
	readonly leftOut: number;
}

const TITLES: Readonly<Record<Language, (name: string) => string>> = {
	en: (name) => `Unsent work of ${name}`,
	ro: (name) => `Lucru netrimis al lui ${name}`
};

/** @returns null where nobody is there to take it */
export async function takeFarewell(portal: Portal, person: PersonId, items: readonly FarewellItem[], ids: IdMaker): Promise<Farewell | null> {
	const heir = heirOf(portal, person);
	if (!heir) return null;
	let proposed = 0;
	let handOver: DocumentId | null = null;
	for (const { document, commands, text } of items) {
		const target = (await readableTarget(portal, heir, document)) ?? (handOver ??= await handOverTask(portal, person, heir, ids));
		const args = JSON.parse(JSON.stringify({ target, commands, text })) as unknown;
		const id = ids.document('proposal');
		const result = await portal.submitAsRelay({ commands: [{ id: ids.command(), document: id, name: 'proposal.create', args, at: portal.now(), seen: {} }] }, person);
		if (result.kind === 'accepted') proposed++;
	}
	return { heir, proposed, leftOut: items.length - proposed };
}

/** The head of the person's own department, else of one above, else whoever administers. */
export function heirOf({ directory }: Portal, person: PersonId): PersonId | null {
	const isThere = (id: PersonId | null | undefined): id is PersonId => id !== null && id !== undefined && id !== person && directory.isEmployee(id);
	for (const own of directory.person(person)?.departments ?? []) {
		const seen = new Set<DocumentId>();
		for (let at = directory.department(own); at && !seen.has(at.id); at = at.parent === null ? undefined : directory.department(at.parent)) {
			seen.add(at.id);
			const heir = [at.head, ...at.deputies].find(isThere);
			if (heir) return heir;
		}
	}
	return ([...directory.people].find(({ id, administrator }) => administrator && isThere(id as PersonId))?.id as PersonId | undefined) ?? null;
}

/** A page that hangs on a record is spoken of by the record. */
async function readableTarget(portal: Portal, heir: PersonId, document: DocumentId): Promise<DocumentId | null> {
	const row = (await portal.read(heir, document))?.row;
	if (!row || row.kind === 'proposal') return null;
	return row.kind === 'page' && (row as PageRow).place === 'record' ? (row as PageRow).on : row.id;
}

/**
 * One for each person, also where two of their devices come: its id follows from theirs. Anybody can reckon that id and lay a task of their own there, so only one
 * of the person's that the heir still reads will do; else another is made.
 */
async function handOverTask(portal: Portal, person: PersonId, heir: PersonId, ids: IdMaker): Promise<DocumentId> {
	const row = portal.directory.person(person);
	const title = TITLES[portal.settings?.language ?? 'en'](row ? `${row.firstName} ${row.lastName}`.trim() : '').slice(0, 200);
	const make = async (id: DocumentId<'task'>) =>
		(await portal.submitAsRelay({ commands: [{ id: ids.command(), document: id, name: 'task.create', args: { title, responsible: heir }, at: portal.now(), seen: {} }] }, person)).kind === 'accepted';
	const own = `task_${person.slice(person.indexOf('_') + 1)}` as DocumentId<'task'>;
	if ((await make(own)) || (await portal.read(heir, own))?.row.createdBy === person) return own;
	const another = ids.document('task');
	await make(another);
	return another;
}
