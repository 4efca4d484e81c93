/** The relay's file calls, from a page that the relay itself has served: the session's cookie goes along, and the call says which portal's it means. */
import type { DocumentId, PortalId } from '#crdt-model/ids.ts';
import type { Send } from './uploads.ts';

export const fileAddress = (file: DocumentId, origin = ''): string => `${origin}/api/v1/files/${file}`;

const NAMES_PORTAL = 'x-atrium-portal';
const NAMES_VIEW = 'x-atrium-view';

export function relaySend(origin: string, portal: PortalId): Send {
	return async ({ method, file, offset, body, signal }) => {
		const response = await fetch(fileAddress(file, origin), {
			method,
			signal,
			cache: 'no-store',
			headers: { [NAMES_PORTAL]: portal, ...(method === 'PATCH' && { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) }) },
			...(body && { body })
		});
		const said = response.headers.get('upload-offset');
		let code: string | null = null;
		if (!response.ok && method !== 'HEAD') {
			try {
				code = String(((await response.json()) as { code?: unknown }).code);
			} catch {
				// A proxy's page in place of an answer: the status speaks.
			}
		}
		return { status: response.status, offset: said !== null && /^\d{1,15}$/.test(said) ? Number(said) : null, code };
	};
}

/** @param view what an administrator looks on by, in place of their sign-in */
export function relayDownload(origin: string, portal: PortalId, view?: string): (file: DocumentId) => Promise<Blob | null> {
	return async (file) => {
		try {
			const response = await fetch(fileAddress(file, origin), { cache: 'no-store', headers: view ? { [NAMES_VIEW]: view } : { [NAMES_PORTAL]: portal } });
			return response.ok ? await response.blob() : null;
		} catch {
			// No network: the file is not on this device, and that is said where it is wanted.
			return null;
		}
	};
}
