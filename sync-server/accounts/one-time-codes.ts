/**
 * One-time codes: those of an authenticator app (TOTP, RFC 6238: SHA-1, six digits, thirty seconds, which is what every app can do), and recovery codes.
 *
 * Promises: pure; a code is compared in constant time; what a person types with blanks, dashes or in another case is what they meant.
 * Leaves to others: that a code is good once, how often one may try, where anything is kept (`enrolled-factors.ts`).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { HOTP, Secret, TOTP } from 'otpauth';
import type { RandomBytes } from '#crdt-model/ids.ts';

export const STEP_MS = 30_000;
/** A clock of a phone that is half a minute off, either way; each step more would be one more right code for a guesser. */
export const STEPS_OFF = 1;
/** RFC 4226 asks for 160 bits. */
const SECRET_BYTES = 20;
const DIGITS = 6;
/** What authenticator apps show above the code. */
const ISSUER = 'Atrium';

export const RECOVERY_CODES = 10;
/** 80 bits: kept as a plain SHA-256, a code must be beyond guessing also for whoever has the file. */
const RECOVERY_BYTES = 10;
const RECOVERY_GROUP = 4;

/** Base32, as authenticator apps take it by hand. */
export function newTotpSecret(random: RandomBytes): string {
	return new Secret({ buffer: new Uint8Array(random(new Uint8Array(SECRET_BYTES))).buffer }).base32;
}

/** The address that a QR code holds. @param label what tells this entry from others in the app: the e-mail address */
export function totpUri(secret: string, label: string): string {
	return new TOTP({ secret, issuer: ISSUER, label, algorithm: 'SHA1', digits: DIGITS, period: STEP_MS / 1000 }).toString();
}

/** The code of a moment. @param now milliseconds since 1970 */
export function totpCode(secret: string, now: number): string {
	return codeOfStep(Secret.fromBase32(secret), Math.floor(now / STEP_MS));
}

const codeOfStep = (secret: Secret, step: number): string => HOTP.generate({ secret, counter: step, algorithm: 'SHA1', digits: DIGITS });

/** The step that a code is of, or null where it is wrong. @param now milliseconds since 1970 */
export function totpStep(secret: string, code: string, now: number): number | null {
	const key = Secret.fromBase32(secret);
	const present = Math.floor(now / STEP_MS);
	let found: number | null = null;
	// All of them, always: how long it takes says nothing about which was right.
	for (let step = Math.max(0, present - STEPS_OFF); step <= present + STEPS_OFF; step++) {
		if (isEqual(codeOfStep(key, step), code)) found = step;
	}
	return found;
}

export type TypedCode = { kind: 'totp'; code: string } | { kind: 'recovery'; digest: string };

/** What somebody typed as a code, or null if it can be none. */
export function readCode(typed: unknown): TypedCode | null {
	if (typeof typed !== 'string' || typed.length > 100) return null;
	const code = typed.replace(/[\s\p{Pd}]+/gu, '').toUpperCase();
	if (new RegExp(`^\\d{${DIGITS}}$`).test(code)) return { kind: 'totp', code };
	return /^[A-Z2-7]{16}$/.test(code) ? { kind: 'recovery', digest: recoveryDigest(code) } : null;
}

export const isRecoveryCode = (typed: unknown): boolean => readCode(typed)?.kind === 'recovery';

/** `ABCD-EFGH-IJKL-MNOP`, ten of them. */
export function newRecoveryCodes(random: RandomBytes): string[] {
	return Array.from({ length: RECOVERY_CODES }, () => {
		const code = new Secret({ buffer: new Uint8Array(random(new Uint8Array(RECOVERY_BYTES))).buffer }).base32;
		return code.match(new RegExp(`.{${RECOVERY_GROUP}}`, 'g'))!.join('-');
	});
}

/** What is kept of a recovery code. */
export function recoveryDigest(code: string): string {
	return createHash('sha256').update(code.replaceAll('-', '')).digest('base64url');
}

export function isEqual(one: string, other: string): boolean {
	const [a, b] = [Buffer.from(one), Buffer.from(other)];
	return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
