/**
 * uWebSockets.js ↔ fetch: gives a request to a function that takes a `Request` and returns a `Response`.
 *
 * Promises: a request body is read no faster than the handler takes it and never beyond its ceiling (413, whatever the handler made of it); a
 * response is written no faster than its reader reads; after an abort nothing touches the response, the handler's signal fires and its streams
 * end; a handler that throws is a 500, never a hanging request.
 * Leaves to others: what is answered (rest/), which paths come here (server.ts).
 *
 * uWS hands out memory that it takes back when the callback returns: everything of `req`, and each chunk, is copied at once.
 */
import { STATUS_CODES } from 'node:http';
import type { Network } from '#crdt-model/access/networks.ts';
import { clientOf, forwardingOf, type Peer } from './client-address.ts';
import type { HttpRequest, HttpResponse } from './uws.ts';

export type FetchHandler = (request: Request, peer: Peer) => Response | Promise<Response>;

export interface FetchOptions {
	readonly handler: FetchHandler;
	/** Scheme, host and port for `request.url`; from the configuration, never from `Host`. */
	readonly origin: string;
	readonly maxBodyBytes: number;
	/** Proxies beside those on this machine. */
	readonly trustedProxies: readonly Network[];
	onFault(fault: unknown): void;
}

/** Read ahead of the handler; a socket that sends more is paused. */
const BODY_AHEAD_BYTES = 64 * 1024;
/** A body that is too large is read to its end up to here, so that the sender hears 413; above, the connection is cut. */
const SWALLOWED_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Whether two readers could differ on where the request ends (RFC 9112, 6.3): uWS goes by the first of two lengths, a proxy before it may go by the
 * last, and what lies between would be somebody else's call.
 */
export function isAmbiguous(req: HttpRequest): boolean {
	let lengths = 0;
	let encodings = 0;
	let isPlain = true;
	req.forEach((name, value) => {
		if (name === 'content-length') {
			lengths++;
			isPlain &&= /^\d{1,15}$/.test(value);
		} else if (name === 'transfer-encoding') {
			encodings++;
			isPlain &&= value.toLowerCase() === 'chunked';
		}
	});
	return !isPlain || lengths + encodings > 1;
}

/** Whose request or upgrade it is. Must be called synchronously from its handler. */
export function peerOf(res: HttpResponse, req: HttpRequest, trustedProxies: readonly Network[]): Peer {
	return clientOf(Buffer.from(res.getRemoteAddressAsText()).toString(), forwardingOf(req), trustedProxies);
}

/** Serves one request. Must be called synchronously from the route handler. */
export function serveFetch(res: HttpResponse, req: HttpRequest, options: FetchOptions): void {
	const exchange = new Exchange(res, options.onFault);
	const method = req.getCaseSensitiveMethod().toUpperCase();
	const path = req.getUrl();
	const query = req.getQuery();
	const headers: [string, string][] = [];
	req.forEach((name, value) => void headers.push([name, value]));
	const peer = peerOf(res, req, options.trustedProxies);
	const declared = req.getHeader('content-length');
	const declaredBytes = declared === '' ? 0 : Number(declared);

	if (declaredBytes > options.maxBodyBytes) {
		exchange.refuse(413, declaredBytes > SWALLOWED_BODY_BYTES);
		return;
	}
	const hasBody = method !== 'GET' && method !== 'HEAD' && (declaredBytes > 0 || req.getHeader('transfer-encoding') !== '');
	const body = hasBody ? exchange.body(options.maxBodyBytes) : null;
	let request: Request;
	try {
		request = new Request(options.origin + path + (query ? `?${query}` : ''), {
			method,
			headers,
			body,
			duplex: 'half',
			signal: exchange.signal
		} as RequestInit);
	} catch {
		// A method, header or address that fetch does not know: nobody's honest request.
		exchange.refuse(400, true);
		return;
	}
	void exchange.answer(request, () => options.handler(request, peer));
}

class Exchange {
	readonly #res: HttpResponse;
	readonly #onFault: (fault: unknown) => void;
	readonly #abort = new AbortController();
	/** Ended or aborted: `#res` must not be touched. */
	#done = false;
	#tooLarge = false;
	#paused = false;
	#body: ReadableStreamDefaultController<Uint8Array> | null = null;
	#reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
	#writable: (() => void) | null = null;

	constructor(res: HttpResponse, onFault: (fault: unknown) => void) {
		this.#res = res;
		this.#onFault = onFault;
		res.onAborted(() => {
			this.#done = true;
			this.#abort.abort();
			this.#endBody(new Error('the client went away'));
			this.#reader?.cancel().catch(() => undefined); // its source has failed already, and nobody is left to hear of it
			this.#wake();
		});
	}

	get signal(): AbortSignal {
		return this.#abort.signal;
	}

