/**
 * Configuration: the environment, read once and made a typed value.
 *
 * Promises: a bad value, or a folder that cannot be used, is one `ConfigProblem` with one line that names the variable and the way out;
 * nothing here has an effect when it is imported; the claim on DATA_DIR dies with the process, also by `kill -9`.
 * Leaves to others: listening (socket/server.ts finds out whether the port is free), what a value is used for.
 */
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSecureContext } from 'node:tls';
import { parseNetwork, type Network } from '#crdt-model/access/networks.ts';

export interface Tls {
	readonly certFile: string;
	readonly keyFile: string;
}

/** Who may found a portal here: anybody, only the first one, or nobody but the operator. */
export const FOUNDING = ['open', 'first', 'closed'] as const;
export type Founding = (typeof FOUNDING)[number];

export interface Config {
	readonly host: string;
	/** 0 takes any free port. */
	readonly port: number;
	readonly dataDir: string;
	/** Where the SQLite files of the portals lie. */
	readonly storageDir: string;
	/** Null where PUBLIC_URL is not set: then it follows from host and port. */
	readonly publicUrl: string | null;
	readonly smtpUrl: string | null;
	readonly tls: Tls | null;
	/** Whose `X-Forwarded-For` is believed, beside programs on this machine. */
	readonly trustedProxies: readonly Network[];
	readonly founding: Founding;
	/** Opens `/api/operator/v1`; null keeps it shut. */
	readonly operatorToken: string | null;
	/** Who changes tariffs here, as administrators are told: an e-mail address, a web address, or a line of text. */
	readonly operatorContact: string | null;
	/** Whose accounts people may sign in with, in the order in which they are offered. */
	readonly oidc: readonly OidcProvider[];
	/** The built app. */
	readonly appDir: string;
}

/** An OpenID Connect provider, and what it knows this relay by. */
export interface OidcProvider {
	/** In addresses and in the names of variables. */
	readonly id: string;
	/** On the button. */
	readonly name: string;
	readonly issuer: string;
	readonly clientId: string;
	readonly clientSecret: string;
}

/** Something that the operator can mend; its message is the one line that stops the start. */
export class ConfigProblem extends Error {}

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 8420;
const APP_DIR = join(import.meta.dirname, '..', 'build');
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** What binds to every address of the machine is reached by none of these names. */
const ANY_ADDRESS = new Set(['0.0.0.0', '::']);
/** An old relay that is draining holds the folder for as long as its last commit takes. */
const LOCK_WAIT_MS = 2_000;

type Environment = Readonly<Record<string, string | undefined>>;

export function readConfig(env: Environment): Config {
	const dataDir = resolve(given(env, 'DATA_DIR') ?? 'data');
	return {
		host: hostOf(given(env, 'HOST') ?? DEFAULT_HOST),
		port: portOf(given(env, 'PORT')),
		dataDir,
		storageDir: storageOf(given(env, 'STORAGE_URL'), dataDir),
		publicUrl: publicUrlOf(given(env, 'PUBLIC_URL')),
		smtpUrl: smtpUrlOf(given(env, 'SMTP_URL')),
		tls: tlsOf(given(env, 'TLS_CERT'), given(env, 'TLS_KEY')),
		trustedProxies: trustedProxiesOf(given(env, 'TRUSTED_PROXIES')),
		founding: foundingOf(given(env, 'FOUNDING')),
		operatorToken: operatorTokenOf(given(env, 'OPERATOR_TOKEN')),
		operatorContact: operatorContactOf(given(env, 'OPERATOR_CONTACT')),
		oidc: providersOf(env),
		appDir: APP_DIR
	};
}

/** A variable that is set to nothing is not set: that is how compose files and shells unset one. */
function given(env: Environment, name: string): string | null {
	const value = env[name]?.trim();
	return value === undefined || value === '' ? null : value;
}

/** Quoted in one line, whatever it holds. */
const quoted = (value: string): string => JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);

function hostOf(value: string): string {
	const bare = value.replace(/^\[(.*)\]$/, '$1');
	if (!/^[A-Za-z0-9_.:%-]{1,255}$/.test(bare)) throw new ConfigProblem(`HOST is ${quoted(value)}, which is no host name or address.`);
	return bare;
}

