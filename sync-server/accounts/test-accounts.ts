/**
 * What the tests of this folder share: accounts over a temporary folder, on disk only as far as the end of a process is survived, a clock that is moved by hand, a cheap hash.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomFillSync } from 'node:crypto';
import { IdMaker, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import { Accounts } from './accounts.ts';
import type { IdentityId } from './identities.ts';
import { argon2Hasher, type PasswordHasher } from './password.ts';

export const ids = new IdMaker();
export const PASSWORD = 'correct horse battery';

export class World {
	readonly folder = mkdtempSync(join(tmpdir(), 'atrium-accounts-'));
	now = Date.parse('2026-01-01T12:00:00Z');
	hashes = 0;
	#accounts: Accounts | null = null;

	/** Argon2id all the same, at its smallest; counts its work, so that equal cost is seen without a stopwatch. */
	readonly hasher: PasswordHasher = ((cheap) => ({
		hash: (password: string) => (this.hashes++, cheap.hash(password)),
		verify: (stored: string, password: string) => (this.hashes++, cheap.verify(stored, password))
	}))(argon2Hasher((target) => randomFillSync(target), { memoryKib: 8, passes: 1, lanes: 1 }));

	async open(): Promise<Accounts> {
		this.#accounts = await Accounts.open({ folder: this.folder, now: () => this.now, hasher: this.hasher, outlives: 'the-process' });
		return this.#accounts;
	}

	async reopen(): Promise<Accounts> {
		await this.#accounts?.close();
		return this.open();
	}

	async end(): Promise<void> {
		await this.#accounts?.close();
		rmSync(this.folder, { recursive: true, force: true });
	}
}

export interface Member {
	identity: IdentityId;
	portal: PortalId;
	employee: PersonId;
}

export async function member(accounts: Accounts, email: string, portal: PortalId = ids.portal()): Promise<Member> {
	const registered = await accounts.registerIdentity({ email, password: PASSWORD, name: 'Ann' });
	if (registered.outcome !== 'created' && registered.outcome !== 'known') throw new Error(registered.outcome);
	const belongs = { identity: registered.identity, portal, employee: ids.document('employee') };
	const added = await accounts.addMembership(belongs);
	if (added.outcome !== 'added') throw new Error(added.outcome);
	return belongs;
}

export async function token(accounts: Accounts, who: Member): Promise<string> {
	const started = await accounts.startSession({ ...who, userAgent: 'test', ip: '192.0.2.1' });
	if (started.outcome !== 'started') throw new Error(started.outcome);
	return started.token;
}
