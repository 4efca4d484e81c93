/**
 * The relay is killed under load, again and again. Afterwards nothing may be missing that was acknowledged to its author or delivered to
 * anyone (P2), and every device, those that lived through the crash and a new one, holds the same (P6).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { IdMaker, type DocumentId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { SyncClient } from '../support/sync-client.ts';
import { TestRelay, until, type SignedIn } from '../support/relay.ts';
import { seeded, type Random } from '../support/random.ts';

const WRITERS = 20;
const CRASHES = 20;
/** How much work a round does before the kill: enough that commits are under way, whatever the machine's speed. */
const ANSWERS_BEFORE_KILL = { least: 40, most: 160 };

class Writer {
	readonly client: SyncClient;
	readonly #random: Random;
	readonly #ids: IdMaker;
	readonly #tasks: DocumentId[];
	readonly #text: DocumentId;
	/** Commands and page ranges that the relay said it has. */
	readonly acknowledged = new Set<string>();
	readonly acknowledgedText: string[] = [];
	#doc: Y.Doc | null = null;
	isStopped = false;

	constructor(relay: TestRelay, person: SignedIn, random: Random, tasks: DocumentId[], text: DocumentId) {
		this.client = new SyncClient(relay.socketUrl, person.token);
		this.#random = random;
		this.#ids = new IdMaker();
		this.#tasks = tasks;
		this.#text = text;
	}

	/** Writes without pause until the connection ends. */
	async run(onAnswer: () => void): Promise<void> {
		while (!this.isStopped) {
			const alive = this.#random.below(4) === 0 ? await this.#type() : await this.#command();
			if (!alive) return;
			onAnswer();
		}
	}

	async #command(): Promise<boolean> {
		const document = this.#random.pick(this.#tasks);
		const item = this.#ids.item();
		const [name, args] = this.#random.pick<[string, unknown]>([
			['task.addItem', { item, text: `line ${item.slice(-6)}`, position: 'a0' }],
			['task.comment', { item, text: `said ${item.slice(-6)}` }],
			['task.setTitle', { value: `title ${item.slice(-6)}` }]
		]);
		const command: Command = { id: this.#ids.command(), document, name, args, at: Date.now(), seen: {} };
		const result = await this.client.submit({ id: this.#ids.batch(), commands: [command] });
		if (result?.kind === 'accepted') this.acknowledged.add(command.id);
		return result !== null;
	}

	async #type(): Promise<boolean> {
		// A device draws a new client id whenever what it typed before may not have arrived (DESIGN 5).
		if (!this.#doc) {
			this.#doc = new Y.Doc();
			Y.applyUpdate(this.#doc, Y.encodeStateAsUpdate(this.client.held.get(this.#text)!.doc));
		}
		const word = `<${this.#ids.item().slice(-8)}>`;
		const before = Y.encodeStateVector(this.#doc);
		this.#doc.getText('text').insert(0, word);
		const result = await this.client.update(word, this.#text, Y.encodeStateAsUpdate(this.#doc, before));
		if (result?.kind === 'accepted') this.acknowledgedText.push(word);
		if (result?.kind === 'refused') this.#doc = null;
		return result !== null;
	}

	forgetDoc(): void {
		this.#doc = null;
	}
}

describe('kill -9 under load', () => {
	let relay: TestRelay;
	const people: SignedIn[] = [];
	const tasks: DocumentId[] = [];
	let text: DocumentId;
	/** A device that saw the portal before the load: from its cursor the relay tells every entry since. */
	let witness: SyncClient;

	beforeAll(async () => {
		relay = await TestRelay.start();
		people.push(await relay.register());
		for (const name of ['Bob', 'Cora', 'Dan']) people.push(await relay.hire(people[0]!, `${name.toLowerCase()}@acme.example`, name));
		const everyone = people.map(({ employee }) => employee);
		for (let i = 0; i < 5; i++) tasks.push(await relay.create(people[0]!, 'task', { title: `Task ${i}`, participants: everyone }));
		text = await relay.create(people[0]!, 'text', { title: 'Notes', place: 'company' });
		witness = new SyncClient(relay.socketUrl, people[0]!.token);
		await witness.connect();
		witness.close();
	}, 120_000);
	afterAll(() => relay?.remove());

	it('[P2] [P6] loses nothing that was acknowledged or delivered, and all replicas converge', { timeout: 600_000 }, async () => {
		const random = seeded(Number(process.env.ATRIUM_SEED ?? 20_261_123));
		const writers = Array.from({ length: WRITERS }, (_, i) => new Writer(relay, people[i % people.length]!, random.fork(i), tasks, text));
		for (let round = 0; round < CRASHES; round++) {
			for (const writer of writers) writer.forgetDoc();
			await Promise.all(writers.map((writer) => writer.client.connect()));
			let answers = 0;
			const enough = ANSWERS_BEFORE_KILL.least + random.below(ANSWERS_BEFORE_KILL.most - ANSWERS_BEFORE_KILL.least);
			const running = writers.map((writer) => writer.run(() => answers++));
			await until(() => answers >= enough);
			await relay.stop('SIGKILL');
			await Promise.all(running);
			await relay.start();

			const fresh = new SyncClient(relay.socketUrl, people[0]!.token);
			await fresh.connect();
			const log = witness.copy();
			await log.connect();
			await until(() => log.cursor!.seq >= fresh.cursor!.seq);
			const happened = log.seenCommands;
			const written = fresh.held.get(text)!.doc.getText('text').toString();
			expect(contentOf(log, text)).toEqual(contentOf(fresh, text));
			log.close();
			for (const writer of writers) {
				for (const id of writer.acknowledged) expect(happened.has(id), `round ${round}: acknowledged ${id}`).toBe(true);
				for (const id of writer.client.seenCommands) expect(happened.has(id), `round ${round}: delivered ${id}`).toBe(true);
				for (const word of writer.acknowledgedText) expect(written.includes(word), `round ${round}: acknowledged text ${word}`).toBe(true);
				const delivered = writer.client.held.get(text)!.doc.getText('text').toString();
				for (const word of delivered.match(/<[^>]+>/g) ?? []) expect(written.includes(word), `round ${round}: delivered text ${word}`).toBe(true);
			}
			await Promise.all(writers.map((writer) => writer.client.connect()));
			for (const writer of writers) {
				await until(() => writer.client.cursor!.seq >= fresh.cursor!.seq);
				for (const id of [...tasks, text]) {
					expect(contentOf(writer.client, id), `round ${round}: ${id}`).toEqual(contentOf(fresh, id));
				}
				writer.client.close();
			}
			fresh.close();
			await until(() => writers.every((writer) => writer.client.closeCode !== null));
		}
		expect(writers.reduce((sum, writer) => sum + writer.acknowledged.size, 0)).toBeGreaterThan(CRASHES * 20);
		expect(writers.reduce((sum, writer) => sum + writer.acknowledgedText.length, 0)).toBeGreaterThan(CRASHES);
	});

	function contentOf(client: SyncClient, id: DocumentId): unknown {
		const { doc, docSeq } = client.held.get(id)!;
		return id === text ? { docSeq, text: doc.getText('text').toString() } : { docSeq, record: doc.getMap('record').toJSON(), items: doc.getMap('checklist').toJSON() };
	}
});
