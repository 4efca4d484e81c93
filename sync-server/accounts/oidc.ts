/**
 * Signing in with an account of somebody else's (OpenID Connect): the way to the provider and back, in one browser.
 *
 * States of a try: begun (sealed in a cookie of the browser that began it) → answered once, or lapsed.
 * Promises: discovery, PKCE, state and nonce; a token counts only if the provider's own keys signed it, for us, now, in answer to this try; the answer is taken from
 * the browser that began, from the provider that was asked, and once; a provider that is away is an outcome and no fault; nothing of what a provider says reaches a
 * log or an address. Who it is follows from issuer and subject alone: an equal e-mail address proves nothing here.
 * Leaves to others: which identity is linked (`linked-identities.ts`), the second factor and the session (`accounts.ts`), routes.
 */
import { createHash } from 'node:crypto';
import {
	allowInsecureRequests,
	AuthorizationResponseError,
	authorizationCodeGrant,
	buildAuthorizationUrl,
	calculatePKCECodeChallenge,
	ClientSecretBasic,
	ClientSecretPost,
	type Configuration,
	discovery,
	enableNonRepudiationChecks,
	ResponseBodyError
} from 'openid-client';
import * as v from 'valibot';
import { isPortalId, type PortalId, type RandomBytes, type SessionId } from '#crdt-model/ids.ts';
import type { OidcProvider } from '../config.ts';
import type { IdentityId } from './identities.ts';
import type { Vault } from './vault.ts';

/** What somebody went to the provider for. */
export type OidcIntent =
	| { readonly kind: 'sign-in'; readonly portal: PortalId | null; readonly next: string }
	| { readonly kind: 'link'; readonly identity: IdentityId; readonly session: SessionId };

export interface Cookie {
	readonly name: string;
	readonly value: string;
	readonly maxAgeSeconds: number;
}

export type OidcStarted = { outcome: 'started'; location: string; cookie: Cookie } | { outcome: 'unreachable' };

/** Whom the provider says it is. */
export interface ProvidersWord {
	readonly provider: string;
	readonly issuer: string;
	readonly subject: string;
	/** How the person knows the account: its address or name. Shown to its owner, and proof of nothing. */
	readonly label: string | null;
}
export type OidcProblem =
	/** Nothing was begun in this browser, or too long ago, or it was answered already. */
	| 'oidc-expired'
	/** The person, or the provider for them, said no. */
	| 'oidc-cancelled'
	| 'oidc-unreachable'
	/** The answer does not hold. */
	| 'oidc-failed';
export type OidcFinished =
	| { outcome: 'known'; intent: OidcIntent; word: ProvidersWord }
	| { outcome: 'problem'; intent: OidcIntent | null; problem: OidcProblem };

/** A person types a password there, and perhaps a code. */
export const OIDC_TRY_MS = 10 * 60_000;
/** Answers that are remembered until they lapse, so that none counts twice; a provider refuses its own codes a second time as well. */
export const OIDC_ANSWERS_REMEMBERED = 10_000;
/** What a provider says of itself changes rarely; its keys are looked up anew by themselves. */
const DISCOVERED_MS = 3_600_000;
/** A provider that is away is asked again after this, however many people press the button meanwhile. */
const AWAY_MS = 5_000;
const PROVIDER_TIMEOUT_SECONDS = 10;
const COOKIE_PREFIX = 'atrium_oidc_';
const LABEL_MAX = 200;
/** OpenID Connect Core 2: at most 255 ASCII characters; an issuer is an address. */
const SUBJECT_MAX = 255;
const ISSUER_MAX = 500;

const begunSchema = v.strictObject({
	provider: v.string(),
	state: v.string(),
	nonce: v.string(),
	verifier: v.string(),
	lapsesAt: v.number(),
	intent: v.variant('kind', [
		v.strictObject({ kind: v.literal('sign-in'), portal: v.nullable(v.custom<PortalId>(isPortalId)), next: v.string() }),
		v.strictObject({ kind: v.literal('link'), identity: v.custom<IdentityId>((value) => typeof value === 'string'), session: v.custom<SessionId>((value) => typeof value === 'string') })
	])
});
type Begun = v.InferOutput<typeof begunSchema>;