function portOf(value: string | null): number {
	if (value === null) return DEFAULT_PORT;
	const port = /^\d{1,5}$/.test(value) ? Number(value) : NaN;
	if (!(port <= 65_535)) throw new ConfigProblem(`PORT is ${quoted(value)}, which is no port number between 0 and 65535.`);
	return port;
}

function storageOf(value: string | null, dataDir: string): string {
	if (value === null) return join(dataDir, 'portals');
	const match = /^sqlite:(?:\/\/)?(.*)$/.exec(value);
	if (!match) throw new ConfigProblem(`STORAGE_URL is ${quoted(schemeOf(value))}: only sqlite: is supported in this version.`);
	return match[1] === '' ? join(dataDir, 'portals') : resolve(match[1]!);
}

/** A storage address may hold a password; the scheme says what is wrong. */
const schemeOf = (value: string): string => (value.includes(':') ? `${value.slice(0, value.indexOf(':'))}:…` : value);

function publicUrlOf(value: string | null): string | null {
	if (value === null) return null;
	const url = URL.canParse(value) ? new URL(value) : null;
	const isWeb = url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '';
	if (!isWeb) throw new ConfigProblem(`PUBLIC_URL is ${quoted(value)}; it must be an address like https://portal.example.com.`);
	if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '' || url.pathname !== '/') {
		throw new ConfigProblem(`PUBLIC_URL is ${quoted(url.origin)} with more behind it; it must be scheme, host and port alone.`);
	}
	return url.origin;
}

function smtpUrlOf(value: string | null): string | null {
	if (value === null) return null;
	const url = URL.canParse(value) ? new URL(value) : null;
	const isMail = url !== null && (url.protocol === 'smtp:' || url.protocol === 'smtps:') && url.hostname !== '';
	// Not quoted: it usually holds a password.
	if (!isMail) throw new ConfigProblem('SMTP_URL must be an address like smtp://user:password@mail.example.com:587 or smtps://….');
	return value;
}

function tlsOf(certFile: string | null, keyFile: string | null): Tls | null {
	if (certFile === null && keyFile === null) return null;
	if (certFile === null || keyFile === null) {
		const [set, missing] = certFile === null ? ['TLS_KEY', 'TLS_CERT'] : ['TLS_CERT', 'TLS_KEY'];
		throw new ConfigProblem(`${set} is set and ${missing} is not: HTTPS needs both, or neither behind a proxy.`);
	}
	const tls = { certFile: resolve(certFile), keyFile: resolve(keyFile) };
	const [cert, key] = [readable('TLS_CERT', tls.certFile), readable('TLS_KEY', tls.keyFile)];
	try {
		createSecureContext({ cert, key });
	} catch (error) {
		throw new ConfigProblem(`TLS_CERT and TLS_KEY are no certificate with its key (${reasonOf(error)}).`);
	}
	return tls;
}

function trustedProxiesOf(value: string | null): Network[] {
	return (value ?? '').split(/[\s,]+/).filter((range) => range !== '').map((range) => {
		const network = parseNetwork(range);
		if (!network) throw new ConfigProblem(`TRUSTED_PROXIES holds ${quoted(range)}, which is no address or range like 10.0.0.0/24 or 2001:db8::/48.`);
		// Then every caller could say of themself where they come from.
		if (network.prefix === 0) throw new ConfigProblem(`TRUSTED_PROXIES holds ${quoted(range)}, which trusts everybody; it must name the proxies.`);
		return network;
	});
}

function foundingOf(value: string | null): Founding {
	const founding = FOUNDING.find((one) => one === (value ?? 'open').toLowerCase());
	if (!founding) throw new ConfigProblem(`FOUNDING is ${quoted(value!)}; it must be open, first or closed.`);
	return founding;
}

const OPERATOR_TOKEN_MIN = 32;
const OPERATOR_TOKEN_MAX = 512;

function operatorTokenOf(value: string | null): string | null {
	// Never quoted. Without spaces and beyond ASCII, because it travels in a header.
	if (value !== null && (value.length < OPERATOR_TOKEN_MIN || value.length > OPERATOR_TOKEN_MAX || !/^[!-~]+$/.test(value))) {
		throw new ConfigProblem(`OPERATOR_TOKEN must be ${OPERATOR_TOKEN_MIN} to ${OPERATOR_TOKEN_MAX} printable ASCII characters without spaces; openssl rand -hex 32 makes one.`);
	}
	return value;
}