	/** Attached synchronously, or uWS throws the first chunk away. */
	body(maxBytes: number): ReadableStream<Uint8Array> {
		let received = 0;
		const stream = new ReadableStream<Uint8Array>(
			{
				start: (controller) => void (this.#body = controller),
				pull: () => this.#resume(),
				cancel: () => void (this.#body = null)
			},
			new ByteLengthQueuingStrategy({ highWaterMark: BODY_AHEAD_BYTES })
		);
		this.#res.onData((chunk, isLast) => {
			received += chunk.byteLength;
			if (received > maxBytes && !this.#tooLarge) {
				this.#tooLarge = true;
				this.#endBody(new Error('the body is too large'));
				this.refuse(413, true);
			}
			const body = this.#body;
			if (body === null || this.#done) return;
			if (chunk.byteLength > 0) body.enqueue(new Uint8Array(chunk.slice(0)));
			if (isLast) {
				this.#body = null;
				body.close();
			} else if ((body.desiredSize ?? 1) <= 0 && !this.#paused) {
				this.#paused = true;
				this.#res.pause();
			}
		});
		return stream;
	}

	async answer(request: Request, handle: () => Response | Promise<Response>): Promise<void> {
		let response: Response;
		try {
			response = await handle();
		} catch (fault) {
			this.#onFault(fault);
			response = plain(500);
		}
		// The handler saw a broken body and answered 500 or 400; the sender has heard 413 by then.
		if (this.#done) {
			response.body?.cancel().catch(() => undefined); // nobody reads it
			return;
		}
		try {
			await this.#write(request.method, response);
		} catch (fault) {
			if (this.#done) return;
			this.#onFault(fault);
			// Headers may be out: only a cut connection says that the rest is missing.
			this.#done = true;
			this.#res.close();
		}
	}

	refuse(status: number, closeConnection: boolean): void {
		if (this.#done) return;
		const code = status === 413 ? 'too-large' : 'malformed';
		const body = JSON.stringify({ type: `urn:atrium:problem:${code}`, title: STATUS_CODES[status], status, code });
		this.#finish(() => {
			this.#res.writeStatus(`${status} ${STATUS_CODES[status]}`).writeHeader('content-type', 'application/problem+json');
			this.#res.end(body, closeConnection);
		});
	}

	async #write(method: string, response: Response): Promise<void> {
		const length = response.headers.get('content-length');
		if (method === 'HEAD' || response.body === null) {
			await response.body?.cancel();
			if (this.#done) return;
			this.#finish(() => {
				this.#head(response);
				if (method === 'HEAD' && length !== null) this.#res.endWithoutBody(Number(length));
				else if (response.status === 204 || response.status === 304) this.#res.endWithoutBody();
				else this.#res.end();
			});
			return;
		}
		const reader = (this.#reader = response.body.getReader());
		const first = await reader.read();
		const second = first.done ? first : await reader.read();
		if (this.#done) return;
		if (second.done) {
			this.#finish(() => {
				this.#head(response);
				this.#res.end(first.value ?? '');
			});
			return;
		}
		// Once and for good: uWS puts a handler back over one that was registered while it ran.
		this.#res.onWritable(() => {
			this.#wake();
			return true;
		});
		this.#res.cork(() => this.#head(response));
		const total = length === null ? null : Number(length);
		for (let next: ReadableStreamReadResult<Uint8Array> = first, after: typeof next | null = second; !next.done; ) {
			await (total === null ? this.#chunk(next.value) : this.#part(next.value, total));
			if (this.#done) return;
			next = after ?? (await reader.read());
			after = null;
			if (this.#done) return;
		}
		if (total === null) this.#finish(() => void this.#res.end());
		else throw new Error('The response is shorter than its content-length.');
	}

	async #chunk(bytes: Uint8Array): Promise<void> {
		let isTaken = true;
		this.#res.cork(() => void (isTaken = this.#res.write(bytes)));
		if (!isTaken) await this.#untilWritable();
	}

	async #part(bytes: Uint8Array, total: number): Promise<void> {
		const from = this.#res.getWriteOffset();
		let rest = bytes;
		for (;;) {
			let sent: [boolean, boolean] = [false, false];
			// The last piece ends the response, and after it nothing can let a paused socket go.
			if (this.#res.getWriteOffset() + rest.byteLength >= total) this.#resume();
			this.#res.cork(() => void (sent = this.#res.tryEnd(rest, total)));
			if (sent[1]) {
				this.#done = true;
				return;
			}
			if (sent[0]) return;
			await this.#untilWritable();
			if (this.#done) return;
			rest = bytes.subarray(this.#res.getWriteOffset() - from);
			if (rest.byteLength === 0) return;
		}
	}

	#untilWritable(): Promise<void> {
		return new Promise((resolve) => (this.#writable = resolve));
	}

	#wake(): void {
		const wake = this.#writable;
		this.#writable = null;
		wake?.();
	}

	#head(response: Response): void {
		this.#res.writeStatus(`${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim());
		for (const [name, value] of response.headers) {
			if (name !== 'content-length' && name !== 'transfer-encoding' && name !== 'connection') this.#res.writeHeader(name, value);
		}
	}

	/** The last word on the response. A paused socket is let go first: its next request waits behind the rest of this body. */
	#finish(write: () => void): void {
		this.#resume();
		this.#done = true;
		this.#res.cork(write);
		this.#endBody(new Error('the request was answered'));
	}

	#resume(): void {
		if (!this.#paused || this.#done) return;
		this.#paused = false;
		this.#res.resume();
	}

	#endBody(reason: Error): void {
		const body = this.#body;
		this.#body = null;
		body?.error(reason);
	}
}

const plain = (status: number): Response =>
	Response.json({ type: 'about:blank', title: STATUS_CODES[status], status }, { status, headers: { 'content-type': 'application/problem+json' } });
