/**
 * An authenticator in software: makes passkeys and answers challenges as a browser with a security key would, for tests without a browser. What it says can be bent,
 * to see that the relay minds.
 */
import { createHash, createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

interface CreationOptions {
	readonly challenge: string;
	readonly rp: { readonly id?: string };
	readonly user: { readonly id: string };
}
interface RequestOptions {
	readonly challenge: string;
	readonly rpId?: string;
}

export interface Bent {
	/** Says that nobody was asked for a PIN or a finger. */
	readonly unverified?: boolean;
	readonly origin?: string;
	readonly party?: string;
	readonly challenge?: string;
	readonly counter?: number;
	readonly crossOrigin?: boolean;
	readonly userHandle?: string;
	/** Another key than the one that was registered signs. */
	readonly foreignKey?: boolean;
	/** An attestation with a certificate, which was not asked for. */
	readonly certificate?: boolean;
}

export class Authenticator {
	readonly origin: string;
	readonly id = randomBytes(32).toString('base64url');
	counter = 1;
	readonly #key: KeyObject;
	readonly #publicKey: { x: Buffer; y: Buffer };
	#userHandle = '';

	/** @param origin of the page that asks */
	constructor(origin: string) {
		this.origin = origin;
		const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
		const { x, y } = publicKey.export({ format: 'jwk' });
		this.#key = privateKey;
		this.#publicKey = { x: Buffer.from(x!, 'base64url'), y: Buffer.from(y!, 'base64url') };
	}

	/** `navigator.credentials.create`, as JSON. */
	create(options: CreationOptions, bent: Bent = {}) {
		this.#userHandle = options.user.id;
		const clientData = this.#clientData('webauthn.create', bent.challenge ?? options.challenge, bent);
		const authData = Buffer.concat([
			this.#head(bent.party ?? options.rp.id!, bent, true),
			Buffer.alloc(16), // which model it is: it does not say
			uint16(Buffer.from(this.id, 'base64url').byteLength),
			Buffer.from(this.id, 'base64url'),
			this.#coseKey()
		]);
		const statement = bent.certificate ? [[text('x5c'), array([bytes(randomBytes(40))])]] : [];
		const attestation = map([
			[text('fmt'), text(bent.certificate ? 'packed' : 'none')],
			[text('attStmt'), map(statement as [Buffer, Buffer][])],
			[text('authData'), bytes(authData)]
		]);
		return {
			id: this.id,
			rawId: this.id,
			type: 'public-key',
			clientExtensionResults: {},
			response: { clientDataJSON: clientData.toString('base64url'), attestationObject: attestation.toString('base64url'), transports: ['internal'] }
		};
	}

	/** `navigator.credentials.get`, as JSON. Counts forward by itself. */
	get(options: RequestOptions, bent: Bent = {}) {
		this.counter += 1;
		const clientData = this.#clientData('webauthn.get', bent.challenge ?? options.challenge, bent);
		const authData = this.#head(bent.party ?? options.rpId!, bent, false);
		const signer = createSign('sha256').update(authData).update(createHash('sha256').update(clientData).digest());
		const signature = signer.sign(bent.foreignKey ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : this.#key);
		return {
			id: this.id,
			rawId: this.id,
			type: 'public-key',
			clientExtensionResults: {},
			response: {
				clientDataJSON: clientData.toString('base64url'),
				authenticatorData: authData.toString('base64url'),
				signature: signature.toString('base64url'),
				userHandle: bent.userHandle ?? this.#userHandle
			}
		};
	}

	#clientData(type: string, challenge: string, { origin, crossOrigin = false }: Bent): Buffer {
		return Buffer.from(JSON.stringify({ type, challenge, origin: origin ?? this.origin, crossOrigin }));
	}

	#head(party: string, { unverified, counter }: Bent, isNew: boolean): Buffer {
		const flags = 0x01 | (unverified ? 0 : 0x04) | (isNew ? 0x40 : 0);
		const count = Buffer.alloc(4);
		count.writeUInt32BE(counter ?? this.counter);
		return Buffer.concat([createHash('sha256').update(party).digest(), Buffer.from([flags]), count]);
	}

	/** ES256 on P-256, as COSE has it. */
	#coseKey(): Buffer {
		return map([
			[int(1), int(2)],
			[int(3), int(-7)],
			[int(-1), int(1)],
			[int(-2), bytes(this.#publicKey.x)],
			[int(-3), bytes(this.#publicKey.y)]
		]);
	}
}

// As much CBOR as that needs.
function head(major: number, length: number): Buffer {
	if (length < 24) return Buffer.from([(major << 5) | length]);
	return length < 256 ? Buffer.from([(major << 5) | 24, length]) : Buffer.concat([Buffer.from([(major << 5) | 25]), uint16(length)]);
}
const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const int = (value: number): Buffer => (value < 0 ? head(1, -1 - value) : head(0, value));
const text = (value: string): Buffer => Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
const bytes = (value: Buffer): Buffer => Buffer.concat([head(2, value.byteLength), value]);
const array = (items: readonly Buffer[]): Buffer => Buffer.concat([head(4, items.length), ...items]);
const map = (pairs: readonly (readonly [Buffer, Buffer])[]): Buffer => Buffer.concat([head(5, pairs.length), ...pairs.flat()]);
