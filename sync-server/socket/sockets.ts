/**
 * `/sync` and `/live/:documentId`: who is it, and which session do they get.
 *
 * Ceilings are asked before anything that costs (SPEC B4).
 *
 * Promises: the caller is known by cookie (from our own pages only) or `Authorization: Bearer`, never by anything in the address, which only says which portal's cookie is meant; a browser cannot
 * read why an upgrade failed, so every upgrade is taken and what may not stay is closed with its code (DESIGN 8); when a sign-in ends, its
 * connections are closed in the same turn.
 * Leaves to others: frames and backpressure (connection.ts), what may be read (the portal's sessions close with 4404 themselves).
 */
import type { Network } from '#crdt-model/access/networks.ts';
import { isDocumentId, type DocumentId, type PersonId, type PortalId, type SessionId } from '#crdt-model/ids.ts';
import { MAX_FRAME_BYTES } from '#crdt-model/wire/limits.ts';
import type { ResolvedSession } from '../accounts/accounts.ts';
import type { EndReason } from '../accounts/sessions.ts';
import { CLOSE, type CloseCode, type FrameSession, type FrameSocket } from '../session/socket.ts';
import type { Addresses, From } from '../budget/addresses.ts';
import type { Lanes } from '../budget/lanes.ts';
import { CONNECTIONS_PER_PERSON, CONNECTIONS_PER_SIGN_IN } from '../budget/limits.ts';
import { Connection, SEND_LIMIT_BYTES } from './connection.ts';
import { peerOf } from './http.ts';
import type { TemplatedApp, UwsModule, WebSocket } from './uws.ts';

/** What sockets need of a portal; `room/portal.ts` has it. */
export interface SocketPortal {
	attachSync(person: PersonId, socket: FrameSocket, viewer: PersonId | null): FrameSession;
	attachLive(person: PersonId, document: DocumentId, socket: FrameSocket, viewer: PersonId | null): FrameSession;
	/** Null for whoever may not be here: no member, or looking on without the right to. */
	seated(seat: { readonly person: PersonId; readonly viewer: PersonId | null }): object | null;
}
export interface SocketDoor {
	/** Null for anyone who is not signed in. Gets copies of the headers, with the portal that the address names, and decides about the origin too. */
	signedIn(headers: { cookie: string; authorization: string; portal: string; view: string | undefined; origin: string; host: string }): ResolvedSession | null;
	portal(id: PortalId): Promise<SocketPortal | null>;
	/** Calls back with sign-ins that have ended. */
	onSessionsEnded(listener: (ended: readonly { session: SessionId; reason?: EndReason }[]) => void): () => void;
	readonly lanes: Lanes;
	readonly addresses: Addresses;
	onFault(fault: unknown): void;
}

/** A phone in a tunnel is gone after this; uWS sends pings within it. Seconds, as uWS takes them. */
const IDLE_SECONDS = 60;
/** Beyond this uWebSockets.js cuts the line without a word; up to here the connection says why (a stock client would come back for ever). */
const MAX_INFLATED_BYTES = 4 * MAX_FRAME_BYTES;
/** Never reached: connection.ts stops at the half of it before anything more is sent. */
const MAX_BACKPRESSURE_BYTES = 2 * SEND_LIMIT_BYTES + MAX_FRAME_BYTES;

/** The reason beside 4401 where a portal demands a second factor and the person has none; any other 4401 is an ordinary signing out. */
export const FACTOR_DEMANDED = 'second-factor-demanded';

/** The subprotocol of an administrator who looks on as somebody else; the view's id follows, whose token is a cookie. */
const VIEW_PROTOCOL = 'atrium.view.';

interface Caller {
	readonly signIn: ResolvedSession | null;
	/** For `/live`: null where the address names no document. */
	readonly document: DocumentId | null;
	readonly from: From;
	connection: Connection | null;
	/** Gives back what was counted. */
	leave: () => void;
}

