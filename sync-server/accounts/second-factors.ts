/**
 * Second factors: what a person proves beside the password. Signing in asks through this and knows nothing of how.
 */
import type { IdentityId } from './identities.ts';

export interface SecondFactors {
	/** Whether a sign-in of this identity must bring a code. */
	has(identity: IdentityId): Promise<boolean>;
	/** Whether the code is right; a right one is spent by it. How often one may try is counted by whoever asks (`Accounts.checkCode`). */
	check(identity: IdentityId, code: string): Promise<boolean>;
	/**
	 * Drops everything by which somebody signs in as this identity beside its password: factors, recovery codes, passkeys, links. Asked where the owner of the
	 * address takes an identity over that somebody else had set up.
	 */
	forget(identity: IdentityId): Promise<void>;
}
