/**
 * This tab looks on as somebody else: an administrator's view, read only (sync-server's SPEC E).
 *
 * Promises: it lives in this tab alone and over its reloads; the tab keeps which view it is, while the token is a cookie that no script reads; what it brought to
 * the device lies in a database of its own, which is deleted at its end, and at the latest when the app next starts.
 * Leaves to others: beginning and ending it at the relay (account.svelte.ts), showing it (routes).
 */
import { isIdOf, type PersonId } from '#crdt-model/ids.ts';

export interface View {
	/** Names its database: `<expiresAt>:<view>`. */
	readonly id: string;
	/** What calls and sockets say of it (`X-Atrium-View`). */
	readonly view: string;
	readonly person: PersonId;
	readonly viewer: PersonId;
	readonly portal: string;
	/** Milliseconds since 1970. */
	readonly expiresAt: number;
}

const KEY = 'atrium.view';

class ThisTab {
	#view = $state.raw<View | null>(stored());

	get view(): View | null {
		return this.#view;
	}
	begin(view: Omit<View, 'id'>): void {
		this.#view = { ...view, id: `${view.expiresAt}:${view.view}` };
		try {
			sessionStorage.setItem(KEY, JSON.stringify(this.#view));
		} catch {
			// Storage is forbidden: the view ends with the next reload.
		}
	}
	end(): void {
		this.#view = null;
		try {
			sessionStorage.removeItem(KEY);
		} catch {
			// Storage is forbidden, so nothing was kept.
		}
	}
}

function stored(): View | null {
	try {
		const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Partial<View> | null;
		const fits =
			kept !== null &&
			[kept.id, kept.view, kept.portal].every((one) => typeof one === 'string') &&
			isIdOf('employee', kept.person) &&
			isIdOf('employee', kept.viewer) &&
			typeof kept.expiresAt === 'number';
		return fits ? (kept as View) : null;
	} catch {
		// Unreadable is the same as none.
		return null;
	}
}

export const thisTab = new ThisTab();
