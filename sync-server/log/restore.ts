/** A restored store begins a new life (SPEC H1): every portal's log goes on in an epoch that no device has seen. */
import type { RelayStore } from '#storage/contract.ts';
import { newEpoch } from './seal.ts';

/** @param above the highest epoch that is known to have been anywhere; see `newEpoch` */
export async function beginEpochs(store: RelayStore, { above, at }: { readonly above: number; readonly at: number }): Promise<void> {
	for (const id of await store.portals()) {
		const portal = await store.portal(id);
		const head = newEpoch(await portal.head(), { above, at });
		await portal.commit({ entries: [], heads: [], answers: [], bindings: [], compactions: [], head });
		await portal.close();
	}
}