const OPERATOR_CONTACT_MAX = 200;

function operatorContactOf(value: string | null): string | null {
	if (value !== null && (value.length > OPERATOR_CONTACT_MAX || /\p{Cc}/u.test(value))) {
		throw new ConfigProblem(`OPERATOR_CONTACT is ${quoted(value)}; it must be one line of at most ${OPERATOR_CONTACT_MAX} characters.`);
	}
	return value;
}

/** Those whose issuer everybody knows. */
const KNOWN_PROVIDERS: Readonly<Record<string, { name: string; issuer: string }>> = {
	google: { name: 'Google', issuer: 'https://accounts.google.com' },
	microsoft: { name: 'Microsoft', issuer: 'https://login.microsoftonline.com/common/v2.0' }
};
/** A screen of buttons; more is a slip. */
const PROVIDERS_MOST = 10;
const PROVIDER_NAME_MOST = 60;

function providersOf(env: Environment): OidcProvider[] {
	const ids = given(env, 'OIDC_PROVIDERS')?.split(',').map((id) => id.trim()) ?? [];
	if (ids.length > PROVIDERS_MOST) throw new ConfigProblem(`OIDC_PROVIDERS names ${ids.length} providers; ${PROVIDERS_MOST} are possible.`);
	for (const [at, id] of ids.entries()) {
		if (!/^[a-z][a-z0-9-]{0,30}$/.test(id)) throw new ConfigProblem(`OIDC_PROVIDERS holds ${quoted(id)}; a provider is called by a-z, 0-9 and -, beginning with a letter.`);
		if (ids.indexOf(id) !== at) throw new ConfigProblem(`OIDC_PROVIDERS names ${id} twice.`);
	}
	return ids.map((id) => providerOf(env, id));
}

function providerOf(env: Environment, id: string): OidcProvider {
	const variable = (of: string): string => `OIDC_${id.toUpperCase().replaceAll('-', '_')}_${of}`;
	const known = Object.hasOwn(KNOWN_PROVIDERS, id) ? KNOWN_PROVIDERS[id] : undefined;
	const needed = (of: string): string => {
		const value = given(env, variable(of));
		if (value === null) throw new ConfigProblem(`OIDC_PROVIDERS names ${id}, and ${variable(of)} is not set.`);
		return value;
	};
	const name = given(env, variable('NAME')) ?? known?.name ?? id;
	if ([...name].length > PROVIDER_NAME_MOST || /\p{Cc}/u.test(name)) throw new ConfigProblem(`${variable('NAME')} is ${quoted(name)}; it must be one line of at most ${PROVIDER_NAME_MOST} characters.`);
	const issuer = issuerOf(variable('ISSUER'), given(env, variable('ISSUER')) ?? known?.issuer ?? needed('ISSUER'));
	return { id, name, issuer, clientId: needed('CLIENT_ID'), clientSecret: needed('CLIENT_SECRET') };
}

function issuerOf(variable: string, value: string): string {
	const url = URL.canParse(value) ? new URL(value) : null;
	const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
	// What a provider says must not be changed on the way: plain http is for trying out on one's own machine.
	const isSafe = url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname)));
	if (!isPlain || !isSafe) throw new ConfigProblem(`${variable} is ${quoted(isPlain ? value : schemeOf(value))}; it must be an https:// address with nothing behind the path.`);
	return value;
}

function readable(name: string, file: string): Buffer {
	try {
		return readFileSync(file);
	} catch (error) {
		throw new ConfigProblem(`${name} names ${quoted(file)}, which cannot be read (${reasonOf(error)}).`);
	}
}

function reasonOf(error: unknown): string {
	const { code, message } = error as { code?: unknown; message?: unknown };
	return String(code ?? message ?? 'unknown').split('\n')[0]!;
}

/** The address that people use, once the port is known. */
export function publicUrlFor(config: Pick<Config, 'publicUrl' | 'host' | 'tls'>, port: number): string {
	if (config.publicUrl !== null) return config.publicUrl;
	const host = ANY_ADDRESS.has(config.host) ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host;
	return new URL(`${config.tls ? 'https' : 'http'}://${host}:${port}`).origin;
}

