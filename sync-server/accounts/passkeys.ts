/**
 * Passkeys: a key on a person's device that signs in by itself, after the device has seen who holds it.
 *
 * States of a passkey: asked for (a ticket with a challenge) → kept → removed.
 * Promises: a challenge is good once and for what it was made for; only answers from the page of ours that asked, for our address and with the person verified,
 * count; a counter that did not go forward is a copy of the key and signs nobody in; what a browser sends makes us fetch nothing (attestations with certificates
 * would: they are refused, and none is asked for).
 * Leaves to others: the password before one is added, sessions, letters, and that a passkey counts as both factors (`accounts.ts`).
 */
import { generateAuthenticationOptions, generateRegistrationOptions, verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject, decodeClientDataJSON } from '@simplewebauthn/server/helpers';
import * as v from 'valibot';
import type { RandomBytes } from '#crdt-model/ids.ts';
import { networkOf } from './attempts.ts';
import { type AccountsDatabase, isUniqueViolation } from './database.ts';
import type { Identity, IdentityId } from './identities.ts';
import type { RelyingParty } from './relying-party.ts';
import { type Tickets, ticketPurpose } from './tickets.ts';

export interface Passkey {
	/** The credential's id, which is no secret. */
	readonly id: string;
	/** As its owner called it. */
	readonly name: string;
	readonly createdAt: number;
	readonly lastUsedAt: number | null;
}

export type PasskeyAdded =
	| { outcome: 'added'; passkey: Passkey }
	/** The ticket is unknown, lapsed, used, or somebody else's. */
	| { outcome: 'unknown-ticket' }
	/** What the browser sent is no answer to the challenge from here. */
	| { outcome: 'refused' }
	| { outcome: 'already-added' }
	| { outcome: 'too-many' };
export type PasskeyRecognised = { outcome: 'recognised'; identity: IdentityId } | { outcome: 'refused' };

type Options = { ticket: string; options: unknown };

/** Devices of one person; beyond it somebody adds them by script. */
export const PASSKEYS_PER_IDENTITY = 20;
export const PASSKEY_NAME_MAX = 60;
/** A person looks for their phone, and the browser waits as long. */
const CEREMONY_MS = 5 * 60_000;
const CHALLENGE_BYTES = 32;
/** EdDSA, ES256 and RS256: what authenticators make. */
const ALGORITHMS = [-8, -7, -257];

interface Ceremony {
	readonly challenge: string;
	readonly party: RelyingParty;
}
const REGISTRATION = ticketPurpose<Ceremony & { readonly identity: IdentityId }>('passkey-registration');
const SIGN_IN = ticketPurpose<Ceremony>('passkey-sign-in');

const base64url = (most: number) => v.pipe(v.string(), v.maxLength(most), v.regex(/^[A-Za-z0-9_-]+$/));
const credentialId = base64url(1_400);
const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;

/** What `navigator.credentials.create` gave, as JSON. Members that browsers add are left out. */
export const registrationResponse = v.object({
	id: credentialId,
	rawId: credentialId,
	type: v.literal('public-key'),
	response: v.object({
		clientDataJSON: base64url(8_192),
		attestationObject: base64url(65_536),
		transports: v.optional(v.pipe(v.array(v.string()), v.maxLength(20)))
	})
});
/** What `navigator.credentials.get` gave, as JSON. */
export const authenticationResponse = v.object({
	id: credentialId,
	rawId: credentialId,
	type: v.literal('public-key'),
	response: v.object({
		clientDataJSON: base64url(8_192),
		authenticatorData: base64url(8_192),
		signature: base64url(8_192),
		userHandle: v.optional(v.nullable(base64url(128)))
	})
});

export class Passkeys {
	readonly #database: AccountsDatabase;
	readonly #tickets: Tickets;
	readonly #now: () => number;
	readonly #random: RandomBytes;

