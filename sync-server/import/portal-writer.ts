/**
 * How an import writes: commands with fresh ids, submitted in the authors' names by the relay's own authority.
 *
 * Promises: a refusal is a fault with one line (everything was checked while planning); between batches other work gets its turn.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { DocumentId, IdMaker, PersonId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { AnswerResult } from '#crdt-model/wire/down.ts';
import type { Portal } from '../room/portal.ts';

/** So many are decided between two breaths: some 50 ms of the event loop, in pieces of one author each. */
const SLICE_COMMANDS = 500;

export interface Draft {
	readonly author: PersonId;
	readonly command: Command;
}

export class PortalWriter {
	readonly portal: Portal;
	readonly ids: IdMaker;
	readonly now: number;
	commands = 0;

	/** @param now when the import began, in milliseconds since 1970 */
	constructor(portal: Portal, ids: IdMaker, now: number) {
		this.portal = portal;
		this.ids = ids;
		this.now = now;
	}

	/** @param seen the commands whose values this one replaces, by path */
	command(document: DocumentId, name: string, args: unknown, at = this.now, seen: Command['seen'] = {}): Command {
		return { id: this.ids.command(), document, name, args, at: Math.max(0, Math.min(at, this.now)), seen };
	}

	/** One batch, whole or not at all. */
	async submit(author: PersonId, commands: readonly Command[]): Promise<void> {
		accepted(await this.portal.submitAsRelay({ commands }, author));
		this.commands += commands.length;
	}

	/** Many commands on different records: order is kept in the main, each author's go as one batch per slice. */
	async submitAll(drafts: readonly Draft[]): Promise<void> {
		for (let from = 0; from < drafts.length; from += SLICE_COMMANDS) {
			const byAuthor = new Map<PersonId, Command[]>();
			for (const { author, command } of drafts.slice(from, from + SLICE_COMMANDS)) {
				const batch = byAuthor.get(author);
				if (batch) batch.push(command);
				else byAuthor.set(author, [command]);
			}
			await Promise.all([...byAuthor].map(([author, commands]) => this.submit(author, commands)));
			await breathe();
		}
	}

	/** The content of a page, as that person's own edit. */
	async edit(person: PersonId, page: DocumentId, updates: readonly Uint8Array[]): Promise<void> {
		for (const bytes of updates) {
			const { result, durable } = await this.portal.admitUpdate(person, page, bytes, null);
			accepted(result);
			await durable;
			await breathe();
		}
	}
}

function accepted(result: AnswerResult): void {
	if (result.kind === 'refused') throw new Error(`the import was refused half-way: ${result.refusal.code} ${result.refusal.detail}`);
}
