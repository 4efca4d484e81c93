/**
 * The accounts database: one SQLite file, its tables, and better-auth over it.
 *
 * Promises: everything written is on disk when its promise resolves (WAL, synchronous FULL); all writes go through one
 * Kysely instance, whose driver lets one transaction through at a time; reads that must not wait use a second, read-only
 * connection and see committed rows only; migrations only add, each in its own transaction, and a file made by a newer
 * version is refused rather than guessed at; better-auth's HTTP handler never leaves this module, so there is no second door.
 * Leaves to others: what the rows mean.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { betterAuth } from 'better-auth';
import { Kysely, SqliteDialect } from 'kysely';
import { IdMaker, type RandomBytes } from '#crdt-model/ids.ts';
import type { PasswordHasher } from './password.ts';

export interface Tables {
	// better-auth's tables, as far as we read them. Its dates are ISO texts.
	user: { id: string; name: string; email: string; emailVerified: number };
	session: { id: string; token: string; userId: string; expiresAt: string; createdAt: string; updatedAt: string; ipAddress: string | null; userAgent: string | null };
	membership: { identity: string; portal: string; employee: string; created_at: number };
	session_portal: { session: string; portal: string; employee: string };
	invitation: InvitationRow;
	login: { login: string; identity: string; changed_at: number };
	/** While the password in force is one that an administrator of this portal chose. */
	first_password: { identity: string; portal: string; created_at: number };
	letter: LetterRow;
	invitation_link: InvitationLinkRow;
	join_request: JoinRequestRow;
	letter_code: { code_sha256: string; purpose: string; address: string; sealed: string; created_at: number; expires_at: number };
	portal_domain: { domain: string; portal: string };
	subscription: { portal: string; plan: string; seats: number | null; demo_started_at: number | null; rented_bytes: number; changed_at: number };
	second_factor: { identity: string; sealed: string; last_step: number; enrolled_at: number };
	recovery_code: { identity: string; code_sha256: string };
	session_factor: { session: string; proved_at: number };
	passkey: {
		id: string;
		identity: string;
		party: string;
		public_key: string;
		counter: number;
		transports: string;
		name: string;
		created_at: number;
		last_used_at: number | null;
	};
	linked_identity: {
		issuer: string;
		subject: string;
		identity: string;
		provider: string;
		label: string | null;
		linked_at: number;
		last_used_at: number | null;
	};
}

export interface InvitationRow {
	id: string;
	code_sha256: string;
	portal: string;
	email: string;
	department: string | null;
	/** A JSON list of workgroups. */
	groups: string;
	invited_by: string;
	created_at: number;
	expires_at: number;
	accepted_at: number | null;
}

export interface InvitationLinkRow {
	id: string;
	code_sha256: string;
	portal: string;
	department: string | null;
	groups: string;
	approval: 0 | 1;
	created_by: string;
	created_at: number;
	expires_at: number;
	uses: number;
}

export interface JoinRequestRow {
	id: string;
	/** Null once the letter was answered. */
	code_sha256: string | null;
	portal: string;
	/** Null: they registered themselves. */
	link: string | null;
	email: string;
	first_name: string;
	last_name: string;
	login: string | null;
	language: string;
	/** Of the password that they chose; it becomes theirs with the identity, and is nothing where the address has one. */
	hash: string;
	/** In which browser they asked (askers.ts); null of requests from before that was kept. */
	asker_sha256: string | null;
	created_at: number;
	expires_at: number;
	/** Null until the letter was answered; from then on somebody decides. */
	confirmed_at: number | null;
}

export interface LetterRow {
	id: string;
	portal: string | null;
	kind: string;
	/** By which it is counted (letter-limits.ts). */
	sort: string;
	recipient: string;
	network: string | null;
	state: 'waiting' | 'sent' | 'failed';
	tries: number;
	reason: string | null;
	detail: string | null;
	created_at: number;
	due_at: number | null;
	/** What it says, sealed by the vault; null once it went. */
	sealed: string | null;
}

