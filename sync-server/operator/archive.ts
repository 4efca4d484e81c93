/**
 * A portal's file as an auditor reads it: the log in order, and document by document, straight from SQLite.
 *
 * Promises: read-only; everything is of one moment, also while a relay goes on writing (a read transaction of SQLite in WAL mode); rows stream, so
 * memory holds one entry or one document's history. It deliberately shares no code with the store that wrote the file, and asks nothing of
 * a running relay, whose word is what is being checked.
 * Leaves to others: what is right (verify.ts).
 */
import type { Entry } from '#crdt-model/wire/down.ts';
import { DatabaseSync } from 'node:sqlite';
import type { DocumentId, KindName, PersonId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { Restore, RowsMade } from '#storage/contract.ts';
import { SCHEMA_VERSION } from '#storage/sqlite/schema.ts';

export interface ArchivedEntry {
	readonly seq: number;
	readonly document: DocumentId;
	readonly docSeq: number;
	readonly author: PersonId;
	readonly authoredAt: number;
	readonly acceptedAt: number;
	readonly command: Command | null;
	readonly overruled: Entry['overruled'];
	readonly swallowed: Entry['swallowed'];
	readonly rightsVersion: number;
	readonly returned: { readonly docSeq: number; readonly by: PersonId } | null;
	readonly bytes: Uint8Array;
	readonly mac: Uint8Array;
	readonly hash: Uint8Array;
}

export interface ArchivedDocument {
	readonly id: DocumentId;
	readonly kind: KindName;
	readonly docSeq: number;
	readonly seq: number;
	readonly firstSeq: number;
	readonly scope: string;
	readonly audience: readonly string[];
	readonly row: unknown;
	readonly snapshot: { readonly docSeq: number; readonly bytes: Uint8Array } | null;
	/** Who reaches it by the index that is asked for every read. */
	readonly reach: readonly string[];
	/** Who reaches it beside those who reach its scope. */
	readonly beside: readonly string[];
}

export interface ArchivedHead {
	readonly seq: number;
	readonly chain: Uint8Array;
	readonly epoch: number;
	readonly counters: Readonly<Record<string, number>>;
	readonly restores: readonly Restore[];
	readonly rows: RowsMade;
}

/** A file that cannot be read as a portal; the message is the difference that is reported. */
export class Unreadable extends Error {}
/** A file of another release, of which this one cannot say whether it is as it was accepted. */
export class OfAnotherRelease extends Error {}

type LogRow = Omit<ArchivedEntry, 'command' | 'overruled' | 'swallowed' | 'returned'> & {
	readonly command: string;
	readonly overruled: string;
	readonly swallowed: string;
	readonly returned: string;
};

const LOG = `SELECT seq, document, doc_seq AS docSeq, author, authored_at AS authoredAt, accepted_at AS acceptedAt, command, overruled, swallowed,
	rights_version AS rightsVersion, returned, bytes, mac, hash FROM log`;
const DOCUMENTS = `SELECT d.id, d.kind, d.doc_seq AS docSeq, d.seq, d.first_seq AS firstSeq, d.scope, d.audience, d."row" AS row,
	s.doc_seq AS snapshotDocSeq, s.bytes AS snapshot FROM documents d LEFT JOIN snapshots s ON s.document = d.id ORDER BY d.id`;

export class PortalArchive {
	readonly #database: DatabaseSync;

	constructor(file: string) {
		try {
			this.#database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
		} catch (error) {
			throw new Unreadable(`cannot be opened: ${(error as Error).message}`);
		}
		try {
			const { user_version: version } = this.#database.prepare('PRAGMA user_version').get() as { user_version: number };
			if (version !== SCHEMA_VERSION) throw otherSchema(version);
			this.#database.exec('BEGIN');
		} catch (error) {
			this.close();
			throw error instanceof OfAnotherRelease || error instanceof Unreadable ? error : new Unreadable(`cannot be read: ${(error as Error).message}`);
		}
	}

	close(): void {
		this.#database.close();
	}

	/** SQLite's own check of its pages and indexes, or null when it is content. */
	damage(): string | null {
		const [first] = this.#database.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[];
		return first?.quick_check === 'ok' ? null : String(first?.quick_check);
	}

	head(): ArchivedHead {
		const row = this.#database.prepare('SELECT epoch, seq, chain, counters, restores, rows_made AS "rows" FROM head').get() as
			| { epoch: number; seq: number; chain: Uint8Array; counters: string; restores: string; rows: string }
			| undefined;
		if (!row) throw new Unreadable('has no head');
		return { ...row, counters: JSON.parse(row.counters) as Record<string, number>, restores: JSON.parse(row.restores) as Restore[], rows: JSON.parse(row.rows) as RowsMade };
	}

	*entries(): Generator<ArchivedEntry> {
		for (const row of this.#database.prepare(`${LOG} ORDER BY seq`).iterate()) yield entryOf(row as unknown as LogRow);
	}

	*history(document: DocumentId): Generator<ArchivedEntry> {
		for (const row of this.#database.prepare(`${LOG} WHERE document = ? ORDER BY doc_seq`).iterate(document)) yield entryOf(row as unknown as LogRow);
	}

	*documents(): Generator<ArchivedDocument> {
		const reach = this.#database.prepare('SELECT principal FROM reach WHERE scope = ? ORDER BY principal');
		const beside = this.#database.prepare('SELECT principal FROM beside WHERE document = ? ORDER BY principal');
		for (const found of this.#database.prepare(DOCUMENTS).iterate()) {
			const { snapshot, snapshotDocSeq, audience, row, ...head } = found as unknown as Omit<ArchivedDocument, 'snapshot' | 'audience' | 'row' | 'reach' | 'beside'> & {
				audience: string;
				row: string;
				snapshot: Uint8Array | null;
				snapshotDocSeq: number | null;
			};
			yield {
				...head,
				audience: JSON.parse(audience) as string[],
				row: JSON.parse(row) as unknown,
				snapshot: snapshot && snapshotDocSeq !== null ? { docSeq: snapshotDocSeq, bytes: snapshot } : null,
				reach: (reach.all(head.id) as { principal: string }[]).map(({ principal }) => principal),
				beside: (beside.all(head.id) as { principal: string }[]).map(({ principal }) => principal)
			};
		}
	}
}

function otherSchema(version: number): Error {
	// 0 is a file in which no release of ours has made its tables.
	if (version === 0) return new Unreadable('is not a portal of Atrium');
	const which = `its file has version ${version}, and this release reads version ${SCHEMA_VERSION}`;
	return new OfAnotherRelease(
		version < SCHEMA_VERSION
			? `it was written by an older release (${which}). The relay brings it to this version when it next opens it; verify it then`
			: `it was written by a newer release (${which}). Verify it with that one`
	);
}

function entryOf(row: LogRow): ArchivedEntry {
	return {
		...row,
		command: JSON.parse(row.command) as Command | null,
		overruled: JSON.parse(row.overruled) as Entry['overruled'],
		swallowed: JSON.parse(row.swallowed) as Entry['swallowed'],
		returned: JSON.parse(row.returned) as ArchivedEntry['returned']
	};
}
