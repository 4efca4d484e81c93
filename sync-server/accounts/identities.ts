/**
 * Identities: one person's e-mail and password on this server, whatever portals they belong to.
 *
 * Promises: one identity per address; registering never sets or resets the password of an existing one; a known and an
 * unknown address cost one password hash each, so that timing tells nothing; guessing through registration counts like
 * guessing through sign-in; an identity and its password appear together or not at all.
 * Leaves to others: belonging to a portal (`memberships.ts`), staying signed in (`sessions.ts`).
 */
import type { RandomBytes } from '#crdt-model/ids.ts';
import { ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NETWORK, AttemptWindow, networkOf } from './attempts.ts';
import { type AccountsDatabase, isUniqueViolation } from './database.ts';
import { type Email, type EmailRefusal, parseEmail } from './email.ts';
import { HashQueue, type Password, type PasswordHasher, type PasswordRefusal, parsePassword, presentedPassword } from './password.ts';

declare const brand: unique symbol;
export type IdentityId = `identity_${string}` & { readonly [brand]: 'identity' };

export interface Identity {
	identity: IdentityId;
	email: Email;
	name: string;
	emailConfirmed: boolean;
}

export type TooManyAttempts = { outcome: 'too-many-attempts'; retryAfterSeconds: number };
export type Registered =
	| { outcome: 'created'; identity: IdentityId; email: Email }
	| { outcome: 'known'; identity: IdentityId; email: Email }
	| { outcome: 'wrong-password' }
	| { outcome: 'refused'; refusal: EmailRefusal | PasswordRefusal | 'name-malformed' }
	| TooManyAttempts;
export type Recognised = { outcome: 'recognised'; identity: Identity } | { outcome: 'wrong-credentials' } | TooManyAttempts;

export const NAME_MAX = 200;
/** A full line for hashing drains within about three times this. */
const QUEUE_RETRY_SECONDS = 5;

type Guarded<T> = { outcome: 'judged'; value: T } | TooManyAttempts;

export class Identities {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;
	readonly #hasher: PasswordHasher;
	readonly #queue = new HashQueue();
	readonly #byAddress: AttemptWindow;
	readonly #byNetwork: AttemptWindow;
	/** Hash of a password that nobody knows: what an unknown address is compared with. */
	readonly #nobody: string;

	private constructor(database: AccountsDatabase, world: { now: () => number; hasher: PasswordHasher }, nobody: string) {
		this.#database = database;
		this.#now = world.now;
		this.#hasher = world.hasher;
		this.#byAddress = new AttemptWindow(ATTEMPTS_PER_ADDRESS, world.now);
		this.#byNetwork = new AttemptWindow(ATTEMPTS_PER_NETWORK, world.now);
		this.#nobody = nobody;
	}

	static async open(
		database: AccountsDatabase,
		world: { now: () => number; random: RandomBytes; hasher: PasswordHasher }
	): Promise<Identities> {
		const unguessable = Buffer.from(world.random(new Uint8Array(32))).toString('base64');
		return new Identities(database, world, await world.hasher.hash(unguessable));
	}

