/**
 * An OpenID Connect provider of one's own for tests, on a free port of 127.0.0.1: real discovery, keys, codes and tokens. Whoever is sent to it is signed in at once
 * as `account` and sent back. What it gives can be spoilt for one answer, to see that the relay minds.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

export interface Account {
	readonly sub: string;
	readonly email?: string;
	readonly name?: string;
}

/** How the next token lies. */
export interface Spoilt {
	/** Claims in place of the right ones; undefined leaves one out. */
	readonly claims?: Readonly<Record<string, unknown>>;
	/** Signed by a key that is not in the published ones, or by nobody. */
	readonly signature?: 'foreign' | 'none';
}

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

interface Granted {
	readonly account: Account;
	readonly redirectUri: string;
	readonly nonce: string | null;
	readonly challenge: string | null;
}

export class OidcIssuer {
	readonly clientId = 'atrium-test';
	readonly clientSecret = 'a secret of the test issuer';
	account: Account = { sub: 'subject-1', email: 'ann@example.com', name: 'Ann Lee' };
	spoilt: Spoilt = {};
	/** Answers `access_denied` in place of a code. */
	denies = false;
	/** Takes a code again and again, as no provider may. */
	isLenient = false;
	readonly asked: string[] = [];
	readonly #server: Server;
	readonly #key: KeyPair;
	readonly #foreign: KeyPair;
	readonly #granted = new Map<string, Granted>();

	static async start(): Promise<OidcIssuer> {
		const [key, foreign] = await Promise.all([generateKeyPair('RS256', { extractable: true }), generateKeyPair('RS256', { extractable: true })]);
		const server = createServer();
		await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
		return new OidcIssuer(server, key, foreign);
	}

	private constructor(server: Server, key: KeyPair, foreign: KeyPair) {
		this.#server = server;
		this.#key = key;
		this.#foreign = foreign;
		server.on('request', (request, response) => void this.#answer(request, response).catch((error) => response.destroy(error as Error)));
	}

	get url(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	/** For a relay that shall know it as this provider: a part of its environment. */
	environment(id = 'acme', name = 'Acme'): Record<string, string> {
		const variable = `OIDC_${id.toUpperCase().replaceAll('-', '_')}`;
		return { OIDC_PROVIDERS: id, [`${variable}_NAME`]: name, [`${variable}_ISSUER`]: this.url, [`${variable}_CLIENT_ID`]: this.clientId, [`${variable}_CLIENT_SECRET`]: this.clientSecret };
	}

	/** What the browser does there: where it is sent back to. */
	async visit(location: string): Promise<URL> {
		const response = await fetch(location, { redirect: 'manual' });
		const back = response.headers.get('location');
		if (back === null) throw new Error(`the issuer answered ${response.status}: ${await response.text()}`);
		return new URL(back);
	}

	async close(): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((closed) => this.#server.close(closed));
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const url = new URL(request.url!, this.url);
		this.asked.push(`${request.method} ${url.pathname}`);
		if (url.pathname === '/.well-known/openid-configuration') return json(response, 200, this.#metadata());
		if (url.pathname === '/jwks') return json(response, 200, { keys: [{ ...(await exportJWK(this.#key.publicKey)), kid: 'one', use: 'sig', alg: 'RS256' }] });
		if (url.pathname === '/authorize') return this.#authorize(url, response);
		if (url.pathname === '/token' && request.method === 'POST') return this.#token(request, response);
		json(response, 404, { error: 'not_found' });
	}

	#metadata() {
		return {
			issuer: this.url,
			authorization_endpoint: `${this.url}/authorize`,
			token_endpoint: `${this.url}/token`,
			jwks_uri: `${this.url}/jwks`,
			response_types_supported: ['code'],
			subject_types_supported: ['public'],
			id_token_signing_alg_values_supported: ['RS256'],
			code_challenge_methods_supported: ['S256'],
			token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post']
		};
	}

	#authorize({ searchParams: asked }: URL, response: ServerResponse): void {
		const redirectUri = asked.get('redirect_uri') ?? '';
		if (asked.get('client_id') !== this.clientId || asked.get('response_type') !== 'code' || !asked.get('scope')?.split(' ').includes('openid') || !URL.canParse(redirectUri)) {
			return json(response, 400, { error: 'invalid_request' });
		}
		const back = new URL(redirectUri);
		const state = asked.get('state');
		if (state !== null) back.searchParams.set('state', state);
		if (this.denies) {
			back.searchParams.set('error', 'access_denied');
		} else {
			const code = randomBytes(16).toString('base64url');
			const challenge = asked.get('code_challenge_method') === 'S256' ? asked.get('code_challenge') : null;
			this.#granted.set(code, { account: this.account, redirectUri, nonce: asked.get('nonce'), challenge });
			back.searchParams.set('code', code);
		}
		response.writeHead(302, { location: back.href }).end();
	}

	async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
		let body = '';
		for await (const chunk of request) body += String(chunk);
		const asked = new URLSearchParams(body);
		if (!this.#isClient(request.headers.authorization, asked)) return json(response, 401, { error: 'invalid_client' });
		const code = asked.get('code') ?? '';
		const granted = this.#granted.get(code);
		if (!this.isLenient) this.#granted.delete(code);
		const verifier = asked.get('code_verifier') ?? '';
		const isRight =
			asked.get('grant_type') === 'authorization_code' &&
			granted?.redirectUri === asked.get('redirect_uri') &&
			granted?.challenge === createHash('sha256').update(verifier).digest('base64url');
		if (!granted || !isRight) return json(response, 400, { error: 'invalid_grant' });
		const idToken = await this.#idToken(granted);
		json(response, 200, { access_token: randomBytes(16).toString('base64url'), token_type: 'Bearer', expires_in: 300, id_token: idToken });
	}

	#isClient(authorization: string | undefined, asked: URLSearchParams): boolean {
		if (asked.get('client_id') === this.clientId && asked.get('client_secret') === this.clientSecret) return true;
		const [, basic] = /^Basic (.+)$/.exec(authorization ?? '') ?? [];
		const [id, secret] = Buffer.from(basic ?? '', 'base64').toString('utf8').split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
		return id === this.clientId && secret === this.clientSecret;
	}

	async #idToken({ account, nonce }: Granted): Promise<string> {
		const now = Math.floor(Date.now() / 1000);
		const { claims = {}, signature } = this.spoilt;
		this.spoilt = {};
		const payload = { ...account, iss: this.url, aud: this.clientId, iat: now, exp: now + 300, ...(nonce !== null && { nonce }), ...claims } as JWTPayload;
		if (signature === 'none') return `${encoded({ alg: 'none' })}.${encoded(payload)}.`;
		const key = signature === 'foreign' ? this.#foreign : this.#key;
		return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(key.privateKey);
	}
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function json(response: ServerResponse, status: number, body: object): void {
	response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
