/**
 * Enrolled second factors: whose, under which secret, and which codes are spent.
 *
 * States of a factor: begun (in memory, known to whoever began it) → enrolled, by a right code → removed. Until it is enrolled nothing is asked for.
 * Promises: a secret is on disk only sealed by the vault, recovery codes only as digests; a code is good once, also for two who bring it at the same moment: the
 * step of the last right one is kept, and nothing at or before it counts again; what was begun by one sign-in is confirmed by no other. A secret that the vault
 * cannot open (a restore without its key) leaves the factor standing: recovery codes still open it, and an administrator or the operator resets it.
 * Leaves to others: who may do what, the password beside it, how often one may try (`accounts.ts`), letters.
 */
import type { RandomBytes } from '#crdt-model/ids.ts';
import type { AccountsDatabase } from './database.ts';
import type { IdentityId } from './identities.ts';
import { isEqual, newRecoveryCodes, newTotpSecret, readCode, recoveryDigest, totpStep, totpUri, type TypedCode } from './one-time-codes.ts';
import type { Vault } from './vault.ts';

/** Time to find the phone, install an app and type a code. */
export const ENROLMENT_MS = 30 * 60_000;
/** A company that is told one morning to enrol; the oldest begun give way, and begin again. */
export const ENROLMENTS_UNDER_WAY = 10_000;

export type EnrolmentBegun = { outcome: 'begun'; secret: string; uri: string } | { outcome: 'already-enrolled' };
export type Enrolled =
	| { outcome: 'enrolled'; recoveryCodes: string[] }
	| { outcome: 'wrong-code' }
	/** Nothing was begun by this sign-in, or too long ago. */
	| { outcome: 'not-begun' }
	| { outcome: 'already-enrolled' };

interface Begun {
	identity: IdentityId;
	secret: string;
	lapsesAt: number;
}

export class EnrolledFactors {
	readonly #database: AccountsDatabase;
	readonly #vault: Vault;
	readonly #now: () => number;
	readonly #random: RandomBytes;
	readonly #begun = new Map<string, Begun>();

	constructor(database: AccountsDatabase, vault: Vault, world: { now: () => number; random: RandomBytes }) {
		this.#database = database;
		this.#vault = vault;
		this.#now = world.now;
		this.#random = world.random;
	}

