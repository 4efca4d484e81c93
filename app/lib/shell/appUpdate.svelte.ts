/**
 * A new version of the app: its service worker waits until the person says so, because changing versions reloads the page.
 *
 * Promises: nothing is reloaded under someone who types; before a reload everything typed is kept on the device; a tab that another tab updated
 * reloads by itself only while it is out of sight.
 */
import { dev } from '$app/env';

/** A tab that stays open for days still hears of new versions. */
const ASK_EVERY_MS = 60 * 60_000;

class AppUpdate {
	#waiting = $state.raw<ServiceWorker | undefined>();
	/** Another tab took the new version: this one still runs the old. */
	#behind = $state(false);
	#busy = $state(false);
	#asked = false;

	get offered(): boolean {
		return this.#waiting !== undefined || this.#behind;
	}
	get busy(): boolean {
		return this.#busy;
	}

	/** Called once by the layout; returns the way to stop. `flush` keeps what is typed. */
	watch(flush: () => Promise<void>): () => void {
		if (!('serviceWorker' in navigator) || dev) return () => {};
		const { serviceWorker } = navigator;
		let registration: ServiceWorkerRegistration | undefined;
		const wasControlled = serviceWorker.controller !== null;
		const look = (): void => {
			// The very first worker has nobody to replace.
			if (registration?.waiting && serviceWorker.controller) this.#waiting = registration.waiting;
		};
		const found = (): void => registration?.installing?.addEventListener('statechange', look);
		const taken = (): void => {
			if (this.#asked) return location.reload();
			if (!wasControlled) return;
			this.#waiting = undefined;
			this.#behind = true;
			if (document.visibilityState === 'hidden') void this.accept(flush);
		};
		const ask = (): void => {
			// Offline there is nothing to hear; the next time will do.
			if (document.visibilityState === 'visible') void registration?.update().catch(() => {});
		};
		// A part of the old version that is asked for after it went.
		const missing = (event: Event): void => {
			if (!navigator.onLine) return;
			event.preventDefault();
			this.#behind = true;
		};
		void serviceWorker.ready.then((ready) => {
			registration = ready;
			ready.addEventListener('updatefound', found);
			found();
			look();
		});
		serviceWorker.addEventListener('controllerchange', taken);
		document.addEventListener('visibilitychange', ask);
		window.addEventListener('vite:preloadError', missing);
		const timer = setInterval(ask, ASK_EVERY_MS);
		return () => {
			registration?.removeEventListener('updatefound', found);
			serviceWorker.removeEventListener('controllerchange', taken);
			document.removeEventListener('visibilitychange', ask);
			window.removeEventListener('vite:preloadError', missing);
			clearInterval(timer);
		};
	}

	async accept(flush: () => Promise<void>): Promise<void> {
		this.#busy = true;
		await flush();
		if (this.#waiting) {
			this.#asked = true;
			this.#waiting.postMessage({ type: 'skip-waiting' });
		} else location.reload();
	}
}

export const appUpdate = new AppUpdate();
