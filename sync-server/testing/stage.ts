/**
 * A portal on a store in memory, with six people, for tests that read like conversations. Time stands until a test moves it; `settle` lets
 * everything happen that can.
 *
 * Ann administers and heads the company; Ben heads Sales with Cat and Dan; Eve heads Support with Fay.
 */
import { setImmediate as tick } from 'node:timers/promises';
import { commandId, documentId, idMaker, person } from '#crdt-model/testing/world.ts';
import { isBatchId, type BatchId, type CommandId, type DocumentId, type KindName, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { Subscription } from '#crdt-model/tariff/plans.ts';
import type { AnswerResult } from '#crdt-model/wire/down.ts';
import { MemoryRelayStore, type MemoryRelayStoreOptions } from '#storage/memory/relay-store.ts';
import { beginEpochs } from '../log/restore.ts';
import type { Lanes } from '../budget/lanes.ts';
import { Portal } from '../room/portal.ts';
import { CLOSE } from '../session/socket.ts';
import { Device } from './device.ts';
import { LiveClient } from './live-client.ts';
import { NAMES } from './labels.ts';
import type { SocketPair } from './socket-pair.ts';

export const [ANN, BEN, CAT, DAN, EVE, FAY] = NAMES.map((_, i) => person(i + 1)) as [PersonId, PersonId, PersonId, PersonId, PersonId, PersonId];
export const COMPANY = documentId('department', 1);
export const SALES = documentId('department', 2);
export const SUPPORT = documentId('department', 3);
export const PORTAL = 'portal_00000000-0000-7000-8000-000000000001' as PortalId;
export const MAC_KEY = new Uint8Array(32).fill(7);

const DEPARTMENT_OF = [COMPANY, SALES, SALES, SALES, SUPPORT, SUPPORT];
/** Rounds without anything happening before all is taken to be quiet: a commit takes several turns of the event loop. */
const QUIET_ROUNDS = 4;

export class Stage {
	store: MemoryRelayStore;
	readonly lines: string[] = [];
	readonly failures: unknown[] = [];
	/** Whose turn it is, from the next `reopen` on; without it nobody ever waits. */
	lanes: Lanes | null = null;
	readonly #sockets = new Set<SocketPair>();
	readonly #ids = idMaker(1);
	#portal!: Portal;
	readonly #later: (() => void)[] = [];
	/** What the portal has bought; `subscribe` changes it. */
	#subscription: Subscription = { plan: 'company' };
	#now = 1_700_000_000_000;
	#commands = 1_000;

	static async open(options: MemoryRelayStoreOptions = {}): Promise<Stage> {
		const stage = new Stage(new MemoryRelayStore(options));
		await stage.reopen();
		await stage.#found();
		return stage;
	}
	private constructor(store: MemoryRelayStore) {
		this.store = store;
	}

	get portal(): Portal {
		return this.#portal;
	}
	now = (): number => this.#now;
	pass(milliseconds: number): void {
		this.#now += milliseconds;
	}
	commandId(): CommandId {
		return commandId(++this.#commands);
	}
	batchId(): BatchId {
		const id = this.#ids.batch();
		if (!isBatchId(id)) throw new Error('not a batch id');
		return id;
	}

	subscribe(subscription: Subscription): void {
		this.#subscription = subscription;
		this.portal.quota.subscribe(subscription);
	}
	/** What the relay put off comes now. */
	runLater(): void {
		for (const run of this.#later.splice(0)) run();
	}

	/** The machine is lost with all connections, and a backup takes its place: what `backup` is a clone of is what it knows. */
	async restore(backup: MemoryRelayStore): Promise<void> {
		this.#portal.audience.closeAll(CLOSE.restarting, 'the machine is gone');
		await this.settle();
		this.store.crash();
		this.store = backup.clone();
		await beginEpochs(this.store, { above: this.#portal.log.epoch, at: this.now() });
		await this.reopen();
	}

	/** The relay reads the portal anew, as after a restart. */
	async reopen(): Promise<void> {
		this.#portal = await Portal.open({
			id: PORTAL,
			store: await this.store.portal(PORTAL),
			macKey: MAC_KEY,
			now: this.now,
			...(this.lanes && { lanes: this.lanes }),
			ids: this.#ids,
			subscription: this.#subscription,
			later: (run) => void this.#later.push(run),
			onFailed: (reason) => void this.failures.push(reason)
		});
	}

	async #found(): Promise<void> {
		const departments = ['Company', 'Sales', 'Support'].map((name, i) =>
			this.command('department.create', documentId('department', i + 1), { name, parent: i === 0 ? null : COMPANY })
		);
		const people = NAMES.map((name, i) =>
			this.command('employee.create', person(i + 1), {
				firstName: name,
				lastName: 'Test',
				email: `${name}@example.com`,
				administrator: i === 0,
				departments: [DEPARTMENT_OF[i]]
			})
		);
		const heads = [ANN, BEN, EVE].map((value, i) => this.command('department.setHead', documentId('department', i + 1), { value }));
		const settings = this.command('settings.create', documentId('settings', 1), { company: 'Test' });
		const result = await this.portal.submitAsRelay({ commands: [settings, ...departments, ...people, ...heads] });
		if (result.kind === 'refused') throw new Error(`${result.refusal.code} ${result.refusal.detail}`);
	}

	command(name: string, document: DocumentId, args: unknown = {}, more: Partial<Command> = {}): Command {
		return { id: this.commandId(), document, name, args, at: this.#now, seen: {}, ...more };
	}
	/** A command as a person over REST, with nothing seen unless told. */
	as(person: PersonId, name: string, document: DocumentId, args: unknown = {}, more: Partial<Command> = {}): Promise<AnswerResult> {
		return this.batch(person, [this.command(name, document, args, more)]);
	}
	batch(person: PersonId, commands: readonly Command[]): Promise<AnswerResult> {
		return this.portal.submit(person, { id: this.batchId(), commands });
	}

	/** @param viewer an administrator who looks on as the person */
	device(person: PersonId, viewer: PersonId | null = null): Device {
		return new Device(this, person, viewer);
	}
	live(person: PersonId, document: DocumentId, client?: number, viewer: PersonId | null = null, ip: string | null = null): LiveClient {
		return new LiveClient(this, person, document, client, viewer, ip).connect();
	}
	connected(socket: SocketPair): SocketPair {
		this.#sockets.add(socket);
		return socket.open();
	}

	/** Lets everything happen that can happen without time passing. */
	async settle(): Promise<void> {
		for (let quiet = 0; quiet < QUIET_ROUNDS; ) {
			await tick();
			quiet = this.flush() ? 0 : quiet + 1;
		}
	}
	/** Delivers what waits on every connection. */
	flush(): boolean {
		let happened = false;
		for (const socket of [...this.#sockets]) {
			happened = socket.flush() || happened;
			if (!socket.isOpen) this.#sockets.delete(socket);
		}
		return happened;
	}

	print(line: string): void {
		this.lines.push(line);
	}
	/** The conversation since the last call. */
	told(): string {
		return this.lines.splice(0).join('\n');
	}
}

export const task = (n: number): DocumentId<'task'> => documentId('task', n);
export const deal = (n: number): DocumentId<'deal'> => documentId('deal', n);
export const some = <K extends KindName>(kind: K, n: number): DocumentId<K> => documentId(kind, n);
