/** SHA-256 in hexadecimal, as the record of a file names its bytes. */
import { digest as slowDigest } from 'lib0/hash/sha256';

export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
	// Browsers keep `subtle` from pages that came over plain http: there it takes a second per 20 MB.
	const hash = globalThis.crypto?.subtle ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)) : slowDigest(bytes);
	return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