export class Sockets {
	readonly #door: SocketDoor;
	readonly #bySignIn = new Map<SessionId, Set<Connection>>();
	readonly #stopListening: () => void;
	readonly #trustedProxies: readonly Network[];
	#draining = false;
	/** Open connections by path, for /metrics. */
	readonly open = { sync: 0, live: 0 };

	constructor(door: SocketDoor, trustedProxies: readonly Network[]) {
		this.#door = door;
		this.#trustedProxies = trustedProxies;
		this.#stopListening = door.onSessionsEnded((ended) => {
			for (const { session, reason } of ended) {
				// The app reads it, and says why it asks to sign in again.
				const why = reason === 'factor-demanded' ? FACTOR_DEMANDED : 'signed out';
				for (const connection of [...(this.#bySignIn.get(session) ?? [])]) this.#close(connection, CLOSE.notSignedIn, why);
			}
		});
	}

	mount(app: TemplatedApp, uws: UwsModule): void {
		this.#mount(app, uws, 'sync', '/sync', uws.SHARED_COMPRESSOR);
		// Keystrokes: each is a few bytes, and deflating them costs more than it saves.
		this.#mount(app, uws, 'live', '/live/:document', uws.DISABLED);
	}

	/** Tells everyone to come back in a moment; nobody new is let in. */
	drain(): void {
		this.#draining = true;
		for (const connections of [...this.#bySignIn.values()]) {
			for (const connection of [...connections]) this.#close(connection, CLOSE.restarting, 'restarting');
		}
		this.#stopListening();
	}

	#mount(app: TemplatedApp, uws: UwsModule, path: 'sync' | 'live', pattern: string, compression: number): void {
		app.ws<Caller>(pattern, {
			compression,
			maxPayloadLength: MAX_INFLATED_BYTES,
			maxBackpressure: MAX_BACKPRESSURE_BYTES,
			closeOnBackpressureLimit: true,
			idleTimeout: IDLE_SECONDS,
			sendPingsAutomatically: true,
			upgrade: (res, req, context) => {
				const from = peerOf(res, req, this.#trustedProxies);
				const protocol = req.getHeader('sec-websocket-protocol');
				const view = viewIn(protocol);
				const signIn = this.#door.signedIn({
					cookie: req.getHeader('cookie'),
					authorization: view === undefined ? req.getHeader('authorization') : '',
					portal: req.getHeader('x-atrium-portal') || (req.getQuery('portal') ?? ''),
					view,
					origin: req.getHeader('origin'),
					host: req.getHeader('host')
				});
				// Colleagues behind the same address who are signed in come in all the same.
				const wait = signIn ? 0 : this.#door.addresses.retryAfterSeconds(from);
				if (wait > 0) return void res.writeStatus('429 Too Many Requests').writeHeader('retry-after', String(wait)).end();
				const named = path === 'live' ? decodedDocument(req.getParameter(0)) : null;
				res.upgrade<Caller>(
					{ signIn, document: named, from, connection: null, leave: () => {} },
					req.getHeader('sec-websocket-key'),
					// A browser drops a connection whose subprotocol nobody took up; no other is ours, and echoing one would promise something.
					view === undefined ? '' : protocol,
					req.getHeader('sec-websocket-extensions'),
					context
				);
			},
			open: (ws) => {
				this.open[path]++;
				this.#admit(path, ws.getUserData(), ws, compression !== uws.DISABLED);
			},
			message: (ws: WebSocket<Caller>, message, isBinary) => {
				const { connection } = ws.getUserData();
				if (!connection) return;
				if (isBinary) this.#guarded(connection, () => connection.received(message));
				else connection.close(CLOSE.badFrame, 'frames are binary');
			},
			drain: (ws) => {
				const { connection } = ws.getUserData();
				if (connection) this.#guarded(connection, () => connection.drained());
			},
			close: (ws) => {
				this.open[path]--;
				const { connection, leave } = ws.getUserData();
				leave();
				if (connection) this.#guarded(connection, () => connection.closed());
			}
		});
	}