export class Oidc {
	readonly #providers: ReadonlyMap<string, OidcProvider>;
	readonly #publicUrl: string;
	readonly #vault: Vault;
	readonly #now: () => number;
	readonly #random: RandomBytes;
	readonly #discovered = new Map<string, { configuration: Promise<Configuration | null>; until: number }>();
	/** Digests of the states that were answered, with when they lapse anyway; oldest first. */
	readonly #answered = new Map<string, number>();

	constructor(providers: readonly OidcProvider[], world: { publicUrl: string; vault: Vault; now: () => number; random: RandomBytes }) {
		this.#providers = new Map(providers.map((provider) => [provider.id, provider]));
		this.#publicUrl = world.publicUrl;
		this.#vault = world.vault;
		this.#now = world.now;
		this.#random = world.random;
	}

	/** In the order of the configuration. */
	get providers(): { id: string; name: string }[] {
		return [...this.#providers.values()].map(({ id, name }) => ({ id, name }));
	}

	has(provider: string): boolean {
		return this.#providers.has(provider);
	}

	/** Where the browser goes, and the cookie without which it may not come back. @param id of a provider that is there */
	async start(id: string, intent: OidcIntent): Promise<OidcStarted> {
		const provider = this.#providers.get(id)!;
		const configuration = await this.#configurationOf(provider);
		if (configuration === null) return { outcome: 'unreachable' };
		const begun: Begun = { provider: id, state: this.#secret(), nonce: this.#secret(), verifier: this.#secret(), lapsesAt: this.#now() + OIDC_TRY_MS, intent };
		const location = buildAuthorizationUrl(configuration, {
			redirect_uri: this.#callbackOf(id),
			response_type: 'code',
			scope: 'openid profile email',
			state: begun.state,
			nonce: begun.nonce,
			code_challenge: await calculatePKCECodeChallenge(begun.verifier),
			code_challenge_method: 'S256'
		});
		const cookie = { name: cookieName(begun.state), value: this.#vault.seal(JSON.stringify(begun), PURPOSE), maxAgeSeconds: OIDC_TRY_MS / 1000 };
		return { outcome: 'started', location: location.href, cookie };
	}

	/** The name of the cookie that an answer needs; null for an answer that can be to nothing. @param query as the browser brought it */
	cookieOf(query: URLSearchParams): string | null {
		const states = query.getAll('state');
		return states.length === 1 && STATE.test(states[0]!) ? cookieName(states[0]!) : null;
	}

	/** @param cookie the value that the browser brought under `cookieOf` */
	async finish(id: string, query: URLSearchParams, cookie: string | null): Promise<OidcFinished> {
		const begun = this.#begun(cookie);
		if (begun === null || begun.provider !== id || query.get('state') !== begun.state || !this.#takeFirst(begun)) return { outcome: 'problem', intent: null, problem: 'oidc-expired' };
		const { intent } = begun;
		const provider = this.#providers.get(id)!;
		const configuration = await this.#configurationOf(provider);
		if (configuration === null) return { outcome: 'problem', intent, problem: 'oidc-unreachable' };
		const url = new URL(this.#callbackOf(id));
		url.search = query.toString();
		try {
			const tokens = await authorizationCodeGrant(configuration, url, { expectedState: begun.state, expectedNonce: begun.nonce, pkceCodeVerifier: begun.verifier, idTokenExpected: true });
			const claims = tokens.claims();
			if (!claims || claims.sub === '' || claims.sub.length > SUBJECT_MAX || claims.iss.length > ISSUER_MAX) return { outcome: 'problem', intent, problem: 'oidc-failed' };
			return { outcome: 'known', intent, word: { provider: id, issuer: claims.iss, subject: claims.sub, label: labelOf(claims) } };
		} catch (error) {
			return { outcome: 'problem', intent, problem: problemOf(error) };
		}
	}

	sweep(): void {
		const now = this.#now();
		for (const [state, lapsesAt] of this.#answered) if (lapsesAt <= now) this.#answered.delete(state);
	}

	#begun(cookie: string | null): Begun | null {
		const opened = cookie === null ? null : this.#vault.open(cookie, PURPOSE);
		if (opened === null) return null;
		const parsed = v.safeParse(begunSchema, JSON.parse(opened));
		return parsed.success && parsed.output.lapsesAt > this.#now() ? parsed.output : null;
	}

	#takeFirst({ state, lapsesAt }: Begun): boolean {
		const key = digest(state);
		if (this.#answered.has(key)) return false;
		if (this.#answered.size >= OIDC_ANSWERS_REMEMBERED) this.#answered.delete(this.#answered.keys().next().value!);
		this.#answered.set(key, lapsesAt);
		return true;
	}

	#callbackOf(id: string): string {
		return `${this.#publicUrl}/api/v1/oidc/${id}/callback`;
	}

	#secret(): string {
		return Buffer.from(this.#random(new Uint8Array(32))).toString('base64url');
	}

	/** Null while the provider cannot be reached or says nothing that makes sense. Whoever asks at once waits for one question. */
	#configurationOf(provider: OidcProvider): Promise<Configuration | null> {
		const known = this.#discovered.get(provider.id);
		if (known && known.until > this.#now()) return known.configuration;
		const entry = { configuration: discover(provider), until: this.#now() + DISCOVERED_MS };
		this.#discovered.set(provider.id, entry);
		void entry.configuration.then((configuration) => {
			if (configuration === null) entry.until = this.#now() + AWAY_MS;
		});
		return entry.configuration;
	}
}

const PURPOSE = 'oidc try';
const STATE = /^[A-Za-z0-9_-]{43}$/;
/** One cookie per try, so that two tabs do not take each other's. */
const cookieName = (state: string): string => `${COOKIE_PREFIX}${digest(state).slice(0, 12)}`;
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

async function discover({ issuer, clientId, clientSecret }: OidcProvider): Promise<Configuration | null> {
	const url = new URL(issuer);
	try {
		const options = { timeout: PROVIDER_TIMEOUT_SECONDS, execute: [enableNonRepudiationChecks, ...(url.protocol === 'http:' ? [allowInsecureRequests] : [])] };
		const found = await discovery(url, clientId, { client_secret: clientSecret }, ClientSecretPost(clientSecret), options);
		const methods = found.serverMetadata().token_endpoint_auth_methods_supported;
		// Without a word on it, Basic is what the specification has every provider do.
		if (methods?.includes('client_secret_post')) return found;
		return await discovery(url, clientId, { client_secret: clientSecret }, ClientSecretBasic(clientSecret), options);
	} catch {
		return null; // away, or no provider: the outcome says so, and there is nothing here that an operator would not see by opening the address
	}
}

/** The codes of errors that say that the provider could not be asked. */
const AWAY_CODES = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT']);

/** Which of our words it is; what the provider said of it stays here. */
function problemOf(error: unknown): OidcProblem {
	if (error instanceof AuthorizationResponseError) return error.error === 'access_denied' ? 'oidc-cancelled' : 'oidc-failed';
	if (error instanceof ResponseBodyError) return 'oidc-failed';
	const { code, name, cause } = error as { code?: string; name?: string; cause?: unknown };
	// `fetch` says by a TypeError with a cause that nobody answered.
	const away = AWAY_CODES.has(code ?? '') || (name === 'TypeError' && cause instanceof Error);
	return away ? 'oidc-unreachable' : 'oidc-failed';
}

function labelOf(claims: Readonly<Record<string, unknown>>): string | null {
	for (const claim of [claims['email'], claims['preferred_username'], claims['name']]) {
		if (typeof claim !== 'string') continue;
		const label = claim.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\s]+/gu, ' ').trim();
		if (label !== '') return [...label].slice(0, LABEL_MAX).join('');
	}
	return null;
}

/** A path of this site, whatever was asked for: nobody is sent elsewhere by a link to us. */
export function sitePath(value: unknown): string {
	const here = 'http://here.invalid';
	if (typeof value !== 'string' || value.length > 1_000 || !/^\/(?![/\\])/.test(value) || /[\\\p{Cc}]/u.test(value) || !URL.canParse(value, here)) return '/';
	const url = new URL(value, here);
	return url.origin === here && !url.pathname.startsWith('//') ? `${url.pathname}${url.search}${url.hash}` : '/';
}