	async has(identity: IdentityId): Promise<boolean> {
		return (await this.#find(identity)) !== null;
	}

	async check(identity: IdentityId, typed: string): Promise<boolean> {
		const code = readCode(typed);
		if (code === null) return false;
		return code.kind === 'totp' ? this.#spendStep(identity, code) : this.#spendRecovery(identity, code);
	}

	/** @param holder the session or ticket that begins it and alone may confirm it. @param label the e-mail address */
	async begin(identity: IdentityId, holder: string, label: string): Promise<EnrolmentBegun> {
		if (await this.has(identity)) return { outcome: 'already-enrolled' };
		const secret = newTotpSecret(this.#random);
		this.#begun.delete(holder);
		if (this.#begun.size >= ENROLMENTS_UNDER_WAY) this.#begun.delete(this.#begun.keys().next().value!);
		this.#begun.set(holder, { identity, secret, lapsesAt: this.#now() + ENROLMENT_MS });
		return { outcome: 'begun', secret, uri: totpUri(secret, label) };
	}

	/** The right code makes it stand, and is spent by that. */
	async confirm(identity: IdentityId, holder: string, typed: unknown): Promise<Enrolled> {
		const begun = this.#begun.get(holder);
		if (begun === undefined || begun.identity !== identity || begun.lapsesAt <= this.#now()) return { outcome: 'not-begun' };
		const code = readCode(typed);
		const step = code?.kind === 'totp' ? totpStep(begun.secret, code.code, this.#now()) : null;
		if (step === null) return { outcome: 'wrong-code' };
		const recoveryCodes = newRecoveryCodes(this.#random);
		const sealed = this.#vault.seal(begun.secret, purposeOf(identity));
		const made = await this.#database.db.transaction().execute(async (transaction) => {
			const row = { identity, sealed, last_step: step, enrolled_at: this.#now() };
			const inserted = await transaction.insertInto('second_factor').values(row).onConflict((on) => on.doNothing()).executeTakeFirst();
			if ((inserted.numInsertedOrUpdatedRows ?? 0n) === 0n) return false;
			await transaction.insertInto('recovery_code').values(recoveryCodes.map((one) => ({ identity, code_sha256: recoveryDigest(one) }))).execute();
			return true;
		});
		this.#begun.delete(holder);
		return made ? { outcome: 'enrolled', recoveryCodes } : { outcome: 'already-enrolled' };
	}

	/** New ones; the old are good for nothing from then on. Null where nothing is enrolled. */
	async renewRecoveryCodes(identity: IdentityId): Promise<string[] | null> {
		const recoveryCodes = newRecoveryCodes(this.#random);
		return this.#database.db.transaction().execute(async (transaction) => {
			const enrolled = await transaction.selectFrom('second_factor').select('identity').where('identity', '=', identity).executeTakeFirst();
			if (enrolled === undefined) return null;
			await transaction.deleteFrom('recovery_code').where('identity', '=', identity).execute();
			await transaction.insertInto('recovery_code').values(recoveryCodes.map((one) => ({ identity, code_sha256: recoveryDigest(one) }))).execute();
			return recoveryCodes;
		});
	}

	/** How many are left, so that a person can be told to make new ones. */
	async recoveryCodesLeft(identity: IdentityId): Promise<number> {
		return (await this.#recoveryDigests(identity)).length;
	}

	/** False if there was none. What was begun and is not enrolled ends as well. */
	async remove(identity: IdentityId): Promise<boolean> {
		for (const [holder, begun] of this.#begun) if (begun.identity === identity) this.#begun.delete(holder);
		const removed = await this.#database.db.deleteFrom('second_factor').where('identity', '=', identity).executeTakeFirst();
		return removed.numDeletedRows > 0n;
	}

	sweep(): void {
		const now = this.#now();
		for (const [holder, { lapsesAt }] of this.#begun) if (lapsesAt <= now) this.#begun.delete(holder);
	}

	async #spendStep(identity: IdentityId, { code }: Extract<TypedCode, { kind: 'totp' }>): Promise<boolean> {
		const found = await this.#find(identity);
		const secret = found && this.#vault.open(found.sealed, purposeOf(identity));
		const step = secret ? totpStep(secret, code, this.#now()) : null;
		if (step === null) return false;
		// One statement: of two who bring the same code at once, one finds the step behind it.
		const spent = await this.#database.db
			.updateTable('second_factor')
			.set({ last_step: step })
			.where('identity', '=', identity)
			.where('sealed', '=', found!.sealed)
			.where('last_step', '<', step)
			.executeTakeFirst();
		return spent.numUpdatedRows > 0n;
	}

	async #spendRecovery(identity: IdentityId, { digest }: Extract<TypedCode, { kind: 'recovery' }>): Promise<boolean> {
		let kept: string | null = null;
		for (const one of await this.#recoveryDigests(identity)) if (isEqual(one, digest)) kept = one;
		if (kept === null) return false;
		const spent = await this.#database.db.deleteFrom('recovery_code').where('identity', '=', identity).where('code_sha256', '=', kept).executeTakeFirst();
		return spent.numDeletedRows > 0n;
	}

	async #recoveryDigests(identity: IdentityId): Promise<string[]> {
		const rows = await this.#database.db.selectFrom('recovery_code').select('code_sha256').where('identity', '=', identity).execute();
		return rows.map((row) => row.code_sha256);
	}

	async #find(identity: IdentityId): Promise<{ sealed: string } | null> {
		return (await this.#database.db.selectFrom('second_factor').select('sealed').where('identity', '=', identity).executeTakeFirst()) ?? null;
	}
}

/** A row that is moved to another identity by hand opens nothing there. */
const purposeOf = (identity: IdentityId): string => `totp ${identity}`;
