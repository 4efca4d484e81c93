/**
 * Tabs of one person on one device: which of them leads, which slot each one types under, and how they hear each other.
 *
 * Promises: at most one tab leads per database and schema version; a slot belongs to one tab while it lives. The browser frees both when a tab dies.
 * Where the browser has no Web Locks (plain http), the tab leads alone and types under a slot of its own.
 */

/** Tabs that one person keeps open; beyond it a slot is made up, which costs client ids and nothing else. */
const MAX_SLOTS = 50;

export interface Held {
	release(): void;
}

/** Waits for leadership; `onLead` runs once it is there. */
export function lead(name: string, onLead: () => void): Held {
	if (!('locks' in navigator)) {
		onLead();
		return { release: () => {} };
	}
	const giveUp = new AbortController();
	let release = () => {};
	const held = new Promise<void>((resolve) => (release = resolve));
	navigator.locks
		.request(name, { signal: giveUp.signal }, () => {
			onLead();
			return held;
		})
		.catch((reason: unknown) => {
			// Released while still waiting: that is what was asked for.
			if (!(reason instanceof DOMException && reason.name === 'AbortError')) throw reason;
		});
	return {
		release() {
			giveUp.abort();
			release();
		}
	};
}

/** The first slot that no other tab holds. */
export async function takeSlot(name: string): Promise<Held & { readonly slot: string }> {
	if ('locks' in navigator) {
		for (let number = 1; number <= MAX_SLOTS; number++) {
			const release = await tryLock(`${name}:${number}`);
			if (release) return { slot: `slot-${number}`, release };
		}
	}
	return { slot: `slot-${crypto.randomUUID()}`, release: () => {} };
}

function tryLock(name: string): Promise<(() => void) | null> {
	return new Promise((resolve, reject) => {
		navigator.locks
			.request(name, { ifAvailable: true }, (lock) => {
				if (!lock) return resolve(null);
				return new Promise<void>((release) => resolve(() => release()));
			})
			.catch(reject);
	});
}
