/**
 * The built app, served from memory.
 *
 * Promises: every file is read once, at the start; a request never reaches the disk, so no path leads out of the folder; a compressed form is used
 * as soon as it is made, which happens behind the first requests and one file at a time; whatever has a hash in its name is kept by browsers for a year,
 * everything else is asked for again and mostly answered 304; navigations get the app, whatever their path.
 * Leaves to others: writing bytes to a socket (server.ts).
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

export interface StaticRequest {
	/** As it came: percent-encoded, without query. */
	readonly path: string;
	readonly method: 'GET' | 'HEAD';
	readonly accept: string;
	readonly acceptEncoding: string;
	readonly ifNoneMatch: string;
	readonly fetchMode: string;
}
export interface StaticAnswer {
	readonly status: 200 | 304 | 404 | 503;
	readonly headers: readonly (readonly [string, string])[];
	readonly body: Uint8Array;
}

type Encoding = 'br' | 'gzip';
interface StaticFile {
	readonly bytes: Uint8Array;
	readonly type: string;
	readonly etag: string;
	readonly cacheControl: string;
	readonly compressed: Map<Encoding, Uint8Array>;
}

const TYPES: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.mjs': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.json': 'application/json',
	'.map': 'application/json',
	'.webmanifest': 'application/manifest+json',
	'.svg': 'image/svg+xml',
	'.txt': 'text/plain; charset=utf-8',
	'.wasm': 'application/wasm',
	'.png': 'image/png',
	'.jpg': 'image/jpeg',
	'.webp': 'image/webp',
	'.ico': 'image/x-icon',
	'.woff2': 'font/woff2'
};
const COMPRESSIBLE = new Set(['.html', '.js', '.mjs', '.css', '.json', '.map', '.webmanifest', '.svg', '.txt', '.wasm']);
/** Below, the header of the other form costs as much as it saves. */
const MIN_COMPRESSED_BYTES = 512;
/** 11 takes ten times as long for two per cent. */
const BROTLI_QUALITY = 9;
const FOR_EVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';
const INDEX = '/index.html';
/** Paths that are never screens: a missing chunk or call must not be answered with the app. */
const NO_SCREEN = /^\/(_app|api|files|live|sync|metrics|healthz)(\/|$)/;

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);
const NOTHING = new Uint8Array(0);
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

export class StaticApp {
	readonly #files: ReadonlyMap<string, StaticFile>;
	/** On every answer. */
	readonly #security: readonly (readonly [string, string])[];
	#stopped = false;

	private constructor(files: ReadonlyMap<string, StaticFile>, security: readonly (readonly [string, string])[]) {
		this.#files = files;
		this.#security = security;
	}

	/** Reads the folder; one that is missing is an app that was not built. */
	static read(folder: string, publicUrl: string): StaticApp {
		const files = new Map<string, StaticFile>();
		for (const name of filesIn(folder)) {
			const bytes = readFileSync(join(folder, name));
			const path = `/${name.split(sep).join('/')}`;
			files.set(path, {
				bytes,
				type: TYPES[extname(name)] ?? 'application/octet-stream',
				etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
				cacheControl: path.startsWith('/_app/immutable/') ? FOR_EVER : ASK_AGAIN,
				compressed: new Map()
			});
		}
		const index = files.get(INDEX);
		return new StaticApp(files, securityHeaders(publicUrl, index ? inlineScriptHashes(Buffer.from(index.bytes).toString('utf8')) : []));
	}

	/** Makes the compressed forms; to be started once and not waited for. */
	async compress(): Promise<void> {
		for (const [path, file] of this.#files) {
			if (!COMPRESSIBLE.has(extname(path)) || file.bytes.byteLength < MIN_COMPRESSED_BYTES) continue;
			const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: file.bytes.byteLength };
			for (const [encoding, make] of [['br', () => toBrotli(file.bytes, { params })], ['gzip', () => toGzip(file.bytes)]] as const) {
				// One after another: the pool's threads are wanted for passwords too.
				const bytes = await make();
				if (this.#stopped) return;
				if (bytes.byteLength < file.bytes.byteLength) file.compressed.set(encoding, bytes);
			}
		}
	}

	stop(): void {
		this.#stopped = true;
	}