/** What the operator should hear at the start although nothing is wrong with any value. */
export function warningsFor(config: Pick<Config, 'publicUrl' | 'host'>, publicUrl: string): string[] {
	const { protocol, hostname } = new URL(publicUrl);
	const warnings: string[] = [];
	const isLoopback = LOOPBACK.has(hostname) || hostname.endsWith('.localhost') || /^127\.\d+\.\d+\.\d+$/.test(hostname);
	if (protocol === 'http:' && !isLoopback) {
		warnings.push(
			`${publicUrl} is plain http: browsers allow neither offline work nor push notices there. ` +
				'Serve HTTPS: set TLS_CERT and TLS_KEY, or put a proxy with a certificate in front and set PUBLIC_URL to its https:// address.'
		);
	}
	if (config.publicUrl === null && ANY_ADDRESS.has(config.host)) {
		warnings.push(`HOST is ${config.host} and PUBLIC_URL is not set: people can sign in at ${publicUrl} only. Set PUBLIC_URL to the address they use.`);
	}
	return warnings;
}

/** Lies in DATA_DIR while a restore moves its files in: half of them is no portal. */
export const RESTORE_NOTE = 'restore-under-way.json';

export interface DataDirClaim {
	release(): void;
}

/** Makes the folder if need be and keeps every other relay out of it. */
export function claimDataDir(dataDir: string): DataDirClaim {
	ensureFolder('DATA_DIR', dataDir);
	let lock: DatabaseSync | null = null;
	try {
		// A lock of SQLite is a lock of the operating system: it ends with the process, however that ends, and works on Windows too.
		lock = new DatabaseSync(join(dataDir, 'relay.lock'), { timeout: LOCK_WAIT_MS });
		lock.exec('begin exclusive');
		const held = lock;
		return { release: () => held.close() };
	} catch (error) {
		lock?.close();
		const { errcode } = error as { errcode?: number };
		const SQLITE_BUSY = 5;
		if (errcode === SQLITE_BUSY) {
			throw new ConfigProblem(`Another relay is using DATA_DIR ${quoted(dataDir)}: stop it, or give this one a folder of its own.`);
		}
		throw new ConfigProblem(`DATA_DIR is ${quoted(dataDir)}, where relay.lock cannot be made (${(error as Error).message}).`);
	}
}

/** @param variable that names it, for the operator */
export function ensureFolder(variable: string, folder: string): void {
	try {
		makeFolder(folder);
		accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
	} catch (error) {
		throw new ConfigProblem(`${variable} is ${quoted(folder)}, where this user cannot write (${reasonOf(error)}).`);
	}
}

/** Node's own `recursive` never returns where a parent exists and still says ENOENT, as /proc does (Node 24). Exit: when it does. */
function makeFolder(folder: string): void {
	try {
		mkdirSync(folder, { mode: 0o700 });
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === 'EEXIST' && statSync(folder).isDirectory()) return;
		if (code !== 'ENOENT' || existsSync(dirname(folder))) throw error;
		makeFolder(dirname(folder));
		mkdirSync(folder, { mode: 0o700 });
	}
}

/** Random bytes that are made once and kept, readable by the owner alone. */
export function keptSecret(dataDir: string, name: string, bytes: number, random: (target: Uint8Array) => Uint8Array): Uint8Array {
	const file = join(dataDir, name);
	try {
		const kept = readFileSync(file);
		if (kept.byteLength === bytes) return new Uint8Array(kept);
		throw new ConfigProblem(`${file} has ${kept.byteLength} bytes instead of ${bytes}: bring it back from a backup.`);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
	}
	const made = random(new Uint8Array(bytes));
	writePrivately(file, made);
	return made;
}

/** Whole or not at all, and never readable by others, not even for a moment. */
export function writePrivately(file: string, content: Uint8Array | string): void {
	const draft = `${file}.${process.pid}.tmp`;
	writeFileSync(draft, content, { mode: 0o600, flush: true });
	chmodSync(draft, 0o600);
	renameSync(draft, file);
}