	constructor(database: AccountsDatabase, tickets: Tickets, world: { now: () => number; random: RandomBytes }) {
		this.#database = database;
		this.#tickets = tickets;
		this.#now = world.now;
		this.#random = world.random;
	}

	/** What the browser needs for a new one. The caller has seen the password. */
	async registration({ identity, email, name }: Identity, party: RelyingParty): Promise<Options> {
		const challenge = this.#challenge();
		const known = await this.#database.db.selectFrom('passkey').select('id').where('identity', '=', identity).where('party', '=', party.id).execute();
		const options = await generateRegistrationOptions({
			rpName: 'Atrium',
			rpID: party.id,
			userID: Uint8Array.from(Buffer.from(identity)),
			userName: email,
			userDisplayName: name,
			challenge: Uint8Array.from(Buffer.from(challenge, 'base64url')),
			timeout: CEREMONY_MS,
			attestationType: 'none',
			excludeCredentials: known.map(({ id }) => ({ id })),
			// To be found without a name typed, and never without the person verified: it stands for both factors.
			authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
			supportedAlgorithmIDs: ALGORITHMS
		});
		return { ticket: this.#tickets.issue(REGISTRATION, { challenge, party, identity }, CEREMONY_MS, identity), options };
	}

	async add(identity: IdentityId, ticket: unknown, response: v.InferOutput<typeof registrationResponse>, name: string): Promise<PasskeyAdded> {
		const ceremony = this.#tickets.peek(REGISTRATION, ticket);
		if (ceremony === null || ceremony.identity !== identity || this.#tickets.take(REGISTRATION, ticket) === null) return { outcome: 'unknown-ticket' };
		const credential = await verifiedCredential(response, ceremony);
		if (credential === null) return { outcome: 'refused' };
		const at = this.#now();
		const transports = (response.response.transports ?? []).filter((one) => (TRANSPORTS as readonly string[]).includes(one)).join(' ');
		const row = {
			id: credential.id,
			identity,
			party: ceremony.party.id,
			public_key: Buffer.from(credential.publicKey).toString('base64url'),
			counter: credential.counter,
			transports,
			name,
			created_at: at,
			last_used_at: null
		};
		try {
			const added = await this.#database.db.transaction().execute(async (transaction) => {
				const { count } = await transaction
					.selectFrom('passkey')
					.select((eb) => eb.fn.countAll<number>().as('count'))
					.where('identity', '=', identity)
					.executeTakeFirstOrThrow();
				if (Number(count) >= PASSKEYS_PER_IDENTITY) return false;
				await transaction.insertInto('passkey').values(row).execute();
				return true;
			});
			if (!added) return { outcome: 'too-many' };
		} catch (error) {
			if (isUniqueViolation(error)) return { outcome: 'already-added' };
			throw error;
		}
		return { outcome: 'added', passkey: { id: row.id, name, createdAt: at, lastUsedAt: null } };
	}