	#admit(path: 'sync' | 'live', caller: Caller, ws: WebSocket<Caller>, compress: boolean): void {
		const { signIn, document, from } = caller;
		if (!signIn) {
			this.#door.addresses.wasNobody(from);
			return void ws.end(CLOSE.notSignedIn, 'not signed in');
		}
		if (this.#draining) return void ws.end(CLOSE.restarting, 'restarting');
		if (path === 'live' && document === null) return void ws.end(CLOSE.notThere, 'not there');
		// Whoever looks on as somebody spends their own budget.
		const lane = this.#door.lanes.of(signIn.portal, signIn.viewer ?? signIn.employee);
		const connections = this.#bySignIn.get(signIn.session) ?? new Set();
		if (connections.size >= CONNECTIONS_PER_SIGN_IN || lane.connections >= CONNECTIONS_PER_PERSON || !lane.takeOpening()) {
			return void ws.end(CLOSE.tooMuch, 'too many connections');
		}
		const left = this.#door.addresses.open(from);
		if (!left) return void ws.end(CLOSE.tooMuch, 'too many connections from this address');
		const onFault = (fault: unknown) => this.#door.onFault(fault);
		const connection = new Connection(ws as unknown as ConstructorParameters<typeof Connection>[0], { compress, lane, ip: from.ip, onFault });
		caller.connection = connection;
		// Before the first await: a sign-in that ends meanwhile finds the connection here.
		this.#bySignIn.set(signIn.session, connections.add(connection));
		lane.connections++;
		caller.leave = () => {
			left();
			lane.connections--;
			this.#forget(signIn.session, connection);
		};
		this.#attach(signIn, document, connection).catch((fault: unknown) => {
			this.#door.onFault(fault);
			connection.close(CLOSE.restarting, 'not available');
		});
	}

	async #attach({ portal: portalId, employee, viewer: looksOn }: ResolvedSession, document: DocumentId | null, connection: Connection): Promise<void> {
		const viewer = looksOn ?? null;
		const portal = await this.#door.portal(portalId);
		if (!connection.isOpen) return;
		if (!portal) return connection.close(CLOSE.notSignedIn, 'not signed in');
		if (!portal.seated({ person: employee, viewer })) return connection.close(CLOSE.noLongerAllowed, 'no longer a member');
		connection.attach(document ? portal.attachLive(employee, document, connection, viewer) : portal.attachSync(employee, connection, viewer));
	}

	#close(connection: Connection, code: CloseCode, reason: string): void {
		try {
			connection.close(code, reason);
		} catch (fault) {
			// The others must be closed all the same.
			this.#door.onFault(fault);
		}
	}

	/** A fault in a session ends that session; nothing it half did has left the relay, for what leaves is on disk. */
	#guarded(connection: Connection, work: () => void): void {
		try {
			work();
		} catch (fault) {
			this.#door.onFault(fault);
			this.#close(connection, CLOSE.restarting, 'a fault of the relay');
		}
	}

	#forget(session: SessionId, connection: Connection): void {
		const connections = this.#bySignIn.get(session);
		if (connections?.delete(connection) && connections.size === 0) this.#bySignIn.delete(session);
	}
}

/**
 * A page of the browser can set no header of its own on a socket but this one. It names the view whose cookie speaks, so that the administrator's own does
 * not speak in its place.
 */
function viewIn(protocol: string): string | undefined {
	return protocol.startsWith(VIEW_PROTOCOL) ? protocol.slice(VIEW_PROTOCOL.length) || '-' : undefined;
}

function decodedDocument(parameter: string | undefined): DocumentId | null {
	try {
		const id: unknown = decodeURIComponent(parameter ?? '');
		return isDocumentId(id) ? id : null;
	} catch {
		return null;
	}
}