/** One entry per version, never edited once released; `user_version` of the file counts how many have run. Exported for the test that opens older files. */
export const MIGRATIONS: readonly (readonly string[])[] = [
	[
		`create table membership (
			identity text not null references user (id) on delete cascade,
			portal text not null,
			employee text not null,
			created_at integer not null,
			primary key (identity, portal),
			unique (portal, employee)
		) strict, without rowid`,
		`create table session_portal (
			session text not null primary key references session (id) on delete cascade,
			portal text not null,
			employee text not null
		) strict, without rowid`,
		`create index session_portal_employee on session_portal (portal, employee)`,
		`create table invitation (
			code_sha256 text not null primary key,
			portal text not null,
			email text not null,
			department text,
			invited_by text not null,
			created_at integer not null,
			expires_at integer not null,
			accepted_at integer
		) strict, without rowid`,
		// One open invitation per portal and address; accepted ones stay as a record of who brought whom in.
		`create unique index invitation_open on invitation (portal, email) where accepted_at is null`
	],
	[
		`create table subscription (
			portal text not null primary key,
			plan text not null,
			seats integer,
			demo_started_at integer,
			rented_bytes integer not null,
			changed_at integer not null
		) strict, without rowid`,
		// Portals of before there were tariffs had everything: they begin with their demo, and then have the free plan.
		`insert into subscription (portal, plan, demo_started_at, rented_bytes, changed_at)
			select distinct portal, 'project', cast(unixepoch('subsec') * 1000 as integer), 0, cast(unixepoch('subsec') * 1000 as integer) from membership`
	],
	[
		`create table login (
			login text not null primary key,
			identity text not null unique references user (id) on delete cascade,
			changed_at integer not null
		) strict, without rowid`,
		`create table first_password (
			identity text not null primary key references user (id) on delete cascade,
			portal text not null,
			created_at integer not null
		) strict, without rowid`,
		// Until now nobody could be added without a letter or the operator.
		`update user set emailVerified = 1`
	],
	[
		`create table letter (
			id text not null primary key,
			portal text,
			kind text not null,
			sort text not null,
			recipient text not null,
			network text,
			state text not null,
			tries integer not null,
			reason text,
			detail text,
			created_at integer not null,
			due_at integer,
			sealed text
		) strict, without rowid`,
		`create index letter_due on letter (due_at) where state = 'waiting'`,
		`create index letter_recipient on letter (recipient, sort, created_at)`,
		`create index letter_portal on letter (portal, created_at)`,
		`create index letter_network on letter (network, created_at)`
	],
	[
		`create table second_factor (
			identity text not null primary key references user (id) on delete cascade,
			sealed text not null,
			last_step integer not null,
			enrolled_at integer not null
		) strict, without rowid`,
		`create table recovery_code (
			identity text not null references second_factor (identity) on delete cascade,
			code_sha256 text not null,
			primary key (identity, code_sha256)
		) strict, without rowid`,
		// Sessions that proved more than a password, for portals that demand it.
		`create table session_factor (
			session text not null primary key references session (id) on delete cascade,
			proved_at integer not null
		) strict, without rowid`,
		`create table passkey (
			id text not null primary key,
			identity text not null references user (id) on delete cascade,
			party text not null,
			public_key text not null,
			counter integer not null,
			transports text not null,
			name text not null,
			created_at integer not null,
			last_used_at integer
		) strict, without rowid`,
		`create index passkey_identity on passkey (identity)`,
		`create table linked_identity (
			issuer text not null,
			subject text not null,
			identity text not null references user (id) on delete cascade,
			provider text not null,
			label text,
			linked_at integer not null,
			last_used_at integer,
			primary key (issuer, subject),
			unique (identity, provider)
		) strict, without rowid`
	],
	[
		`alter table invitation add column id text`,
		`alter table invitation add column groups text not null default '[]'`,
		`update invitation set id = 'invitation_' || lower(hex(randomblob(16)))`,
		`create unique index invitation_id on invitation (id)`,
		`create table invitation_link (
			id text not null primary key,
			code_sha256 text not null unique,
			portal text not null,
			department text,
			groups text not null,
			approval integer not null,
			created_by text not null,
			created_at integer not null,
			expires_at integer not null,
			uses integer not null
		) strict, without rowid`,
		`create index invitation_link_portal on invitation_link (portal, created_at)`,
		`create table join_request (
			id text not null primary key,
			code_sha256 text unique,
			portal text not null,
			link text,
			email text not null,
			first_name text not null,
			last_name text not null,
			login text,
			language text not null,
			hash text not null,
			created_at integer not null,
			expires_at integer not null,
			confirmed_at integer
		) strict, without rowid`,
		`create index join_request_portal on join_request (portal, confirmed_at)`,
		`create unique index join_request_waiting on join_request (portal, email) where confirmed_at is not null`
	],
	[
		`create table letter_code (
			code_sha256 text not null primary key,
			purpose text not null,
			address text not null,
			sealed text not null,
			created_at integer not null,
			expires_at integer not null
		) strict, without rowid`,
		`create index letter_code_address on letter_code (purpose, address, created_at)`
	],
	[
		// Of portals that took one before this table was here there are none: their settings are read when they are next opened.
		`create table portal_domain (
			domain text not null primary key,
			portal text not null unique
		) strict, without rowid`
	],
	[`alter table join_request add column asker_sha256 text`],
	[
		// The oldest of a purpose give way; in the order in which they are asked for, so that nothing is sorted.
		`create index letter_code_age on letter_code (purpose, created_at desc, code_sha256)`
	]
];

