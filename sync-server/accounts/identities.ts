/**
 * Identities: one person's e-mail and password on this server, whatever portals they belong to.
 *
 * States: confirmed (a letter to the address was answered) or added (somebody else entered the address and a first password). An added identity must choose its
 * own password at its first sign-in; whoever proves the address by a letter takes it over, and what was set up before is void.
 * Promises: one identity per address and per login; registering never sets or resets the password of a confirmed one; a known and an
 * unknown address cost one password hash each, so that timing tells nothing; guessing through registration counts like
 * guessing through sign-in; an identity and its password appear together or not at all.
 * Leaves to others: belonging to a portal (`memberships.ts`), staying signed in (`sessions.ts`), ending sessions when a password changes (`accounts.ts`).
 */
import { createHash } from 'node:crypto';
import type { PortalId, RandomBytes } from '#crdt-model/ids.ts';
import { type AccountsDatabase, isUniqueViolation } from './database.ts';
import { type Email, type EmailRefusal, parseEmail } from './email.ts';
import type { Guard, Ip, TooManyAttempts } from './guard.ts';
import type { LetterSort } from './letter-limits.ts';
import { type Login, type LoginRefusal, parseLogin } from './login.ts';
import { type Password, type PasswordHasher, type PasswordRefusal, parsePassword, presentedPassword } from './password.ts';

declare const brand: unique symbol;
export type IdentityId = `identity_${string}` & { readonly [brand]: 'identity' };

export interface Identity {
	identity: IdentityId;
	email: Email;
	name: string;
	emailConfirmed: boolean;
}

type Refused<R> = { outcome: 'refused'; refusal: R };
export type NewRefusal = EmailRefusal | PasswordRefusal | LoginRefusal | 'name-malformed';
export type Registered =
	| { outcome: 'created'; identity: IdentityId; email: Email }
	/** Somebody else had added the address; now it is its owner's, and everything by which one signed in before is void. */
	| { outcome: 'taken-over'; identity: IdentityId; email: Email }
	| { outcome: 'known'; identity: IdentityId; email: Email }
	| { outcome: 'wrong-password' }
	| { outcome: 'login-taken' }
	| Refused<NewRefusal>
	| TooManyAttempts;
export type Added = { outcome: 'created'; identity: IdentityId; email: Email } | { outcome: 'known'; identity: IdentityId; email: Email } | { outcome: 'login-taken' } | Refused<NewRefusal>;
export type HashedForLater = { outcome: 'hashed'; email: Email; name: string; login: string | null; hash: string } | { outcome: 'login-taken' } | Refused<NewRefusal> | TooManyAttempts;
export type HashedChosen = { outcome: 'hashed'; hash: string } | Refused<PasswordRefusal> | TooManyAttempts;
export type Recognised = { outcome: 'recognised'; identity: Identity } | { outcome: 'wrong-credentials' } | TooManyAttempts;
export type PasswordChecked = { outcome: 'right' } | { outcome: 'wrong-password' } | TooManyAttempts;
export type PasswordSet = { outcome: 'set' } | Refused<PasswordRefusal | 'password-unchanged'>;
export type LoginSet = { outcome: 'set' } | { outcome: 'login-taken' } | Refused<LoginRefusal>;

export const NAME_MAX = 200;

interface NewIdentity {
	email: unknown;
	password: unknown;
	name: unknown;
	login?: unknown;
}

interface Parsed {
	email: Email;
	password: Password;
	name: string;
	login: Login | null;
}

export class Identities {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;
	readonly #hasher: PasswordHasher;
	readonly #guard: Guard;
	readonly #firstPasswordOf: (identity: string) => unknown;
	/** Hash of a password that nobody knows: what an unknown address is compared with. */
	readonly #nobody: string;

	private constructor(database: AccountsDatabase, world: { now: () => number; hasher: PasswordHasher; guard: Guard }, nobody: string) {
		this.#database = database;
		this.#now = world.now;
		this.#hasher = world.hasher;
		this.#guard = world.guard;
		this.#firstPasswordOf = database.read('select portal from first_password where identity = ?');
		this.#nobody = nobody;
	}