	async register(request: { email: unknown; password: unknown; name: unknown; ip?: string | null }): Promise<Registered> {
		const parsedEmail = parseEmail(request.email);
		if (parsedEmail.outcome === 'refused') return parsedEmail;
		const { email } = parsedEmail;
		const parsedPassword = parsePassword(request.password, email);
		if (parsedPassword.outcome === 'refused') return parsedPassword;
		const { password } = parsedPassword;
		const name = parseName(request.name);
		if (name === null) return { outcome: 'refused', refusal: 'name-malformed' };

		const guarded = await this.#guard<Registered>(email, request.ip, async () => {
			const found = await this.#find(email);
			if (found !== null) {
				const right = await this.#hasher.verify(found.hash ?? this.#nobody, password);
				return { right, value: right ? known(found.identity) : WRONG_PASSWORD };
			}
			const hash = await this.#hasher.hash(password);
			const created = await this.#create(email, name, hash);
			if (created !== null) return { right: true, value: { outcome: 'created', identity: created, email } };
			// Someone registered the address while we were hashing: now it has an identity like any other.
			const winner = await this.#find(email);
			const right = winner !== null && (await this.#hasher.verify(winner.hash ?? this.#nobody, password));
			return { right, value: right ? known(winner.identity) : WRONG_PASSWORD };
		});
		return guarded.outcome === 'judged' ? guarded.value : guarded;
	}

	async recognise(request: { email: unknown; password: unknown; ip?: string | null }): Promise<Recognised> {
		const parsed = parseEmail(request.email);
		const password = presentedPassword(request.password);
		// What can be nobody's address or password is answered at once: the haste tells nothing about any address.
		if (parsed.outcome === 'refused' || password === null) return WRONG_CREDENTIALS;
		const guarded = await this.#guard<Recognised>(parsed.email, request.ip, async () => {
			const found = await this.#find(parsed.email);
			const right = await this.#hasher.verify(found?.hash ?? this.#nobody, password);
			if (found === null || found.hash === null || !right) return { right: false, value: WRONG_CREDENTIALS };
			return { right: true, value: { outcome: 'recognised', identity: found.identity } };
		});
		return guarded.outcome === 'judged' ? guarded.value : guarded;
	}

	async get(identity: IdentityId): Promise<Identity | null> {
		const row = await this.#database.db
			.selectFrom('user')
			.select(['id', 'email', 'name', 'emailVerified'])
			.where('id', '=', identity)
			.executeTakeFirst();
		return row === undefined ? null : toIdentity({ ...row, emailVerified: row.emailVerified === 1 });
	}

	/** Takes a place in both windows first, judges in the bounded queue, and lets only failures weigh. */
	async #guard<T>(email: Email, ip: string | null | undefined, judge: () => Promise<{ right: boolean; value: T }>): Promise<Guarded<T>> {
		const network = ip === null || ip === undefined ? null : await this.#byNetwork.take(networkOf(ip));
		if (network?.outcome === 'refused') return { outcome: 'too-many-attempts', retryAfterSeconds: network.retryAfterSeconds };
		// Neither a fault of ours nor a full queue is the person's failure.
		let failed = false;
		try {
			const address = await this.#byAddress.take(email);
			if (address.outcome === 'refused') {
				return { outcome: 'too-many-attempts', retryAfterSeconds: address.retryAfterSeconds };
			}
			try {
				const queued = await this.#queue.run(judge);
				if (queued.outcome === 'full') return { outcome: 'too-many-attempts', retryAfterSeconds: QUEUE_RETRY_SECONDS };
				failed = !queued.value.right;
				return { outcome: 'judged', value: queued.value.value };
			} finally {
				address.settle(failed);
			}
		} finally {
			network?.settle(failed);
		}
	}

	async #find(email: Email): Promise<{ identity: Identity; hash: string | null } | null> {
		const found = await this.#database.auth.internalAdapter.findUserByEmail(email, { includeAccounts: true });
		if (!found) return null;
		const { user } = found;
		const own = found.accounts.find((account) => account.providerId === 'credential' && account.accountId === user.id);
		return { identity: toIdentity(user), hash: own?.password ?? null };
	}

	/** Null if the address was taken meanwhile; SQLite's unique index decides. */
	async #create(email: Email, name: string, hash: string): Promise<IdentityId | null> {
		const at = new Date(this.#now());
		const stamps = { createdAt: at, updatedAt: at };
		try {
			return await this.#database.auth.adapter.transaction(async (transaction) => {
				const user = await transaction.create<Record<string, unknown>, { id: string }>({
					model: 'user',
					data: { email, name, emailVerified: false, ...stamps }
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
	}
}

const WRONG_PASSWORD = { outcome: 'wrong-password' } as const;
const WRONG_CREDENTIALS = { outcome: 'wrong-credentials' } as const;

const known = (identity: Identity) => ({ outcome: 'known' as const, identity: identity.identity, email: identity.email });

function toIdentity(user: { id: string; email: string; name: string; emailVerified: boolean }): Identity {
	return { identity: user.id as IdentityId, email: user.email as Email, name: user.name, emailConfirmed: user.emailVerified };
}

/** One line of text; what may stand in a name is the employee record's business. */
function parseName(value: unknown): string | null {
	if (typeof value !== 'string' || value.length > NAME_MAX) return null;
	const name = value.normalize('NFC').trim();
	return name === '' || /\p{Cc}/u.test(name) ? null : name;
}
