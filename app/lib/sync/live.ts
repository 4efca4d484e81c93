/**
 * Co-editing of one open page over `/live/<document>` with y-websocket's provider: who types where, at once.
 *
 * Promises: `/live` carries a page only while nothing of it waits for `/sync`; after every drop the provider is off until the tail is empty again;
 * a final close code ends it here, and `/sync` alone decides what becomes of the tail (DESIGN.md 6). Signed out, it waits until `/sync` is let in again.
 * Leaves to others: keeping edits (pages.ts). One LivePage belongs to one Y.Doc: after a reset the editor makes another.
 */
import type { Awareness } from 'y-protocols/awareness';
import { WebsocketProvider } from 'y-websocket';
import type { PortalId } from '#crdt-model/ids.ts';
import { LIVE_CLAIM_MS, type OpenedPage, type Replica } from './engine.ts';
import { NOT_SIGNED_IN } from './link.ts';

export type LiveState = 'off' | 'waiting' | 'connecting' | 'live' | 'ended';

/** Looks so often whether the page is accepted and its tail is through. */
const LOOK_MS = 1_000;
/** A connection that is not there by then is given up, and the tail goes over `/sync`. */
const CONNECT_MS = 10_000;
/** After a drop: the first wait, doubled up to the last. */
const MIN_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

export interface LiveOptions {
	readonly replica: Replica;
	readonly page: OpenedPage;
	/** `wss://portal.example/live` */
	readonly address: string;
	/** Which of the browser's sign-ins is meant. */
	readonly portal: PortalId;
	readonly user: { readonly name: string; readonly color: string };
	/** As for `/sync`: the token of a view. */
	readonly protocols?: string[];
	readonly onState?: (state: LiveState) => void;
}

export class LivePage {
	readonly awareness: Awareness;
	readonly provider: WebsocketProvider;
	state: LiveState = 'off';
	readonly #options: LiveOptions;
	#timer: ReturnType<typeof setTimeout> | null = null;
	readonly #claim: ReturnType<typeof setInterval>;
	readonly #stopListening: () => void;
	#drops = 0;
	#destroyed = false;

	constructor(options: LiveOptions) {
		this.#options = options;
		const { page, address, portal, user, protocols = [] } = options;
		this.provider = new WebsocketProvider(address, page.document, page.doc, { connect: false, disableBc: true, protocols, params: { portal } });
		this.awareness = this.provider.awareness;
		// The relay stamps both itself; this is what the own editor shows until then.
		this.awareness.setLocalStateField('user', user);
		this.provider.on('status', ({ status }) => {
			if (status === 'connected' && this.state === 'connecting') {
				this.#wait(null);
				this.#to('live');
			}
		});
		this.provider.on('sync', (synced: boolean) => {
			if (synced) this.#drops = 0;
		});
		this.provider.on('connection-close', (event) => {
			if (this.state === 'connecting' || this.state === 'live') void this.#dropped(event !== null && event.code >= 4400 && event.code < 4500 && event.code !== NOT_SIGNED_IN);
		});
		this.#claim = setInterval(() => {
			if (this.state === 'live' || this.state === 'connecting') options.replica.renewLive(page.document);
		}, LIVE_CLAIM_MS / 3);
		const stopResets = page.onReset(() => void this.destroy());
		// A pulled cable closes no socket: what is typed then goes over /sync, not into the silence.
		const onNetwork = (): void => {
			if (this.state === 'connecting' || this.state === 'live') void this.#dropped(false);
		};
		for (const event of ['offline', 'online'] as const) globalThis.addEventListener?.(event, onNetwork);
		this.#stopListening = () => {
			stopResets();
			for (const event of ['offline', 'online'] as const) globalThis.removeEventListener?.(event, onNetwork);
		};
	}

	start(): void {
		if (this.state !== 'off' && this.state !== 'ended') return;
		this.#to('waiting');
		void this.#attempt();
	}

	async destroy(): Promise<void> {
		if (this.#destroyed) return;
		this.#destroyed = true;
		clearInterval(this.#claim);
		this.#wait(null);
		this.#stopListening();
		const wasClaimed = this.state === 'live' || this.state === 'connecting';
		this.#to('ended');
		this.provider.destroy();
		this.awareness.destroy();
		if (wasClaimed) await this.#options.replica.setLive(this.#options.page.document, false);
	}

	async #attempt(): Promise<void> {
		const { page, replica } = this.#options;
		try {
			await page.flush();
			const ready = replica.status().word !== 'on-device' && (await page.isAccepted()) && !(await page.hasTail());
			if (!this.#is('waiting')) return;
			if (!ready) return this.#wait(() => void this.#attempt(), LOOK_MS);
			this.#to('connecting');
			await replica.setLive(page.document, true);
		} catch {
			// The store is closing or full; the replica's status says so, and the page goes on without company.
			if (this.#is('waiting', 'connecting')) {
				this.#to('waiting');
				this.#wait(() => void this.#attempt(), LOOK_MS);
			}
			return;
		}
		if (!this.#is('connecting')) return;
		this.#wait(() => this.provider.disconnect(), CONNECT_MS);
		this.provider.connect();
	}

	async #dropped(final: boolean): Promise<void> {
		const { page, replica } = this.#options;
		this.#to(final ? 'ended' : 'waiting');
		// Off before it tries again by itself: what it would send is the tail, and that goes over /sync first.
		this.provider.disconnect();
		const pause = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** Math.min(this.#drops++, 8));
		this.#wait(final ? null : () => void this.#attempt(), pause * (0.5 + Math.random() / 2));
		await page.flush().catch(() => {
			// Kept in the page's buffer, and said by the replica's status.
		});
		await replica.setLive(page.document, false).catch(() => {
			// The store is closing: the next start finds the tail and sends it.
		});
	}

	#wait(then: (() => void) | null, ms = 0): void {
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = then && setTimeout(then, ms);
	}

	/** Asked anew after every wait: the state may have changed meanwhile. */
	#is(...states: LiveState[]): boolean {
		return states.includes(this.state);
	}

	#to(state: LiveState): void {
		if (this.state === state) return;
		this.state = state;
		this.#options.onState?.(state);
	}
}
