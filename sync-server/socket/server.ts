/**
 * The one port: HTTP calls, the built app, sockets. The only door to uWebSockets.js for the rest of the relay.
 *
 * Promises: a port that another program holds is a `ConfigProblem`, never shared silently; before `serve` and while draining everything is
 * answered 503, so that the port is ours while the portals are still being opened; `drain` lets running calls end, within bounds.
 * Leaves to others: what is answered (rest/), sessions (room/), configuration.
 */
import { STATUS_CODES } from 'node:http';
import type { Network } from '#crdt-model/access/networks.ts';
import { ConfigProblem, type Tls } from '../config.ts';
import { type FetchHandler, isAmbiguous, serveFetch } from './http.ts';
import { type SocketDoor, Sockets } from './sockets.ts';
import type { StaticAnswer, StaticApp } from './static.ts';
import { type HttpRequest, type HttpResponse, loadUws, type us_listen_socket, type UwsModule } from './uws.ts';

/** The largest JSON that a call may bring; DESIGN 8. */
export const MAX_CALL_BYTES = 256 * 1024;
/** A piece of a file: read as a stream, so that its size costs time of the line and no memory; small enough that what breaks off is not much. */
export const MAX_PIECE_BYTES = 16 * 1024 * 1024;
/** Headers of a browser with many cookies; uWS's own 4 KiB answer 431 to them. */
const MAX_HEADER_BYTES = '16384';
/** A call that is still running at the end of this is cut off. */
const DRAIN_MS = 5_000;
/** For close frames and last answers to leave before the sockets are cut. */
const FLUSH_MS = 100;
const PIECES = /^\/api\/v1\/files\//;
const CALLS = /^\/(api\/|healthz$|metrics$)/;

export interface Served {
	readonly publicUrl: string;
	readonly calls: FetchHandler;
	readonly app: StaticApp;
	readonly door: SocketDoor;
	/** Proxies beside those on this machine. */
	readonly trustedProxies: readonly Network[];
	onFault(fault: unknown): void;
}

export class Server {
	readonly #uws: UwsModule;
	readonly #app: ReturnType<UwsModule['App']>;
	#listening: us_listen_socket | null;
	#served: Served | null = null;
	#sockets: Sockets | null = null;
	#running = 0;
	readonly port: number;

	private constructor(uws: UwsModule, app: ReturnType<UwsModule['App']>, listening: us_listen_socket) {
		this.#uws = uws;
		this.#app = app;
		this.#listening = listening;
		this.port = uws.us_socket_local_port(listening);
	}

	/** Takes the port. */
	static async listen(options: { host: string; port: number; tls: Tls | null }): Promise<Server> {
		// Read when the library is loaded.
		process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= MAX_HEADER_BYTES;
		const uws = await loadUws();
		const { host, port, tls } = options;
		const app = tls ? uws.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile }) : uws.App();
		// Without the option two relays would share the port and take turns; its form with a host is missing in the types.
		const listen = app.listen.bind(app) as unknown as (host: string, port: number, options: number, done: (token: us_listen_socket | false) => void) => void;
		const exclusive = (uws as unknown as { LIBUS_LISTEN_EXCLUSIVE_PORT: number }).LIBUS_LISTEN_EXCLUSIVE_PORT;
		const token = await new Promise<us_listen_socket | false>((resolve) => listen(host, port, exclusive, resolve));
		if (!token) {
			app.close();
			throw new ConfigProblem(`Cannot listen on ${host}:${port}: PORT is taken by another program, or HOST is no address of this machine.`);
		}
		const server: Server = new Server(uws, app, token);
		app.any('/*', (res, req) => server.#request(res, req));
		return server;
	}

	/** From here on calls are answered. */
	serve(served: Served): void {
		this.#served = served;
		this.#sockets = new Sockets(served.door, served.trustedProxies);
		this.#sockets.mount(this.#app, this.#uws);
	}

	get openSockets(): { readonly sync: number; readonly live: number } {
		return this.#sockets?.open ?? { sync: 0, live: 0 };
	}

	/** Stops listening, sends everyone away with "come back", lets running calls end. */
	async drain(): Promise<void> {
		if (this.#listening) this.#uws.us_listen_socket_close(this.#listening);
		this.#listening = null;
		this.#sockets?.drain();
		this.#served?.app.stop();
		// Connections that were kept open may still ask.
		this.#served = null;
		const until = performance.now() + DRAIN_MS;
		while (this.#running > 0 && performance.now() < until) await pause(20);
	}

	/** Cuts what is left. */
	async close(): Promise<void> {
		if (this.#listening) this.#uws.us_listen_socket_close(this.#listening);
		this.#listening = null;
		await pause(FLUSH_MS);
		this.#app.close();
	}

	#request(res: HttpResponse, req: HttpRequest): void {
		const served = this.#served;
		if (!served) return brief(res, 503, [['retry-after', '1']]);
		// The line is cut: what follows on it is nobody's call.
		if (isAmbiguous(req)) return void res.close();
		const path = req.getUrl();
		if (CALLS.test(path)) {
			serveFetch(res, req, {
				handler: (request, peer) => this.#counted(() => served.calls(request, peer)),
				origin: served.publicUrl,
				trustedProxies: served.trustedProxies,
				maxBodyBytes: PIECES.test(path) ? MAX_PIECE_BYTES : MAX_CALL_BYTES,
				onFault: served.onFault
			});
			return;
		}
		const method = req.getMethod();
		if (method !== 'get' && method !== 'head') return brief(res, 405, [['allow', 'GET, HEAD']]);
		if (path === '/sync' || path.startsWith('/live/')) return brief(res, 426, [['upgrade', 'websocket']]);
		const answer = served.app.answer({
			path,
			method: method === 'get' ? 'GET' : 'HEAD',
			accept: req.getHeader('accept'),
			acceptEncoding: req.getHeader('accept-encoding'),
			ifNoneMatch: req.getHeader('if-none-match'),
			fetchMode: req.getHeader('sec-fetch-mode')
		});
		sendWhole(res, answer, method === 'head');
	}

	async #counted(call: () => Response | Promise<Response>): Promise<Response> {
		this.#running++;
		try {
			return await call();
		} finally {
			this.#running--;
		}
	}
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function brief(res: HttpResponse, status: number, headers: readonly (readonly [string, string])[]): void {
	const words = STATUS_CODES[status] ?? '';
	res.writeStatus(`${status} ${words}`);
	for (const [name, value] of headers) res.writeHeader(name, value);
	res.end(`${words}\n`);
}

/** Bytes that stay in memory are handed over as the reader takes them, so that a slow one costs no copy of the rest. */
function sendWhole(res: HttpResponse, { status, headers, body }: StaticAnswer, isHead: boolean): void {
	res.writeStatus(`${status} ${STATUS_CODES[status]}`);
	for (const [name, value] of headers) res.writeHeader(name, value);
	if (isHead || status === 304) {
		res.endWithoutBody(status === 304 ? undefined : body.byteLength);
		return;
	}
	let isGone = false;
	res.onAborted(() => void (isGone = true));
	if (res.tryEnd(body, body.byteLength)[1]) return;
	res.onWritable((offset) => {
		if (isGone) return true;
		return res.tryEnd(body.subarray(offset), body.byteLength)[0];
	});
}
