/**
 * The questions that are asked of a portal's file, in one place so that a test can ask SQLite how it will answer each.
 * `CROSS JOIN` fixes the order of a join and `+` keeps an index out of use: a head of many holds 10,000 principals, and the planner, which knows
 * neither their number nor ours, would now and then walk all of them for each entry.
 */
const HEAD = 'd.id, d.kind, d.doc_seq AS docSeq, d.seq, d.first_seq AS firstSeq, d.scope, d.audience, d."row"';
const ENTRY = `l.seq, l.document, l.doc_seq AS docSeq, l.author, l.authored_at AS authoredAt, l.accepted_at AS acceptedAt, l.command,
	l.overruled, l.swallowed, l.rights_version AS rightsVersion, l.returned, l.bytes, l.mac, l.hash`;

/** Whether one of a few rows of `r`, the reach of one scope or those beside it, is among the principals. */
const holds = (principals: string) => `+r.principal IN (SELECT value FROM json_each(${principals}))`;
const isInScope = (scope: string, principals: string) => `EXISTS (SELECT 1 FROM reach r WHERE r.scope = ${scope} AND ${holds(principals)})`;
const isBeside = (document: string, principals: string) => `EXISTS (SELECT 1 FROM beside r WHERE r.document = ${document} AND ${holds(principals)})`;

export const SQL = {
	head: 'SELECT epoch, seq, chain, counters, restores, rows_made AS "rows" FROM head',
	setHead: 'UPDATE head SET epoch = ?, seq = ?, chain = ?, counters = ?, restores = ?, rows_made = ?',

	documentHead: `SELECT ${HEAD} FROM documents d WHERE d.id = ?`,
	standing: 'SELECT kind, doc_seq AS docSeq, seq, first_seq AS firstSeq, scope, audience FROM documents WHERE id = ?',
	headsOfKind: `SELECT ${HEAD} FROM documents d INDEXED BY documents_by_kind WHERE d.kind = ? ORDER BY d.id`,
	headsOfKindAfter: `SELECT ${HEAD} FROM documents d INDEXED BY documents_by_kind WHERE d.kind = ? AND d.id > ? ORDER BY d.id LIMIT ?`,
	ofScope: `SELECT ${HEAD} FROM documents d INDEXED BY documents_by_scope WHERE d.scope = ? ORDER BY d.id`,
	snapshot: 'SELECT doc_seq AS docSeq, bytes FROM snapshots WHERE document = ?',
	tail: 'SELECT bytes FROM log WHERE document = ? AND doc_seq > ? ORDER BY doc_seq',
	history: `SELECT ${ENTRY} FROM log l WHERE l.document = ? AND l.doc_seq > ? ORDER BY l.doc_seq LIMIT ?`,
	/** Most entries have nothing to tell, and are not read. */
	notices: `SELECT document, author, overruled, swallowed FROM log WHERE document = ? AND doc_seq > ? AND (overruled <> '[]' OR swallowed <> '[]') ORDER BY doc_seq`,
	answer: 'SELECT command, author, result FROM answers WHERE command = ?',
	bindings: 'SELECT document, client, person FROM bindings WHERE document = ? ORDER BY client',

	/** Each entry asks the few principals of its audience whether they are held, never the other way round. */
	entriesAfter: `SELECT ${ENTRY} FROM log l CROSS JOIN documents d ON d.id = l.document
		WHERE l.seq > ?1 AND l.seq <= ?2
		AND (${isInScope('d.scope', '?3')} OR (d.scope <> d.id AND ${isBeside('d.id', '?3')}))
		ORDER BY l.seq`,
	/** By way of scopes, which are fewer than what hangs on them; then those that name a principal beside their scope. */
	reached: `SELECT d.id, d.kind, d.first_seq FROM (
			SELECT DISTINCT own.scope FROM json_each(?1) held
			CROSS JOIN reach own INDEXED BY reach_by_principal ON own.principal = held.value
			WHERE NOT ${isInScope('own.scope', '?2')}
		) granted CROSS JOIN documents d INDEXED BY documents_by_scope ON d.scope = granted.scope
		WHERE d.id = d.scope OR NOT ${isBeside('d.id', '?2')}
		UNION ALL
		SELECT d.id, d.kind, d.first_seq FROM (
			SELECT DISTINCT own.document FROM json_each(?1) held
			CROSS JOIN beside own INDEXED BY beside_by_principal ON own.principal = held.value
			WHERE NOT ${isBeside('own.document', '?2')}
		) named CROSS JOIN documents d ON d.id = named.document
		WHERE NOT ${isInScope('d.scope', '?2')} AND NOT ${isInScope('d.scope', '?1')}
		ORDER BY d.id`,

	insertDocument: `INSERT INTO documents (id, kind, doc_seq, seq, first_seq, scope, audience, "row") VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
	/** Leaves the columns of the indexes alone, so that an edit rewrites one row and no index. */
	touchDocument: 'UPDATE documents SET doc_seq = ?, seq = ?, "row" = ? WHERE id = ?',
	moveDocument: 'UPDATE documents SET kind = ?, first_seq = ?, scope = ?, audience = ? WHERE id = ?',
	dropReach: 'DELETE FROM reach WHERE scope = ?',
	addReach: 'INSERT OR IGNORE INTO reach (scope, principal) SELECT ?, value FROM json_each(?)',
	dropBeside: 'DELETE FROM beside WHERE document = ?',
	addBeside: 'INSERT OR IGNORE INTO beside (document, principal) SELECT ?, value FROM json_each(?)',
	insertEntry: `INSERT INTO log (seq, document, doc_seq, author, authored_at, accepted_at, command, overruled, swallowed, rights_version,
		returned, bytes, mac, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	/** The first answer and the first person stand. */
	insertAnswer: 'INSERT OR IGNORE INTO answers (command, author, result) VALUES (?, ?, ?)',
	insertBinding: 'INSERT OR IGNORE INTO bindings (document, client, person) VALUES (?, ?, ?)',
	compact: `INSERT INTO snapshots (document, doc_seq, bytes) VALUES (?, ?, ?)
		ON CONFLICT (document) DO UPDATE SET doc_seq = excluded.doc_seq, bytes = excluded.bytes WHERE excluded.doc_seq > doc_seq`
} as const satisfies Record<string, string>;

export type StatementName = keyof typeof SQL;
