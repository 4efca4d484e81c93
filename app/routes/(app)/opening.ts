/**
 * Whose workspace this tab shows, and opening it before the frame is drawn: the device's database answers while the rest of the app's code is still
 * being loaded.
 *
 * Promises: what was begun and is not what the layout then asks for is closed again; what was taken is the layout's to close.
 */
import type { PersonId, PortalId } from '#crdt-model/ids.ts';
import { account } from '#lib/features/account/account.svelte.ts';
import { thisTab, type View } from '#lib/features/account/view.svelte.ts';
import { Workspace, type WorkspaceOptions } from '#lib/sync/workspace.svelte.ts';

let begun: { readonly key: string; readonly view: View | null; readonly opening: Promise<Workspace> } | null = null;

/** This tab looks on as somebody else; only whoever began that goes on with it. */
export function viewHere(): View | null {
	const { session } = account;
	const { view } = thisTab;
	return view && view.viewer === session?.employee && view.portal === session.portal ? view : null;
}

/** Somebody is signed in. A failure is told to whoever takes it. */
export function beginOpening(): void {
	const { portal, employee } = account.session!;
	const view = viewHere();
	const key = [portal, employee, view?.id].join();
	if (begun?.key === key) return;
	letGo();
	const options: WorkspaceOptions = { portal: portal as PortalId, person: view?.person ?? (employee as PersonId), ...(view && { view }) };
	const opening = Workspace.open(options);
	opening.catch(() => {});
	begun = { key, view, opening };
}

/** What was begun for the same person, or one that is begun now. */
export function takeOpening(): Promise<Workspace> {
	beginOpening();
	const { opening } = begun!;
	begun = null;
	return opening;
}

function letGo(): void {
	const view = begun?.view;
	void begun?.opening.then(
		// What a view brought to the device goes with it.
		(opened) => (view ? opened.wipe() : opened.close()),
		() => {
			// Never opened.
		}
	);
	begun = null;
}
