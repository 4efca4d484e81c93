/**
 * The vault: what the accounts must be able to read again, and nobody who holds only their file.
 *
 * Promises: AES-256-GCM under a key of its own in DATA_DIR (`accounts.key`, readable by the owner alone); what is sealed for one purpose opens for no other,
 * so that a row moved elsewhere by hand opens nothing there; what cannot be opened is null and no fault, because a restore without the key is a thing that
 * happens. Whoever seals decides what then holds, and must decide for the safe side.
 * Leaves to others: codes and tokens, which nobody has to read again: of those only digests are kept.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { RandomBytes } from '#crdt-model/ids.ts';
import { keptSecret } from '../config.ts';

/** Where the key lies in DATA_DIR: for the relay, and for backup and restore. */
export const ACCOUNTS_KEY = { file: 'accounts.key', bytes: 32 } as const;

const CIPHER = 'aes-256-gcm';
/** What GCM is made for; random nonces of this length are safe for 2^32 texts under one key, which a company never seals. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Names how it was sealed, so that it can be sealed otherwise one day. */
const PREFIX = 'v1.';

export class Vault {
	readonly #key: Uint8Array;
	readonly #random: RandomBytes;

	constructor(key: Uint8Array, random: RandomBytes) {
		if (key.byteLength !== ACCOUNTS_KEY.bytes) throw new Error(`The vault's key has ${ACCOUNTS_KEY.bytes} bytes.`);
		this.#key = key;
		this.#random = random;
	}

	/** Makes the key where there is none. @throws ConfigProblem for a key that is no key */
	static open(dataDir: string, random: RandomBytes): Vault {
		return new Vault(keptSecret(dataDir, ACCOUNTS_KEY.file, ACCOUNTS_KEY.bytes, (target) => random(target)), random);
	}

	/** @param purpose what it is for and, where there are many, whose: `totp identity_…` */
	seal(text: string, purpose: string): string {
		const nonce = this.#random(new Uint8Array(NONCE_BYTES));
		const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
		cipher.setAAD(Buffer.from(purpose, 'utf8'));
		const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
		return PREFIX + sealed.toString('base64url');
	}

	/** Null for what was sealed under another key or for another purpose, was changed since, or is nothing sealed at all. */
	open(sealed: unknown, purpose: string): string | null {
		if (typeof sealed !== 'string' || !sealed.startsWith(PREFIX)) return null;
		const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url');
		if (bytes.byteLength < NONCE_BYTES + TAG_BYTES) return null;
		const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
		decipher.setAAD(Buffer.from(purpose, 'utf8'));
		decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
		try {
			return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
		} catch {
			// The tag is not of these bytes: there is nothing else that `final` throws for.
			return null;
		}
	}
}
