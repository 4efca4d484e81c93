/**
 * A company in a box: the real relay core and real replicas, on stores in memory and a network that is flushed by hand. Everything that
 * happens follows from the seed.
 *
 * It keeps, while it runs, what must not be broken by anything: an entry that leaves the relay is on disk and stays as it is (P2), and a
 * person is sent only what they may read at that moment (P5). What holds at rest is checked by `expectAtRest` (check.ts).
 */
import { IdMaker, KINDS, type CommandId, type DepartmentId, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { limitOf, planAt, type Subscription } from '#crdt-model/tariff/plans.ts';
import { kindNamed, ROW_VERSIONS, type Row } from '#crdt-model/kinds/index.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { collectionsOf } from '#crdt-model/record/kind.ts';
import { readFromDoc } from '#crdt-model/record/state.ts';
import type { Down } from '#crdt-model/wire/down.ts';
import type { Draft } from '#lib/sync/engine.ts';
import { MemoryRelayStore, type MemoryRelayStoreOptions } from '#storage/memory/relay-store.ts';
import type { Commit, DocumentHead, LogEntry } from '#storage/contract.ts';
import { beginEpochs } from '#sync-server/log/restore.ts';
import { Portal } from '#sync-server/room/portal.ts';
import { addEmployee } from '#sync-server/room/relay-acts.ts';
import { docOf } from '#sync-server/room/rooms.ts';
import { writeOlderRows } from '#sync-server/testing/older-rows.ts';
import { seeded, type Random } from '../support/random.ts';
import { Clock, tick } from './clock.ts';
import { Device } from './device.ts';
import { Oracle } from '../fuzz/oracle.ts';
import { Watch } from './watch.ts';

/** What the runs really did: a simulation that never meets a conflict proves nothing. */
export interface Tally {
	commands: number;
	typed: number;
	refused: number;
	overruled: number;
	lost: number;
	gained: number;
	relayCrashes: number;
	failedCommits: number;
	deviceCrashes: number;
	drops: number;
	daysAway: number;
	reorganised: number;
	groups: number;
	roles: number;
	grants: number;
	proposed: number;
	answered: number;
	dismissed: number;
	rehired: number;
	/** Devices that heard that their person is gone. */
	turnedAway: number;
	forged: number;
	forgedRefused: number;
	tariffs: number;
	switched: number;
	/** People for whom no seat was left. */
	noSeat: number;
	/** Entries that were judged by the oracle when they reached the disk. */
	judged: number;
	restores: number;
	otherReleases: number;
	/** Entries that a restore lost and devices brought back. */
	cameBack: number;
}
export const newTally = (): Tally => ({
	commands: 0, typed: 0, refused: 0, overruled: 0, lost: 0, gained: 0, relayCrashes: 0, failedCommits: 0, deviceCrashes: 0, drops: 0, daysAway: 0, reorganised: 0, groups: 0,
	roles: 0, grants: 0, proposed: 0, answered: 0, dismissed: 0, rehired: 0, turnedAway: 0, forged: 0, forgedRefused: 0, tariffs: 0, switched: 0, noSeat: 0, judged: 0, restores: 0, otherReleases: 0, cameBack: 0
});

const MAC_KEY = new Uint8Array(32).fill(7);

interface Backup {
	readonly store: MemoryRelayStore;
	readonly oracle: Oracle;
	readonly onDisk: ReadonlyMap<number, string>;
	readonly happened: ReadonlySet<CommandId>;
	readonly log: readonly LogEntry[];
	readonly at: number;
}

export interface Lost {
	readonly document: DocumentId;
	readonly docSeq: number;
	readonly command: CommandId | null;
	readonly heldBy: ReadonlySet<Device>;
}

/** Devices hold entries as they came for eight days; a restore from before that is another story. */
const OLDEST_BACKUP_MS = 7 * 24 * 3_600_000;

export class World {
	readonly seed: number;
	readonly random: Random;
	readonly clock = new Clock();
	readonly ids: IdMaker;
	store: MemoryRelayStore;
	/** Rights as the relay has told them, and in `watch` as they are on disk already: a moment later the two are one. */
	readonly oracle = new Oracle();
	readonly watch = new Watch();
	/** What must not be broken by anything and was. Kept here, since a throw inside the relay would only end a session. */
	readonly broken: string[] = this.watch.broken;
	subscription: Subscription = { plan: 'company' };
	/** The company stands: from here on nothing is done in anybody's name by the relay's authority. */
	#isFounded = false;
	readonly tally: Tally;
	readonly devices: Device[] = [];
	portal!: Portal;
	readonly #held: (() => void)[] = [];
	/** Whether commits reach the disk at once. */
	isDiskFree = true;
	/** What is on disk: each seq with its seal, and every command that happened. */
	onDisk = new Map<number, string>();
	happened = new Set<CommandId>();
	/** What restores took away, and which devices held it then: of the others nobody can give it back. */
	readonly lost: Lost[] = [];
	#log: LogEntry[] = [];
	#backup: Backup | null = null;
	/** Commands that a person's device said it had kept. */
	readonly kept = new Map<CommandId, PersonId>();
	/** Words that were typed and kept, and words that somebody meant to delete. */
	readonly words = new Map<string, { person: PersonId; document: DocumentId }>();
	readonly deletedWords = new Set<string>();
	/** What happened, for the person who reads a failing seed. */
	readonly story: string[] = [];

	constructor(seed: number, tally: Tally) {
		this.seed = seed;
		this.tally = tally;
		this.random = seeded(seed);
		const idRandom = this.random.fork(1);
		this.ids = new IdMaker(this.clock.now, (target) => idRandom.bytes(target));
		this.store = new MemoryRelayStore(this.#disk);
	}
	readonly #disk: MemoryRelayStoreOptions = {
		gate: () => (this.isDiskFree ? Promise.resolve() : new Promise((resolve) => this.#held.push(resolve))),
		acknowledge: async (commit) => this.#record(commit)
	};

	/** A company of two teams, some work, and some devices that hold none of it yet. */
	async open(): Promise<void> {
		await this.openPortal();
		const root = this.ids.document('department');
		const teams = [this.ids.document('department'), this.ids.document('department')];
		const people = ['ana', 'bob', 'cora', 'dan', 'eva'].map((name) => ({ name, id: this.ids.document('employee') }));
		const [ana, bob, cora] = people.map(({ id }) => id);
		const create = (document: DocumentId, name: string, args: unknown): Command => ({ id: this.ids.command(), document, name, args, at: this.clock.now(), seen: {} });
		const departmentOf = [root, teams[0]!, teams[1]!, teams[0]!, teams[1]!];
		await this.portal.submitAsRelay({
			commands: [
				create(this.ids.document('settings'), 'settings.create', { company: 'Acme' }),
				create(root, 'department.create', { name: 'Acme', parent: null }),
				...teams.map((id, i) => create(id, 'department.create', { name: `Team ${i}`, parent: root })),
				...people.map(({ name, id }, i) =>
					create(id, 'employee.create', {
						firstName: name, lastName: 'Pop', email: `${name}@acme.example`, administrator: i === 0, departments: [departmentOf[i]]
					})
				),
				create(root, 'department.setHead', { value: ana }),
				create(teams[0]!, 'department.setHead', { value: bob }),
				create(teams[1]!, 'department.setHead', { value: cora })
			]
		});
		// Work that many share, so that they get in each other's way.
		const everyone = people.map(({ id }) => id);
		for (const responsible of [bob, cora]) {
			await this.portal.submitAsRelay(
				{
					commands: [
						create(this.ids.document('task'), 'task.create', { title: 'shared', responsible, participants: everyone }),
						create(this.ids.document('deal'), 'deal.create', { title: 'shared', responsible, amount: 100 })
					]
				},
				responsible
			);
		}
		await this.portal.submitAsRelay({ commands: [create(this.ids.document('text'), 'text.create', { title: 'shared', place: 'company' })] }, ana);
		this.#isFounded = true;
		for (const { name, id } of people) {
			for (let i = 0; i < (this.random.chance(0.3) ? 2 : 1); i++) await this.addDevice(`${name}${i || ''}`, id);
		}
	}

	async addDevice(name: string, person: PersonId): Promise<void> {
		const device = new Device(name, person, this.portal.id, this.clock, this.random.fork(100 + this.devices.length), (to, message) => this.#sent(to, message));
		this.devices.push(device);
		await device.start();
	}

	async openPortal(): Promise<void> {
		const id = this.portal?.id ?? this.ids.portal();
		const life = this.#lives;
		const isDead = () => life !== this.#lives;
		const idRandom = this.random.fork(1_000 + life);
		const portal: Portal = await Portal.open({
			id,
			store: await this.store.portal(id),
			macKey: MAC_KEY,
			now: this.clock.now,
			ids: new IdMaker(this.clock.now, (target) => idRandom.bytes(target)),
			subscription: this.subscription,
			later: (run, ms) => void this.#timers.set(run, ms),
			onFailed: () => {
				// A relay that crashed hears of its commits' end as well, when it is long dead.
				if (this.portal !== portal || isDead()) return;
				this.tally.failedCommits++;
				this.needsPortal = true;
			}
		});
		this.portal = portal;
		this.needsPortal = false;
		const fanOut = this.portal.audience.fanOut.bind(this.portal.audience);
		// Rights as of the last commit that was told: from here on nothing older may be sent.
		this.portal.audience.fanOut = (changes) => {
			for (const { head } of changes) this.oracle.take(head.row as Row);
			fanOut(changes);
		};
	}
	#lives = 0;
	/** The relay's own: what was put off when it died runs into a closed portal, as it may. */
	readonly #timers = this.clock.timers();
	/** A commit failed: the relay reads the portal anew on its next use. */
	needsPortal = false;

	/** The relay's process dies and is started again. */
	async crashRelay(): Promise<void> {
		this.tally.relayCrashes++;
		this.#lives++;
		this.store.crash();
		this.#held.length = 0;
		for (const device of this.devices) device.line?.drop();
		await tick();
		const release = this.random.fork(3_000 + this.#lives);
		if (this.isDiskFree && release.chance(0.6)) await this.#becomeOfOtherRelease(release);
		await this.openPortal();
		// What was on disk but not yet told is true all the same.
		for (const { row } of await this.portal.store.headsOfKinds(KINDS)) this.oracle.take(row as Row);
	}

	/** The one that starts is another release than the one that died: rows and readers on the disk are as that one made them, of all kinds or of some. */
	async #becomeOfOtherRelease(random: Random): Promise<void> {
		this.tally.otherReleases++;
		this.note('the relay starts as another release');
		const kinds = KINDS.filter(() => random.chance(0.7));
		const versions = Object.fromEntries(KINDS.filter((kind) => !kinds.includes(kind)).map((kind) => [kind, ROW_VERSIONS[kind]]));
		const disk = this.store.clone({});
		const readers = ({ id }: DocumentHead) => ({ scope: id, audience: random.pick([['all'], ['admins'], []] as const) });
		await writeOlderRows(await disk.portal(this.portal.id), readers, { kinds, rows: { versions, underWay: null } });
		this.store = disk.clone(this.#disk);
	}

	/** A copy of what is on disk now. */
	backUp(): void {
		this.#backup = { store: this.store.clone(), oracle: this.watch.oracle.copy(), onDisk: new Map(this.onDisk), happened: new Set(this.happened), log: [...this.#log], at: this.clock.now() };
		this.note('a backup is made');
	}

	/** The machine is gone, and the backup takes its place in an epoch of its own. */
	async restore(): Promise<void> {
		const backup = this.#backup;
		if (!backup || this.needsPortal || this.clock.now() - backup.at > OLDEST_BACKUP_MS) return;
		this.tally.restores++;
		this.note('the relay is restored from its backup');
		this.#lives++;
		const above = this.portal.log.epoch;
		this.store.crash();
		this.#held.length = 0;
		for (const device of this.devices) device.line?.drop();
		await tick();
		await this.#reckonLost(backup);
		this.isDiskFree = true;
		this.store.failNext(0);
		this.store = backup.store.clone();
		this.watch.oracle = backup.oracle.copy();
		this.oracle.records.clear();
		for (const [id, known] of this.watch.oracle.records) this.oracle.records.set(id, known);
		[this.onDisk, this.happened, this.#log] = [new Map(backup.onDisk), new Set(backup.happened), [...backup.log]];
		await beginEpochs(this.store, { above, at: this.clock.now() });
		await this.openPortal();
	}

	async #reckonLost(backup: Backup): Promise<void> {
		const heldBy = new Map<string, Set<Device>>();
		const key = (document: DocumentId, docSeq: number, mac: Uint8Array) => `${document} ${docSeq} ${Buffer.from(mac).toString('hex')}`;
		for (const device of this.devices) {
			for (const { sealed } of await device.replica.store.read((reads) => reads.rawAfter(null, Infinity))) {
				const held = key(sealed.document, sealed.docSeq, sealed.mac);
				heldBy.set(held, (heldBy.get(held) ?? new Set()).add(device));
			}
		}
		for (const { document, docSeq, command, mac } of this.#log.slice(backup.log.length)) {
			this.lost.push({ document, docSeq, command: command?.id ?? null, heldBy: heldBy.get(key(document, docSeq, mac)) ?? new Set() });
		}
	}

	releaseCommit(): void {
		this.#held.shift()?.();
	}
	get heldCommits(): number {
		return this.#held.length;
	}

	/** Lets every connection that waits come through, or fail. */
	accept(): void {
		for (const device of this.devices) {
			device.accept((socket) => {
				if (this.needsPortal) throw new Error('no portal to attach to');
				return this.portal.attachSync(device.person, socket);
			});
		}
	}

	async run(device: Device, ...drafts: Draft[]): Promise<boolean> {
		const result = await device.run(...drafts);
		this.note(`${device.name} ${drafts.map(({ name, document }) => `${name} ${document.slice(-4)}`).join(' + ')}: ${result.kind}`);
		if (result.kind === 'refused') return false;
		this.tally.commands += drafts.length;
		for (const id of result.commands) this.kept.set(id, device.person);
		return true;
	}

	note(line: string): void {
		this.story.push(line);
	}

	subscribe(subscription: Subscription): void {
		// What is on its way to the disk was judged by the tariff before.
		this.#mostPeople = Math.max(this.#peopleOf(subscription), this.#hasUnsettled ? this.#mostPeople : 0);
		this.subscription = subscription;
		this.tally.tariffs++;
		this.note(`the tariff is ${JSON.stringify(subscription)}`);
		if (!this.needsPortal) this.portal.quota.subscribe(subscription);
	}

	/** Somebody accepts an invitation; where no seat is left they hear so. */
	async hire(): Promise<void> {
		if (this.needsPortal || this.rowsOf('employee').length > 12) return;
		const { portal } = this;
		const name = `new${this.#hired++}`;
		// Not awaited: the commit may be held for long.
		void addEmployee(portal, { firstName: name, lastName: 'Pop', email: `${name}@acme.example`, department: this.random.pick(this.teams) }).then(
			(made) => {
				if ('employee' in made) return;
				if (made.code === 'quota') this.tally.noSeat++;
				else if (made.code !== 'unavailable') this.broken.push(`[P8] ${name} was refused as ${made.code}`);
			},
			() => {}
		);
	}
	#hired = 0;
	#mostPeople = Infinity;
	#peopleOf(subscription: Subscription): number {
		return limitOf(planAt(subscription, this.clock.now()), 'people', subscription);
	}
	get #hasUnsettled(): boolean {
		return this.needsPortal || this.portal.log.assigned > this.portal.log.durable || this.#held.length > 0;
	}

	async #record(commit: Commit): Promise<void> {
		const returned = new Set(commit.entries.filter((entry) => entry.returned).map(({ document }) => document));
		this.tally.cameBack += commit.entries.filter((entry) => entry.returned).length;
		for (const entry of commit.entries) {
			if (!returned.has(entry.document)) this.watch.take(entry, !this.#isFounded, this.#mostPeople);
			this.#log.push(entry);
			this.onDisk.set(entry.seq, Buffer.from(entry.mac).toString('hex'));
			if (entry.command) this.happened.add(entry.command.id);
			this.tally.overruled += entry.overruled.length;
		}
		this.tally.judged += this.watch.judged;
		this.watch.judged = 0;
		if (returned.size > 0) {
			const store = await this.store.portal(this.portal.id);
			for (const stored of await store.load([...returned])) {
				const doc = docOf(stored);
				this.watch.adopt(stored.row as Row, readFromDoc(doc, collectionsOf(kindNamed(stored.kind))));
				doc.destroy();
			}
		}
		for (const { row } of commit.heads) this.watch.expectRow(row as Row);
	}

	#sent(device: Device, message: Down): void {
		switch (message.type) {
			case 'entries':
				for (const entry of message.entries) {
					const seal = Buffer.from(entry.mac).toString('hex');
					if (this.onDisk.get(entry.seq) !== seal) this.broken.push(`[P2] ${device.name} was sent seq ${entry.seq}, which is not on disk so`);
					this.#expectReadable(device, entry.document);
					this.#expectOn(device, entry.document);
				}
				return;
			case 'gains':
				this.tally.gained += message.snapshots.length;
				for (const { document } of message.snapshots) {
					this.#expectReadable(device, document);
					this.#expectOn(device, document);
				}
				return;
			case 'lose':
				this.tally.lost += message.documents.length;
				return;
			case 'answer': {
				const { result } = message;
				if (result.kind === 'refused') this.tally.refused++;
				else if (!this.onDisk.has(result.seq)) this.broken.push(`[P2] ${device.name} was told that seq ${result.seq} is accepted before it was on disk`);
			}
		}
	}

	#expectReadable(device: Device, document: DocumentId): void {
		if (this.oracle.reads(device.person, document) || this.watch.oracle.reads(device.person, document)) return;
		this.broken.push(`[P5] ${device.name} was sent ${document}, which they may not read`);
	}

	/** Nothing is sent of what was switched off when it was told; roles and groups are, for rights follow from them. */
	#expectOn(device: Device, document: DocumentId): void {
		const row = this.watch.oracle.record(document)?.row;
		if (!row || row.kind === 'group' || row.kind === 'role' || !this.oracle.offService(row) || !this.watch.oracle.offService(row)) return;
		this.broken.push(`[P5] ${device.name} was sent ${document} while its service was off`);
	}

	/** Departments and people as the relay has them on disk. */
	rowsOf<K extends Row['kind']>(kind: K): Extract<Row, { kind: K }>[] {
		return this.oracle.rowsOf(kind);
	}
	get teams(): DepartmentId[] {
		return this.rowsOf('department').map(({ id }) => id as DepartmentId);
	}
}
