/**
 * The one word about sync in the top bar, and what it means. lib/sync reports; the frame shows.
 * Until something was reported the word is "On this device", which is then true.
 */

import { untrack } from 'svelte';

export type SyncWord =
	| { word: 'on-this-device'; waiting: number }
	| { word: 'sending'; count: number }
	| { word: 'set-aside'; count: number }
	| { word: 'up-to-date' };

export interface SyncReport {
	/** The relay answers, and this device follows it. */
	connected: boolean;
	/** Changes made here that the relay has not answered. */
	waiting: number;
	setAside: number;
}

class SyncState {
	#report = $state.raw<SyncReport>({ connected: false, waiting: 0, setAside: 0 });

	report(report: SyncReport): void {
		// Called from effects: they must not come to depend on what they report.
		const now = untrack(() => this.#report);
		if (now.connected === report.connected && now.waiting === report.waiting && now.setAside === report.setAside) return;
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
	/** What was set aside outweighs "up to date", never what is on its way or the missing network. */
	get word(): SyncWord {
		const { connected, waiting, setAside } = this.#report;
		if (!connected) return { word: 'on-this-device', waiting };
		if (waiting > 0) return { word: 'sending', count: waiting };
		if (setAside > 0) return { word: 'set-aside', count: setAside };
		return { word: 'up-to-date' };
	}
}

export const syncState = new SyncState();
