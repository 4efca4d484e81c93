/** Whose access is being asked about: any screen may ask, one dialog answers. */
import type { DocumentId } from '#crdt-model/ids.ts';

class Asked {
	document = $state.raw<DocumentId | null>(null);
}
export const asked = new Asked();

/** "Who can see this, and why?", also for a record that is not here. */
export function askAccess(document: DocumentId): void {
	asked.document = document;
}