/** How long a statement waits for another process (a backup, the portal command) before it fails. */
const BUSY_MS = 5_000;
/** More than the distinct statements of this folder and better-auth; a ceiling only against a leak. */
const STATEMENTS = 200;

export interface AccountsDatabase {
	readonly db: Kysely<Tables>;
	readonly auth: AuthContext;
	/** A prepared statement on the read-only connection: synchronous, committed rows only. */
	read(sql: string): (...values: SQLInputValue[]) => unknown;
	close(): Promise<void>;
}

type Auth = ReturnType<typeof makeAuth>;
export type AuthContext = Awaited<Auth['$context']>;

/** What a commit survives. Only a test, whose folder nobody misses, does without the machine: hundreds of its commits would wait for a busy disk. */
export type Outlives = 'the-machine' | 'the-process';

export async function openDatabase(
	folder: string,
	world: { now: () => number; random: RandomBytes; hasher: PasswordHasher; outlives?: Outlives }
): Promise<AccountsDatabase> {
	mkdirSync(folder, { recursive: true });
	const path = join(folder, 'accounts.db');
	// SQLite would make the file readable to everyone on the machine; its -wal and -shm take over this mode.
	closeSync(openSync(path, 'a', 0o600));
	const writer = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
	try {
		writer.exec(`pragma journal_mode = wal; pragma synchronous = ${world.outlives === 'the-process' ? 'off' : 'full'}`);
		const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: kyselyView(writer) }) });
		const auth = await makeAuth(db, world).$context;
		// Ours reference better-auth's tables, so its own come first; a second run of either changes nothing.
		await auth.runMigrations();
		migrate(writer);
		const reader = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
		return {
			db,
			auth,
			read(sql) {
				const statement = reader.prepare(sql);
				return (...values) => statement.get(...values);
			},
			async close() {
				reader.close();
				await db.destroy();
			}
		};
	} catch (error) {
		if (writer.isOpen) writer.close();
		throw error;
	}
}

function makeAuth(db: Kysely<Tables>, world: { now: () => number; random: RandomBytes; hasher: PasswordHasher }) {
	const ids = new IdMaker(world.now, world.random);
	return betterAuth({
		database: { db, type: 'sqlite', transaction: true },
		// Nothing at rest depends on this secret while better-auth's cookies and second factors are not in use. The first
		// of those to be switched on must keep it in a file beside the backup.
		secret: Buffer.from(world.random(new Uint8Array(32))).toString('hex'),
		baseURL: 'http://127.0.0.1',
		telemetry: { enabled: false },
		// Its log lines may quote what was sent; faults reach us as exceptions all the same.
		logger: { disabled: true },
		emailAndPassword: {
			enabled: true,
			password: {
				hash: (password) => world.hasher.hash(password),
				verify: ({ hash, password }) => world.hasher.verify(hash, password)
			}
		},
		advanced: {
			database: {
				generateId: ({ model }) =>
					model === 'session' ? ids.session() : `${model === 'user' ? 'identity' : model}_${ids.uuid()}`
			}
		}
	});
}

/** Kysely's SQLite dialect speaks to anything shaped like better-sqlite3; node:sqlite needs this much to look like it. */
function kyselyView(database: DatabaseSync) {
	const prepared = new Map<string, StatementSync>();
	return {
		prepare(sql: string) {
			let statement = prepared.get(sql);
			if (statement === undefined) {
				if (prepared.size >= STATEMENTS) prepared.clear();
				statement = database.prepare(sql);
				prepared.set(sql, statement);
			}
			const bound = statement;
			return {
				reader: bound.columns().length > 0,
				all: (values: readonly unknown[]) => bound.all(...(values as SQLInputValue[])),
				run: (values: readonly unknown[]) => bound.run(...(values as SQLInputValue[])),
				iterate: (values: readonly unknown[]) => bound.iterate(...(values as SQLInputValue[]))
			};
		},
		close: () => {
			prepared.clear();
			database.close();
		}
	};
}

function migrate(database: DatabaseSync): void {
	const { user_version: version } = database.prepare('pragma user_version').get() as { user_version: number };
	if (version > MIGRATIONS.length) {
		throw new Error(`accounts.db has version ${version}, this program knows ${MIGRATIONS.length}: start the newer program.`);
	}
	for (let next = version; next < MIGRATIONS.length; next++) {
		database.exec('begin immediate');
		try {
			for (const statement of MIGRATIONS[next]!) database.exec(statement);
			database.exec(`pragma user_version = ${next + 1}`);
			database.exec('commit');
		} catch (error) {
			database.exec('rollback');
			throw error;
		}
	}
}

/** SQLite's extended codes for a broken UNIQUE or PRIMARY KEY rule. */
const UNIQUE_CODES = new Set([2067, 1555]);

export function isUniqueViolation(error: unknown): boolean {
	return error instanceof Error && 'errcode' in error && UNIQUE_CODES.has(error.errcode as number);
}