	answer(request: StaticRequest): StaticAnswer {
		const path = decoded(request.path);
		const file = path === null ? undefined : this.#files.get(path === '/' ? INDEX : path);
		if (file) return this.#whole(request, file);
		if (path === null || NO_SCREEN.test(path) || !isNavigation(request, path)) {
			return this.#words(404, 'Not found.');
		}
		const index = this.#files.get(INDEX);
		return index ? this.#whole(request, index) : this.#words(503, 'The app is not built: run `npm run build` and start again.');
	}

	#whole(request: StaticRequest, file: StaticFile): StaticAnswer {
		const [encoding, bytes] = chosen(request.acceptEncoding, file);
		const etag = `"${file.etag}${encoding ? `-${encoding}` : ''}"`;
		const headers: [string, string][] = [
			['etag', etag],
			['cache-control', file.cacheControl],
			['vary', 'accept-encoding']
		];
		if (holds(request.ifNoneMatch, etag)) return { status: 304, headers: [...headers, ...this.#security], body: NOTHING };
		headers.push(['content-type', file.type]);
		if (encoding) headers.push(['content-encoding', encoding]);
		return { status: 200, headers: [...headers, ...this.#security], body: bytes };
	}

	#words(status: 404 | 503, words: string): StaticAnswer {
		const headers = [['content-type', 'text/plain; charset=utf-8'], ['cache-control', 'no-store']] as const;
		return { status, headers: [...headers, ...this.#security], body: text(`${words}\n`) };
	}
}

function filesIn(folder: string): string[] {
	try {
		return readdirSync(folder, { recursive: true, withFileTypes: true })
			// No links: what they point at is not part of the build. Dot files are the build's own notes.
			.filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
			.map((entry) => join(entry.parentPath, entry.name).slice(join(folder).length + 1));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
		throw error;
	}
}

function decoded(path: string): string | null {
	try {
		return decodeURIComponent(path);
	} catch {
		return null;
	}
}

/** A last segment with a dot is a file that is missing, unless a browser says that it is opening a page. */
function isNavigation(request: StaticRequest, path: string): boolean {
	return request.fetchMode === 'navigate' || !/\.[^/]*$/.test(path) || /\btext\/html\b/.test(request.accept);
}

function chosen(acceptEncoding: string, file: StaticFile): [Encoding | null, Uint8Array] {
	for (const encoding of ['br', 'gzip'] as const) {
		const bytes = file.compressed.get(encoding);
		if (bytes && accepts(acceptEncoding, encoding)) return [encoding, bytes];
	}
	return [null, file.bytes];
}

function accepts(header: string, encoding: string): boolean {
	return header.split(',').some((part) => {
		const [name, ...parameters] = part.trim().toLowerCase().split(/\s*;\s*/);
		return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
	});
}

/** Weakly, as RFC 9110 asks for here. */
function holds(ifNoneMatch: string, etag: string): boolean {
	return ifNoneMatch !== '' && ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === etag || one.trim() === '*');
}

/** The start script that SvelteKit writes into the page: allowed by its hash, so that no other inline script runs. */
export function inlineScriptHashes(html: string): string[] {
	const scripts = html.matchAll(/<script(?![^>]*\ssrc[\s=])[^>]*>([\s\S]*?)<\/script>/gi);
	return [...scripts].map(([, source]) => `'sha256-${createHash('sha256').update(source!).digest('base64')}'`);
}

export function securityHeaders(publicUrl: string, scriptHashes: readonly string[]): readonly (readonly [string, string])[] {
	const { host } = new URL(publicUrl);
	const policy = [
		"default-src 'self'",
		["script-src 'self'", ...scriptHashes].join(' '),
		// Widgets place themselves by style attributes; editors bring style elements.
		"style-src 'self' 'unsafe-inline'",
		"img-src 'self' data: blob:",
		"media-src 'self' blob:",
		"font-src 'self' data:",
		"worker-src 'self' blob:",
		// Older Safaris do not count sockets to 'self'.
		`connect-src 'self' ws://${host} wss://${host}`,
		"object-src 'none'",
		"base-uri 'none'",
		"form-action 'self'",
		"frame-ancestors 'none'"
	];
	return [
		['content-security-policy', policy.join('; ')],
		['x-content-type-options', 'nosniff'],
		['referrer-policy', 'same-origin'],
		['cross-origin-opener-policy', 'same-origin'],
		['cross-origin-resource-policy', 'same-origin'],
		['x-frame-options', 'DENY'],
		['permissions-policy', 'geolocation=(), payment=(), usb=()']
	];
}
