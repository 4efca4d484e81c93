/**
 * The tables of one portal's file and the steps between their versions. Steps only add: a relay of the version before may still read
 * what a newer one wrote, until a step says otherwise by raising the version, and then it does not start.
 *
 * Tables with long rows keep a rowid, so that their indexes carry 8 bytes instead of an id and scans over an index never touch the rows.
 */
import type { DatabaseSync } from 'node:sqlite';

/** "Atr1": a file of something else is refused instead of filled with our tables. */
export const APPLICATION_ID = 0x41747231;

/** Step n leads from version n to n + 1. Never edited once released; a new one is added at the end. Exported for the tests that open files of older versions. */
export const STEPS: readonly string[] = [
	`
	CREATE TABLE head (
		one INTEGER PRIMARY KEY CHECK (one = 1),
		epoch INTEGER NOT NULL,
		seq INTEGER NOT NULL,
		chain BLOB NOT NULL,
		counters TEXT NOT NULL
	) STRICT;
	INSERT INTO head VALUES (1, 1, 0, zeroblob(32), '{}');

	CREATE TABLE documents (
		id TEXT NOT NULL UNIQUE,
		kind TEXT NOT NULL,
		doc_seq INTEGER NOT NULL,
		seq INTEGER NOT NULL,
		first_seq INTEGER NOT NULL,
		scope TEXT NOT NULL,
		audience TEXT NOT NULL,
		"row" TEXT NOT NULL
	) STRICT;
	CREATE INDEX documents_by_kind ON documents (kind, id);
	-- Holds all that reached() and digest() ask for, and nothing that an edit changes.
	CREATE INDEX documents_by_scope ON documents (scope, id, first_seq, kind);

	-- Who reads what has the scope: the audience of the scope's own head, one principal a row.
	CREATE TABLE reach (
		scope TEXT NOT NULL REFERENCES documents (id),
		principal TEXT NOT NULL,
		PRIMARY KEY (scope, principal)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX reach_by_principal ON reach (principal, scope);

	CREATE TABLE log (
		seq INTEGER PRIMARY KEY,
		document TEXT NOT NULL REFERENCES documents (id),
		doc_seq INTEGER NOT NULL,
		author TEXT NOT NULL,
		authored_at INTEGER NOT NULL,
		accepted_at INTEGER NOT NULL,
		command TEXT NOT NULL,
		overruled TEXT NOT NULL,
		swallowed TEXT NOT NULL,
		rights_version INTEGER NOT NULL,
		bytes BLOB NOT NULL,
		mac BLOB NOT NULL,
		hash BLOB NOT NULL
	) STRICT;
	CREATE UNIQUE INDEX log_by_document ON log (document, doc_seq);

	-- Apart from the documents: a snapshot is up to 200 kB, and heads are read by the thousand.
	CREATE TABLE snapshots (
		document TEXT NOT NULL UNIQUE REFERENCES documents (id),
		doc_seq INTEGER NOT NULL,
		bytes BLOB NOT NULL
	) STRICT;

	CREATE TABLE answers (
		command TEXT PRIMARY KEY,
		author TEXT NOT NULL,
		result TEXT NOT NULL
	) STRICT, WITHOUT ROWID;

	CREATE TABLE bindings (
		document TEXT NOT NULL REFERENCES documents (id),
		client INTEGER NOT NULL,
		person TEXT NOT NULL,
		PRIMARY KEY (document, client)
	) STRICT, WITHOUT ROWID;
	`,
	`
	ALTER TABLE head ADD COLUMN restores TEXT NOT NULL DEFAULT '[]';
	ALTER TABLE log ADD COLUMN returned TEXT NOT NULL DEFAULT 'null';
	`,
	`
	-- Who reads a document beside those who read its scope, one principal a row: only of documents that have another's audience.
	CREATE TABLE beside (
		document TEXT NOT NULL REFERENCES documents (id),
		principal TEXT NOT NULL,
		PRIMARY KEY (document, principal)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX beside_by_principal ON beside (principal, document);
	`,
	`
	-- Which versions of their functions made the rows; of files of before this, nobody knows.
	ALTER TABLE head ADD COLUMN rows_made TEXT NOT NULL DEFAULT '{"versions":{},"underWay":null}';
	`
];

export const SCHEMA_VERSION = STEPS.length;

/** Brings a file to this version, each step whole or not at all. Throws a sentence for a file that is newer or not ours. */
export function migrate(database: DatabaseSync): void {
	const version = pragma(database, 'user_version');
	if (version > SCHEMA_VERSION) throw new Error(`has schema version ${version}; this relay knows versions up to ${SCHEMA_VERSION}`);
	const application = pragma(database, 'application_id');
	const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number };
	if (application !== APPLICATION_ID && (application !== 0 || tables.count > 0)) throw new Error('is not a portal of Atrium');
	for (let step = version; step < SCHEMA_VERSION; step++) {
		database.exec(`BEGIN IMMEDIATE; ${STEPS[step]}; PRAGMA user_version = ${step + 1}; PRAGMA application_id = ${APPLICATION_ID}; COMMIT`);
	}
}

function pragma(database: DatabaseSync, name: string): number {
	return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
}
