/** What the frame shows of the portal and of the person's standing in it, as the open workspace reports it. */
import type { DocumentId } from '#crdt-model/ids.ts';

export interface PortalLook {
	/** The file of the company's logo; null while there is none. */
	readonly logo: DocumentId<'file'> | null;
	/** Who helps the company, as its settings say: a name or an address. */
	readonly partner: string | null;
	/** Whether the person administers the portal: settings are theirs. */
	readonly administers: boolean;
}

const NOTHING_KNOWN: PortalLook = { logo: null, partner: null, administers: false };
let shown = $state.raw<PortalLook>(NOTHING_KNOWN);

/** Read it in markup or `$derived`. */
export const portalLook = (): PortalLook => shown;

/** @param look null once no workspace is open */
export function reportPortal(look: PortalLook | null): void {
	const next = look ?? NOTHING_KNOWN;
	if (next.logo !== shown.logo || next.partner !== shown.partner || next.administers !== shown.administers) shown = next;
}