	/** What the browser needs to find one of its own; who it is comes out afterwards. @param ip from where nobody asks; null where nobody knows */
	async signIn(party: RelyingParty, ip: string | null = null): Promise<Options> {
		const challenge = this.#challenge();
		const options = await generateAuthenticationOptions({
			rpID: party.id,
			challenge: Uint8Array.from(Buffer.from(challenge, 'base64url')),
			timeout: CEREMONY_MS,
			userVerification: 'required'
		});
		return { ticket: this.#tickets.issue(SIGN_IN, { challenge, party }, CEREMONY_MS, ip === null ? null : networkOf(ip)), options };
	}

	/** Whose passkey answered the challenge of the ticket, which is spent by it whatever comes out. */
	async recognise(ticket: unknown, presented: unknown): Promise<PasskeyRecognised> {
		const ceremony = this.#tickets.take(SIGN_IN, ticket);
		const parsed = v.safeParse(authenticationResponse, presented);
		if (ceremony === null || !parsed.success) return REFUSED;
		const { output: response } = parsed;
		const kept = await this.#database.db.selectFrom('passkey').selectAll().where('id', '=', response.id).where('party', '=', ceremony.party.id).executeTakeFirst();
		if (kept === undefined) return REFUSED;
		const { userHandle } = response.response;
		if (userHandle && Buffer.from(userHandle, 'base64url').toString('utf8') !== kept.identity) return REFUSED;
		const counter = await verifiedCounter(response, ceremony, kept);
		if (counter === null) return REFUSED;
		// One statement: of two answers with one counter the second is a copy. Keys without a counter say 0 for ever.
		const used = await this.#database.db
			.updateTable('passkey')
			.set({ counter, last_used_at: this.#now() })
			.where('id', '=', kept.id)
			.where((eb) => eb.or([eb('counter', '<', counter), eb.and([eb('counter', '=', 0), eb(eb.val(counter), '=', 0)])]))
			.executeTakeFirst();
		return used.numUpdatedRows > 0n ? { outcome: 'recognised', identity: kept.identity as IdentityId } : REFUSED;
	}

	async of(identity: IdentityId): Promise<Passkey[]> {
		const rows = await this.#database.db
			.selectFrom('passkey')
			.select(['id', 'name', 'created_at as createdAt', 'last_used_at as lastUsedAt'])
			.where('identity', '=', identity)
			.orderBy('created_at')
			.orderBy('id')
			.execute();
		return rows;
	}

	/** False if the identity has none of that id. */
	async remove(identity: IdentityId, id: string): Promise<boolean> {
		const removed = await this.#database.db.deleteFrom('passkey').where('identity', '=', identity).where('id', '=', id).executeTakeFirst();
		return removed.numDeletedRows > 0n;
	}

	#challenge(): string {
		return Buffer.from(this.#random(new Uint8Array(CHALLENGE_BYTES))).toString('base64url');
	}
}

const REFUSED = { outcome: 'refused' } as const;

async function verifiedCredential(response: v.InferOutput<typeof registrationResponse>, { challenge, party }: Ceremony) {
	try {
		if (decodeClientDataJSON(response.response.clientDataJSON).crossOrigin) return null;
		const attestation = decodeAttestationObject(Uint8Array.from(Buffer.from(response.response.attestationObject, 'base64url')));
		const format = attestation.get('fmt');
		if (format !== 'none' && !(format === 'packed' && attestation.get('attStmt').get('x5c') === undefined)) return null;
		const { verified, registrationInfo } = await verifyRegistrationResponse({
			response: { ...response, clientExtensionResults: {} } as Parameters<typeof verifyRegistrationResponse>[0]['response'],
			expectedChallenge: challenge,
			expectedOrigin: party.origin,
			expectedRPID: party.id,
			requireUserVerification: true,
			supportedAlgorithmIDs: ALGORITHMS
		});
		return verified ? registrationInfo.credential : null;
	} catch {
		// The library says by throwing what does not fit, also of bytes that are no CBOR; none of it is a fault of ours, and the message quotes what was sent.
		return null;
	}
}

async function verifiedCounter(
	response: v.InferOutput<typeof authenticationResponse>,
	{ challenge, party }: Ceremony,
	kept: { id: string; public_key: string; counter: number }
): Promise<number | null> {
	try {
		if (decodeClientDataJSON(response.response.clientDataJSON).crossOrigin) return null;
		const { verified, authenticationInfo } = await verifyAuthenticationResponse({
			response: { ...response, clientExtensionResults: {} } as Parameters<typeof verifyAuthenticationResponse>[0]['response'],
			expectedChallenge: challenge,
			expectedOrigin: party.origin,
			expectedRPID: party.id,
			requireUserVerification: true,
			credential: { id: kept.id, publicKey: Uint8Array.from(Buffer.from(kept.public_key, 'base64url')), counter: kept.counter }
		});
		return verified ? authenticationInfo.newCounter : null;
	} catch {
		return null; // as above
	}
}
