/**
 * The portals that this device remembers, and which of them this tab shows.
 *
 * Promises: no secret lies here (the relay keeps each sign-in in an HttpOnly cookie), only what the app needs to open without asking anyone; a portal has
 * at most one person on this device; two tabs may show two portals, and a new tab opens the one that was chosen last.
 * Leaves to others: asking the relay (account.svelte.ts), the stores of what the person may read (one database per portal and person, lib/sync).
 */

export interface RememberedSession {
	portal: string;
	employee: string;
	/** The person's. */
	name: string;
	email?: string;
	/** The portal's name, once known. */
	company?: string;
}

interface Kept {
	/** What a new tab opens. */
	readonly chosen: string | null;
	readonly known: readonly RememberedSession[];
}

const DEVICE_KEY = 'atrium.portals';
const TAB_KEY = 'atrium.portal';
/** More companies than anybody works for; what comes beyond pushes out the one that was opened the longest ago. */
const MOST_KNOWN = 50;

class SignIns {
	#known = $state.raw<readonly RememberedSession[]>([]);
	#here = $state<string | null>(null);

	constructor() {
		const kept = keptOnDevice();
		this.#known = kept.known;
		this.#here = readTab() ?? kept.chosen;
		// Signed in or out in another tab: this one knows it too, and goes on showing its own portal.
		window.addEventListener('storage', (event) => {
			if (event.key === DEVICE_KEY || event.key === null) this.#known = keptOnDevice().known;
		});
	}

	/** Whose portal this tab shows; nobody's before the first sign-in, and after signing out. */
	get here(): RememberedSession | undefined {
		return this.#known.find(({ portal }) => portal === this.#here);
	}
	/** The last chosen first. */
	get known(): readonly RememberedSession[] {
		return this.#known;
	}

	/** Signed in: this tab shows it from now on, and so does a new one. */
	begin(session: RememberedSession): void {
		this.#keep(session.portal, [session, ...this.#known.filter(({ portal }) => portal !== session.portal)].slice(0, MOST_KNOWN));
		this.#show(session.portal);
	}
	/** Newer names of what this tab shows. */
	describe(names: { name?: string; company?: string; email?: string }): void {
		this.#keep(
			keptOnDevice().chosen,
			this.#known.map((one) => (one.portal === this.#here ? { ...one, ...names } : one))
		);
	}
	/** This tab shows another portal that the device remembers. */
	show(portal: string): void {
		const wanted = this.#known.find((one) => one.portal === portal);
		if (wanted) this.begin(wanted);
	}
	/** Signed out: the device forgets the portal, and what it held stays under the person's name. */
	forget(portal: string): void {
		const { chosen } = keptOnDevice();
		this.#keep(
			chosen === portal ? null : chosen,
			this.#known.filter((one) => one.portal !== portal)
		);
		if (this.#here === portal) this.#show(null);
	}

	#show(portal: string | null): void {
		this.#here = portal;
		try {
			if (portal === null) sessionStorage.removeItem(TAB_KEY);
			else sessionStorage.setItem(TAB_KEY, portal);
		} catch {
			// Storage is forbidden: the choice holds until the next reload.
		}
	}
	#keep(chosen: string | null, known: readonly RememberedSession[]): void {
		this.#known = known;
		try {
			localStorage.setItem(DEVICE_KEY, JSON.stringify({ chosen, known } satisfies Kept));
		} catch {
			// Storage is forbidden: the sign-in holds for this visit.
		}
	}
}

function readTab(): string | null {
	try {
		return sessionStorage.getItem(TAB_KEY);
	} catch {
		return null;
	}
}

function keptOnDevice(): Kept {
	try {
		const stored: unknown = JSON.parse(localStorage.getItem(DEVICE_KEY) ?? 'null');
		if (typeof stored !== 'object' || stored === null) return { chosen: null, known: [] };
		const { chosen, known } = stored as Record<string, unknown>;
		return { chosen: typeof chosen === 'string' ? chosen : null, known: Array.isArray(known) ? known.flatMap(sessionOf) : [] };
	} catch {
		// Unreadable is the same as nobody: the person signs in.
		return { chosen: null, known: [] };
	}
}

function sessionOf(stored: unknown): RememberedSession[] {
	if (typeof stored !== 'object' || stored === null) return [];
	const { portal, employee, name, email, company } = stored as Record<string, unknown>;
	if (typeof portal !== 'string' || typeof employee !== 'string' || typeof name !== 'string') return [];
	return [{ portal, employee, name, ...(typeof email === 'string' ? { email } : {}), ...(typeof company === 'string' ? { company } : {}) }];
}

export const signIns = new SignIns();
