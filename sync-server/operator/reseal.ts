/**
 * Seals a portal's entries anew, where a backup is restored without its key. The chain says what was accepted and does not cover the seals; a seal under
 * the old key would prove nothing to anybody any more, and `verify` could not tell it from a forged one.
 */
import { DatabaseSync } from 'node:sqlite';
import type { PortalId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { Sealed } from '#crdt-model/wire/up.ts';
import { sealOf } from '../log/seal.ts';

const AT_ONCE = 1_000;
type Row = Omit<Sealed, 'command' | 'mac'> & { readonly seq: number; readonly command: string };

export function reseal(file: string, portal: PortalId, key: Uint8Array): void {
	const database = new DatabaseSync(file);
	try {
		const read = database.prepare(`SELECT seq, document, doc_seq AS docSeq, author, authored_at AS authoredAt, accepted_at AS acceptedAt, command, bytes
			FROM log WHERE seq > ? ORDER BY seq LIMIT ${AT_ONCE}`);
		const write = database.prepare('UPDATE log SET mac = ? WHERE seq = ?');
		database.exec('BEGIN IMMEDIATE');
		for (let after = 0; ; ) {
			const rows = read.all(after) as unknown as Row[];
			for (const row of rows) write.run(sealOf(key, portal, { ...row, command: JSON.parse(row.command) as Command | null }), row.seq);
			if (rows.length < AT_ONCE) break;
			after = rows.at(-1)!.seq;
		}
		database.exec('COMMIT');
	} finally {
		database.close();
	}
}
