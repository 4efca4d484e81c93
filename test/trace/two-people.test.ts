/**
 * A recorded session of two people who typed at once, typed again: each edit by its author's own connection, at the position that the author
 * saw. It must end in the text that it ended in, on both, and on a third who joins late with y-websocket's own provider.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import type { DocumentId } from '#crdt-model/ids.ts';
import { holds } from '#crdt-model/page/ranges.ts';
import { LiveClient } from '../support/live-client.ts';
import { TestRelay, until, type SignedIn } from '../support/relay.ts';

interface Trace {
	readonly endContent: string;
	readonly txns: readonly { readonly parents: readonly number[]; readonly agent: 0 | 1; readonly patches: readonly [position: number, deleted: number, inserted: string][] }[];
}

const trace = JSON.parse(
	gunzipSync(readFileSync(new URL('../data/editing-traces/friendsforever.concurrent.json.gz', import.meta.url))).toString('utf8')
) as Trace;

/** In the recording the first author's text comes first where both typed at one place; Yjs decides that by the lower id. */
const CLIENT_IDS = [70_001, 70_002] as const;
/** Edits typed between two turns of the event loop: a fast typist, and far below the relay's window of frames. */
const EDITS_PER_TURN = 20;

describe('the recorded session of two people', () => {
	let relay: TestRelay;
	let people: [SignedIn, SignedIn];
	let text: DocumentId;

	beforeAll(async () => {
		relay = await TestRelay.start();
		const ana = await relay.register();
		people = [ana, await relay.hire(ana, 'bob@acme.example', 'Bob')];
		text = await relay.create(ana, 'text', { title: 'Friends', place: 'company' });
	}, 120_000);
	afterAll(() => relay?.remove());

	it('[P6] ends in its text on both, and on a third who joins late', { timeout: 600_000 }, async () => {
		const clients = people.map(({ token }, i) => new LiveClient(relay.socketUrl, text, token, CLIENT_IDS[i]!)) as [LiveClient, LiveClient];
		await Promise.all(clients.map(({ opened }) => opened));
		await until(() => clients.every(({ isSynced }) => isSynced));

		// How many edits of each author every edit's author had seen, and how many of them that author's document holds by now.
		const seenBy: [number, number][] = [];
		const taken: [number, number] = [0, 0];
		for (const [index, { parents, agent, patches }] of trace.txns.entries()) {
			const seen: [number, number] = [0, 0];
			for (const parent of parents) for (const who of [0, 1] as const) seen[who] = Math.max(seen[who], seenBy[parent]![who]);
			const author = clients[agent];
			const other = agent === 0 ? 1 : 0;
			for (; taken[agent] < seen[other]; taken[agent]++) {
				const edit = clients[other].typed[taken[agent]]!;
				if (!author.takeUntil(edit)) await until(() => author.closeCode !== null || author.takeUntil(edit), 120_000);
				expect(author.closeCode).toBe(null);
			}
			const content = author.doc.getText('text');
			author.doc.transact(() => {
				for (const [position, deleted, inserted] of patches) {
					if (deleted > 0) content.delete(position, deleted);
					if (inserted) content.insert(position, inserted);
				}
			});
			seen[agent]++;
			seenBy[index] = seen;
			expect(author.typed.length).toBe(seen[agent]);
			if (index % EDITS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
		}
		await until(() => {
			for (const client of clients) client.takeAll();
			return clients.every(({ doc }) => clients.every(({ typed }) => typed.every((edit) => holds(doc, edit))));
		}, 300_000);
		expect(clients.map(({ closeCode }) => closeCode)).toEqual([null, null]);
		for (const { doc } of clients) expect(doc.getText('text').toString()).toBe(trace.endContent);

		const third = new Y.Doc();
		class WithToken extends WebSocket {
			constructor(address: string) {
				super(address, { headers: { authorization: `Bearer ${people[1].token}` } });
			}
		}
		const provider = new WebsocketProvider(`${relay.socketUrl}/live`, text, third, {
			WebSocketPolyfill: WithToken as unknown as typeof globalThis.WebSocket,
			disableBc: true
		});
		try {
			await until(() => provider.synced);
			expect(third.getText('text').toString()).toBe(trace.endContent);
		} finally {
			provider.destroy();
			for (const client of clients) client.close();
		}
	});
});