	static async open(
		database: AccountsDatabase,
		world: { now: () => number; random: RandomBytes; hasher: PasswordHasher; guard: Guard }
	): Promise<Identities> {
		const unguessable = Buffer.from(world.random(new Uint8Array(32))).toString('base64');
		return new Identities(database, world, await world.hasher.hash(unguessable));
	}

	/** By somebody who has proved the address by a letter. A confirmed identity must bring its present password. */
	async register(request: NewIdentity & { ip?: Ip }): Promise<Registered> {
		const parsed = parseNew(request);
		if (parsed.outcome === 'refused') return parsed;
		const { email, password, name, login } = parsed.value;
		const guarded = await this.#guard.password<Registered>(email, request.ip, async () => {
			const found = await this.#find(email);
			if (found === null) {
				const created = await this.#create(parsed.value, await this.#hasher.hash(password), { confirmed: true });
				if (created === 'login-taken') return { right: true, value: { outcome: 'login-taken' } };
				if (created !== null) return { right: true, value: { outcome: 'created', identity: created, email } };
			}
			// Where someone registered the address while we were hashing, it has an identity like any other now.
			const present = found ?? (await this.#find(email));
			if (present === null) return { right: false, value: WRONG_PASSWORD };
			const { identity, emailConfirmed } = present.identity;
			if (emailConfirmed) {
				const right = await this.#hasher.verify(present.hash ?? this.#nobody, password);
				return { right, value: right ? { outcome: 'known', identity, email } : WRONG_PASSWORD };
			}
			if (login !== null && !(await this.#setLogin(identity, login))) return { right: true, value: { outcome: 'login-taken' } };
			await this.#takeOver(identity, name, await this.#hasher.hash(password));
			return { right: true, value: { outcome: 'taken-over', identity, email } };
		});
		return guarded.outcome === 'judged' ? guarded.value : guarded;
	}

	/** Judges what a newcomer chose and hashes the password, whether the address is known or not; counted as asking for a letter. */
	async hashForLater(request: NewIdentity & { letter: LetterSort; ip?: Ip }): Promise<HashedForLater> {
		const parsed = parseNew(request);
		if (parsed.outcome === 'refused') return parsed;
		const { email, password, name, login } = parsed.value;
		const waits = await this.#guard.letter(request.letter, email, request.ip);
		if (waits) return waits;
		if (login !== null && (await this.#emailOf(login)) !== null) return { outcome: 'login-taken' };
		const hashed = await this.#guard.hash(() => this.#hasher.hash(password));
		return typeof hashed === 'string' ? { outcome: 'hashed', email, name, login, hash: hashed } : hashed;
	}

	/** A password that the owner of an address chose when they answered a letter. */
	async hashChosen({ email, name, password }: { email: Email; name: string; password: unknown }): Promise<HashedChosen> {
		const parsed = parsePassword(password, email, [name]);
		if (parsed.outcome === 'refused') return parsed;
		const hashed = await this.#guard.hash(() => this.#hasher.hash(parsed.password));
		return typeof hashed === 'string' ? { outcome: 'hashed', hash: hashed } : hashed;
	}

	get nobodysHash(): string {
		return this.#nobody;
	}

	/** The letter to the new address was answered. False where the address has become another identity's. */
	async changeEmail(identity: IdentityId, email: Email): Promise<boolean> {
		try {
			await this.#database.db.updateTable('user').set({ email, emailVerified: 1 }).where('id', '=', identity).execute();
			return true;
		} catch (error) {
			if (isUniqueViolation(error)) return false;
			throw error;
		}
	}

	/** Nothing of it stays; the caller has made sure that it belongs nowhere. */
	async remove(identity: IdentityId): Promise<void> {
		await this.#database.db.deleteFrom('user').where('id', '=', identity).execute();
	}

	/**
	 * With a hash that was made when the person registered, before they answered the letter. Null where the address has a confirmed identity by now. A login that
	 * was taken meanwhile is left away: the person signs in by their address and chooses another.
	 */
	async registerHashed(request: { email: Email; name: string; hash: string; login?: string | null }): Promise<Extract<Registered, { outcome: 'created' | 'taken-over' }> | null> {
		const { email, name, hash } = request;
		const parsed = request.login ? parseLogin(request.login) : null;
		const wished = parsed?.outcome === 'parsed' && (await this.#emailOf(parsed.login)) === null ? parsed.login : null;
		let created = await this.#create({ email, name, login: wished }, hash, { confirmed: true });
		if (created === 'login-taken') created = await this.#create({ email, name, login: null }, hash, { confirmed: true });
		if (created !== null && created !== 'login-taken') return { outcome: 'created', identity: created, email };
		const present = await this.#find(email);
		if (present === null || present.identity.emailConfirmed) return null;
		await this.#takeOver(present.identity.identity, name, hash);
		return { outcome: 'taken-over', identity: present.identity.identity, email };
	}

	/** An identity that was added, proved nothing and belongs nowhere. */
	async discardAdded(identity: IdentityId): Promise<void> {
		await this.#database.db
			.deleteFrom('user')
			.where('id', '=', identity)
			.where('emailVerified', '=', 0)
			.where(({ not, exists, selectFrom }) => not(exists(selectFrom('membership').select('portal').where('identity', '=', identity))))
			.execute();
	}

	/** By an administrator, with a first password that must be changed; the address has proved nothing yet, and may belong to this one portal only. */
	async add(request: NewIdentity & { portal: PortalId }): Promise<Added> {
		const parsed = parseNew(request);
		if (parsed.outcome === 'refused') return parsed;
		const { email, password } = parsed.value;
		const created = await this.#create(parsed.value, await this.#hasher.hash(password), { confirmed: false, portal: request.portal });
		if (created === 'login-taken') return { outcome: 'login-taken' };
		if (created !== null) return { outcome: 'created', identity: created, email };
		const present = await this.#find(email);
		if (present === null) throw new Error('An address was taken and is free again: nothing deletes identities while they are added.');
		return { outcome: 'known', identity: present.identity.identity, email };
	}

	/** @param request.email the address or the login */
	async recognise(request: { email: unknown; password: unknown; ip?: Ip }): Promise<Recognised> {
		const account = parseAccount(request.email);
		const password = presentedPassword(request.password);
		// What can be nobody's address, login or password is answered at once: the haste tells nothing about any address.
		if (account === null || password === null) return WRONG_CREDENTIALS;
		const email = 'email' in account ? account.email : await this.#emailOf(account.login);
		// Failures weigh on what was typed. Did a login's weigh on its address, then whoever locks a login would see at which addresses the door shuts as well: whose it is.
		const guarded = await this.#guard.password<Recognised>('email' in account ? account.email : account.login, request.ip, async () => {
			const found = email === null ? null : await this.#find(email);
			const right = await this.#hasher.verify(found?.hash ?? this.#nobody, password);
			if (found === null || found.hash === null || !right) return { right: false, value: WRONG_CREDENTIALS };
			return { right: true, value: { outcome: 'recognised', identity: found.identity } };
		});
		return guarded.outcome === 'judged' ? guarded.value : guarded;
	}

	/** For what asks for the password again. */
	async checkPassword(identity: IdentityId, value: unknown, ip?: Ip): Promise<PasswordChecked> {
		const password = presentedPassword(value);
		const { email } = await this.#present(identity);
		if (password === null) return WRONG_PASSWORD;
		const guarded = await this.#guard.password<PasswordChecked>(email, ip, async () => {
			const hash = (await this.#find(email))?.hash ?? null;
			const right = (await this.#hasher.verify(hash ?? this.#nobody, password)) && hash !== null;
			return { right, value: right ? { outcome: 'right' } : WRONG_PASSWORD };
		});
		return guarded.outcome === 'judged' ? guarded.value : guarded;
	}

	/** Chosen by the person; a first password is over with it and may not be chosen again. */
	async setPassword(identity: IdentityId, value: unknown): Promise<PasswordSet> {
		const { email, name } = await this.#present(identity);
		const parsed = parsePassword(value, email, [name]);
		if (parsed.outcome === 'refused') return parsed;
		if (this.mustChangePassword(identity)) {
			const hash = (await this.#find(email))?.hash ?? this.#nobody;
			if (await this.#hasher.verify(hash, parsed.password)) return { outcome: 'refused', refusal: 'password-unchanged' };
		}
		await this.#writePassword(identity, await this.#hasher.hash(parsed.password));
		return { outcome: 'set' };
	}

	/** Something that changes with the password and tells nothing of it: what was asked for under one password is void under the next. */
	async passwordStamp(identity: IdentityId): Promise<string> {
		const { email } = await this.#present(identity);
		return createHash('sha256').update(`${identity} ${(await this.#find(email))?.hash ?? ''}`).digest('base64url');
	}

	/** With a hash that was made before a letter proved the address. */
	adoptPassword(identity: IdentityId, hash: string): Promise<void> {
		return this.#writePassword(identity, hash);
	}

	/** Whether the password in force was chosen by somebody else. One read of committed rows. */
	mustChangePassword(identity: IdentityId): boolean {
		return this.#firstPasswordOf(identity) !== undefined;
	}

	async hasPassword(identity: IdentityId): Promise<boolean> {
		const { email } = await this.#present(identity);
		return ((await this.#find(email))?.hash ?? null) !== null;
	}

	async loginOf(identity: IdentityId): Promise<Login | null> {
		const row = await this.#database.db.selectFrom('login').select('login').where('identity', '=', identity).executeTakeFirst();
		return (row?.login ?? null) as Login | null;
	}

	async setLogin(identity: IdentityId, value: unknown): Promise<LoginSet> {
		const parsed = parseLogin(value);
		if (parsed.outcome === 'refused') return parsed;
		return (await this.#setLogin(identity, parsed.login)) ? { outcome: 'set' } : { outcome: 'login-taken' };
	}

	async get(identity: IdentityId): Promise<Identity | null> {
		return this.#one('id', identity);
	}

	byEmail(email: Email): Promise<Identity | null> {
		return this.#one('email', email);
	}

	async #one(column: 'id' | 'email', value: string): Promise<Identity | null> {
		const row = await this.#database.db.selectFrom('user').select(['id', 'email', 'name', 'emailVerified']).where(column, '=', value).executeTakeFirst();
		return row === undefined ? null : toIdentity({ ...row, emailVerified: row.emailVerified === 1 });
	}

	async #present(identity: IdentityId): Promise<Identity> {
		const present = await this.get(identity);
		if (!present) throw new Error(`${identity} has a session or a ticket and is not there`);
		return present;
	}

	async #emailOf(login: Login): Promise<Email | null> {
		const row = await this.#database.db
			.selectFrom('login as l')
			.innerJoin('user as u', 'u.id', 'l.identity')
			.select('u.email')
			.where('l.login', '=', login)
			.executeTakeFirst();
		return (row?.email ?? null) as Email | null;
	}

	async #find(email: Email): Promise<{ identity: Identity; hash: string | null } | null> {
		const found = await this.#database.auth.internalAdapter.findUserByEmail(email, { includeAccounts: true });
		if (!found) return null;
		const { user } = found;
		const own = found.accounts.find((account) => account.providerId === 'credential' && account.accountId === user.id);
		return { identity: toIdentity(user), hash: own?.password ?? null };
	}

	/** Null if the address was taken meanwhile; SQLite's unique index decides. */
	async #create(
		{ email, name, login }: Omit<Parsed, 'password'>,
		hash: string,
		state: { confirmed: true } | { confirmed: false; portal: PortalId }
	): Promise<IdentityId | 'login-taken' | null> {
		const at = new Date(this.#now());
		const stamps = { createdAt: at, updatedAt: at };
		// Before anything is made; what takes it in the same moment is refused by the index below.
		if (login !== null && (await this.#emailOf(login)) !== null) return 'login-taken';
		let identity: IdentityId;
		try {
			identity = await this.#database.auth.adapter.transaction(async (transaction) => {
				const user = await transaction.create<Record<string, unknown>, { id: string }>({
					model: 'user',
					data: { email, name, emailVerified: state.confirmed, ...stamps }
				});
				await transaction.create({
					model: 'account',
					data: { userId: user.id, accountId: user.id, providerId: 'credential', password: hash, ...stamps }
				});
				return user.id as IdentityId;
			});
		} catch (error) {
			if (isUniqueViolation(error)) return null;
			throw error;
		}
		// A crash here leaves an identity that belongs nowhere and so signs in nowhere; the next letter to the address takes it over.
		if (!state.confirmed) await this.#database.db.insertInto('first_password').values({ identity, portal: state.portal, created_at: this.#now() }).execute();
		if (login !== null && !(await this.#setLogin(identity, login))) {
			await this.#database.db.deleteFrom('user').where('id', '=', identity).execute();
			return 'login-taken';
		}
		return identity;
	}

	async #setLogin(identity: IdentityId, login: Login): Promise<boolean> {
		const row = { login, identity, changed_at: this.#now() };
		try {
			await this.#database.db
				.insertInto('login')
				.values(row)
				.onConflict((conflict) => conflict.column('identity').doUpdateSet({ login, changed_at: row.changed_at }))
				.execute();
			return true;
		} catch (error) {
			if (isUniqueViolation(error)) return false;
			throw error;
		}
	}

	async #takeOver(identity: IdentityId, name: string, hash: string): Promise<void> {
		await this.#writePassword(identity, hash);
		await this.#database.db.updateTable('user').set({ emailVerified: 1, name }).where('id', '=', identity).execute();
	}

	async #writePassword(identity: IdentityId, hash: string): Promise<void> {
		const updatedAt = new Date(this.#now());
		const { adapter } = this.#database.auth;
		const where = [{ field: 'userId', value: identity }, { field: 'providerId', value: 'credential' }];
		const updated = await adapter.updateMany({ model: 'account', where, update: { password: hash, updatedAt } });
		if (updated === 0) {
			await adapter.create({ model: 'account', data: { userId: identity, accountId: identity, providerId: 'credential', password: hash, createdAt: updatedAt, updatedAt } });
		}
		await this.#database.db.deleteFrom('first_password').where('identity', '=', identity).execute();
	}
}

const WRONG_PASSWORD = { outcome: 'wrong-password' } as const;
const WRONG_CREDENTIALS = { outcome: 'wrong-credentials' } as const;

function toIdentity(user: { id: string; email: string; name: string; emailVerified: boolean }): Identity {
	return { identity: user.id as IdentityId, email: user.email as Email, name: user.name, emailConfirmed: user.emailVerified };
}

function parseNew(request: NewIdentity): { outcome: 'parsed'; value: Parsed } | Refused<NewRefusal> {
	const email = parseEmail(request.email);
	if (email.outcome === 'refused') return email;
	const name = parseName(request.name);
	const password = parsePassword(request.password, email.email, name === null ? [] : [name]);
	if (password.outcome === 'refused') return password;
	if (name === null) return { outcome: 'refused', refusal: 'name-malformed' };
	const login = request.login === undefined || request.login === null ? null : parseLogin(request.login);
	if (login?.outcome === 'refused') return login;
	return { outcome: 'parsed', value: { email: email.email, password: password.password, name, login: login?.login ?? null } };
}

function parseAccount(value: unknown): { email: Email } | { login: Login } | null {
	const email = parseEmail(value);
	if (email.outcome === 'parsed') return { email: email.email };
	const login = parseLogin(value);
	return login.outcome === 'parsed' ? { login: login.login } : null;
}

/** One line of text; what may stand in a name is the employee record's business. */
function parseName(value: unknown): string | null {
	if (typeof value !== 'string' || value.length > NAME_MAX) return null;
	const name = value.normalize('NFC').trim();
	return name === '' || /\p{Cc}/u.test(name) ? null : name;
}
