/**
 * `/sync` and `/live/:documentId`: who is it, and which session do they get.
 *
 * Promises: the caller is known by cookie (from our own pages only) or `Authorization: Bearer`, never by anything in the address; a browser cannot
 * read why an upgrade failed, so every upgrade is taken and what may not stay is closed with its code (DESIGN 8); when a sign-in ends, its
 * connections are closed in the same turn.
 * Leaves to others: frames and backpressure (connection.ts), what may be read (the portal's sessions close with 4404 themselves).
 */
import { isDocumentId, type DocumentId, type PersonId, type PortalId, type SessionId } from '#crdt-model/ids.ts';
import { MAX_FRAME_BYTES } from '#crdt-model/wire/limits.ts';
import type { ResolvedSession } from '../accounts/accounts.ts';
import { CLOSE, type CloseCode, type FrameSession, type FrameSocket } from '../session/socket.ts';
import { Connection, SEND_LIMIT_BYTES } from './connection.ts';
import { Turns } from './turns.ts';
import type { TemplatedApp, UwsModule, WebSocket } from './uws.ts';

/** What sockets need of a portal; `room/portal.ts` has it. */
export interface SocketPortal {
	actorOf(person: PersonId): object | null;
	attachSync(person: PersonId, socket: FrameSocket): FrameSession;
	attachLive(person: PersonId, document: DocumentId, socket: FrameSocket): FrameSession;
}
export interface SocketDoor {
	/** Null for anyone who is not signed in. Gets copies of the headers and decides about the origin too. */
	signedIn(headers: { cookie: string; authorization: string; origin: string; host: string }): ResolvedSession | null;
	portal(id: PortalId): Promise<SocketPortal | null>;
	/** Calls back with sign-ins that have ended. */
	onSessionsEnded(listener: (ended: readonly { session: SessionId }[]) => void): () => void;
	/** Milliseconds, monotonic. */
	now(): number;
	onFault(fault: unknown): void;
}

/** A phone in a tunnel is gone after this; uWS sends pings within it. Seconds, as uWS takes them. */
const IDLE_SECONDS = 60;
/** Beyond this uWebSockets.js cuts the line without a word; up to here the connection says why (a stock client would come back for ever). */
const MAX_INFLATED_BYTES = 4 * MAX_FRAME_BYTES;
/** Tabs times open pages of one browser, twice over. */
const SOCKETS_PER_SIGN_IN = 256;
/** Never reached: connection.ts stops at the half of it before anything more is sent. */
const MAX_BACKPRESSURE_BYTES = 2 * SEND_LIMIT_BYTES + MAX_FRAME_BYTES;

interface Caller {
	readonly signIn: ResolvedSession | null;
	/** For `/live`: null where the address names no document. */
	readonly document: DocumentId | null;
	connection: Connection | null;
}

export class Sockets {
	readonly #door: SocketDoor;
	readonly #bySignIn = new Map<SessionId, Set<Connection>>();
	readonly #stopListening: () => void;
	readonly #turns: Turns;
	#draining = false;
	/** Open connections by path, for /metrics. */
	readonly open = { sync: 0, live: 0 };

	constructor(door: SocketDoor) {
		this.#door = door;
		this.#turns = new Turns((fault) => door.onFault(fault));
		this.#stopListening = door.onSessionsEnded((ended) => {
			for (const { session } of ended) {
				for (const connection of [...(this.#bySignIn.get(session) ?? [])]) this.#close(connection, CLOSE.notSignedIn, 'signed out');
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
				const signIn = this.#door.signedIn({
					cookie: req.getHeader('cookie'),
					authorization: req.getHeader('authorization'),
					origin: req.getHeader('origin'),
					host: req.getHeader('host')
				});
				const named = path === 'live' ? decodedDocument(req.getParameter(0)) : null;
				res.upgrade<Caller>(
					{ signIn, document: named, connection: null },
					req.getHeader('sec-websocket-key'),
					// No subprotocol is ours: echoing one would promise something.
					'',
					req.getHeader('sec-websocket-extensions'),
					context
				);
			},
			open: (ws) => {
				this.open[path]++;
				const caller = ws.getUserData();
				caller.connection = new Connection(ws as unknown as ConstructorParameters<typeof Connection>[0], {
					compress: compression !== uws.DISABLED,
					now: this.#door.now,
					turns: this.#turns
				});
				this.#admit(path, caller, caller.connection);
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
				const { connection, signIn } = ws.getUserData();
				if (!connection) return;
				if (signIn) this.#forget(signIn.session, connection);
				this.#guarded(connection, () => connection.closed());
			}
		});
	}

	#admit(path: 'sync' | 'live', { signIn, document }: Caller, connection: Connection): void {
		if (this.#draining) return connection.close(CLOSE.restarting, 'restarting');
		if (!signIn) return connection.close(CLOSE.notSignedIn, 'not signed in');
		if (path === 'live' && document === null) return connection.close(CLOSE.notThere, 'not there');
		const connections = this.#bySignIn.get(signIn.session) ?? new Set();
		if (connections.size >= SOCKETS_PER_SIGN_IN) return connection.close(CLOSE.tooMuch, 'too many connections');
		// Before the first await: a sign-in that ends meanwhile finds the connection here.
		this.#bySignIn.set(signIn.session, connections.add(connection));
		this.#attach(signIn, document, connection).catch((fault: unknown) => {
			this.#door.onFault(fault);
			connection.close(CLOSE.restarting, 'not available');
		});
	}

	async #attach({ portal: portalId, employee }: ResolvedSession, document: DocumentId | null, connection: Connection): Promise<void> {
		const portal = await this.#door.portal(portalId);
		if (!connection.isOpen) return;
		if (!portal) return connection.close(CLOSE.notSignedIn, 'not signed in');
		if (!portal.actorOf(employee)) return connection.close(CLOSE.noLongerAllowed, 'no longer a member');
		connection.attach(document ? portal.attachLive(employee, document, connection) : portal.attachSync(employee, connection));
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

function decodedDocument(parameter: string | undefined): DocumentId | null {
	try {
		const id: unknown = decodeURIComponent(parameter ?? '');
		return isDocumentId(id) ? id : null;
	} catch {
		return null;
	}
}
