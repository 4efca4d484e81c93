/** A recorded session of 259,778 edits (test/data/editing-traces), typed into a text by y-websocket's own client. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import type { DocumentId } from '#crdt-model/ids.ts';
import { until, type TestRelay } from '../support/relay.ts';

interface Trace {
	readonly endContent: string;
	readonly txns: readonly { readonly patches: readonly [position: number, deleted: number, inserted: string][] }[];
}

/** Edits that go up together: as many updates as a person's day has, not a frame for each letter. */
const EDITS_PER_UPDATE = 400;
/** Then a pause: below the relay's window of frames, as a typist is. */
const UPDATES_PER_BURST = 20;
const PAUSE_MS = 60;

/** Answers what the text must be now; by then the relay has given it whole to another client. */
export async function typePaper(relay: TestRelay, token: string, text: DocumentId): Promise<string> {
	const trace = JSON.parse(gunzipSync(readFileSync(new URL('../data/editing-traces/automerge-paper.json.gz', import.meta.url))).toString('utf8')) as Trace;
	const author = client(relay, token, text);
	await until(() => author.synced);
	const content = author.doc.getText('text');
	const patches = trace.txns.flatMap((one) => one.patches);
	for (let at = 0, updates = 0; at < patches.length; at += EDITS_PER_UPDATE) {
		author.doc.transact(() => {
			for (const [position, deleted, inserted] of patches.slice(at, at + EDITS_PER_UPDATE)) {
				if (deleted > 0) content.delete(position, deleted);
				if (inserted !== '') content.insert(position, inserted);
			}
		});
		if (++updates % UPDATES_PER_BURST === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
	}
	if (content.toString() !== trace.endContent) throw new Error('The recording does not end in its own text.');
	const late = client(relay, token, text);
	await until(() => late.synced && late.doc.getText('text').toString() === trace.endContent, 90_000);
	for (const one of [late, author]) one.destroy();
	return trace.endContent;
}

function client(relay: TestRelay, token: string, text: DocumentId): WebsocketProvider {
	// The token goes into the upgrade's headers, as the protocol asks.
	class SignedIn extends WebSocket {
		constructor(address: string | URL, protocols?: string | string[]) {
			super(address, protocols, { headers: { authorization: `Bearer ${token}` } });
		}
	}
	return new WebsocketProvider(`${relay.socketUrl}/live`, text, new Y.Doc(), { WebSocketPolyfill: SignedIn as unknown as typeof globalThis.WebSocket, disableBc: true });
}
