/**
 * The one word about sync in the top bar, and what it means. lib/sync reports; the frame shows.
 * Until something was reported the word is "On this device", which is then true.
 */

import { untrack } from 'svelte';

export type SyncWord =
	| { word: 'on-this-device'; waiting: number; outside: boolean }
	| { word: 'sending'; count: number }
	| { word: 'receiving'; count: number }
	| { word: 'set-aside'; count: number }
	| { word: 'up-to-date' };

export interface SyncReport {
	/** The relay answers, and this device follows it. */
	connected: boolean;
	/** The relay answers, and lets nobody in from this network. */
	outside?: boolean;
	/** Changes made here that the relay has not answered. */
	waiting: number;
	setAside: number;
	/** Connected, and the latest from the others is still coming. */
	receiving?: boolean;
	/** This device holds nothing of the portal yet, not even who works there. */
	blank?: boolean;
	/** Records that came so far, while many come. */
	received?: number;
	/** Whether the browser promised not to clear this device's data by itself. */
	persistence?: Persistence;
}
export type Persistence = 'unknown' | 'granted' | 'refused';

class SyncState {
	#report = $state.raw<SyncReport>({ connected: false, waiting: 0, setAside: 0 });
	/** Asks the browser to keep the data; set while a workspace is open. */
	askToPersist = $state.raw<(() => Promise<void>) | undefined>();

	report(report: SyncReport): void {
		// Called from effects: they must not come to depend on what they report.
		const now = untrack(() => this.#report);
		if (now.connected === report.connected && now.outside === report.outside && now.waiting === report.waiting && now.setAside === report.setAside && now.receiving === report.receiving && now.blank === report.blank && now.received === report.received && now.persistence === report.persistence) return;
		this.#report = report;
	}

	get waiting(): number {
		return this.#report.waiting;
	}
	get setAside(): number {
		return this.#report.setAside;
	}
	get connected(): boolean {
		return this.#report.connected;
	}
	get persistence(): Persistence {
		return this.#report.persistence ?? 'unknown';
	}
	/** The first records of the portal are on their way, or wait for the network; an empty list proves nothing then. */
	get arriving(): 'no' | 'coming' | 'waiting' {
		const { connected, receiving, blank } = this.#report;
		if (receiving) return 'coming';
		if (!blank) return 'no';
		return connected ? 'coming' : 'waiting';
	}
	/** What was set aside outweighs "up to date", never what is on its way or the missing network. */
	get word(): SyncWord {
		const { connected, outside = false, waiting, setAside, receiving, received } = this.#report;
		if (!connected) return { word: 'on-this-device', waiting, outside };
		if (waiting > 0) return { word: 'sending', count: waiting };
		if (receiving) return { word: 'receiving', count: received ?? 0 };
		if (setAside > 0) return { word: 'set-aside', count: setAside };
		return { word: 'up-to-date' };
	}
}

export const syncState = new SyncState();
