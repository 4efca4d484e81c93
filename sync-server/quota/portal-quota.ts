/**
 * What one portal has bought and uses: its subscription, the counters in its log, and who is told of them (SPEC Q1–Q6).
 *
 * Promises: counters go to disk with the change that moved them, whatever way it came in; nobody is told of what is not on disk.
 * Leaves to others: refusing (judge.ts, in the gate), sentences (the app).
 */
import type { KindName } from '#crdt-model/ids.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { Subscription } from '#crdt-model/tariff/plans.ts';
import { tariffOf, type Tariff } from '#crdt-model/tariff/tariff.ts';
import { isCounted, USAGE_COUNTERS, usageOf, usageOfAll, type Usage } from '#crdt-model/tariff/usage.ts';
import type { DocumentHead, PortalStore } from '#storage/contract.ts';
import type { Committed, PortalLog } from '../log/portal-log.ts';
import { TariffAnnouncer, type Later } from './announcer.ts';
import { difference, type Allowance } from './judge.ts';

/** Kinds that are counted and are no part of the structure. */
const COUNTED_BESIDE: readonly KindName[] = ['file'];
const later: Later = (run, ms) => void setTimeout(run, ms).unref();

export interface PortalQuotaOptions {
	readonly log: PortalLog;
	readonly subscription: Subscription;
	/** To all open devices. */
	say(tariff: Tariff): void;
	readonly now: () => number;
	readonly later?: Later;
}

export class PortalQuota {
	readonly #log: PortalLog;
	readonly #now: () => number;
	readonly #announcer: TariffAnnouncer;
	#subscription: Subscription;

	constructor({ log, subscription, say, now, later: after = later }: PortalQuotaOptions) {
		this.#log = log;
		this.#now = now;
		this.#subscription = subscription;
		this.#announcer = new TariffAnnouncer({ tariff: () => this.tariff, say, later: after });
	}

	/** Counts of people and bytes, for a portal of a release that did not keep them. */
	async adopt(store: PortalStore, structure: readonly DocumentHead[]): Promise<void> {
		const missing = (['people', 'storageBytes'] as const).filter((name) => !this.#log.isCounted(USAGE_COUNTERS[name]));
		if (missing.length === 0 || this.#log.assigned === 0) return;
		const counted = usageOfAll([...structure, ...(await store.headsOfKinds(COUNTED_BESIDE))].map(({ row }) => row));
		for (const name of missing) this.#log.adopt(USAGE_COUNTERS[name], counted[name]);
	}

	get subscription(): Subscription {
		return this.#subscription;
	}
	/** Holds from the next judgement on, and all open devices are told. */
	subscribe(subscription: Subscription): void {
		this.#subscription = subscription;
		this.#announcer.now();
	}

	/** What the gate judges growth by: with everything that was accepted, on disk or not. */
	get allowance(): Allowance {
		const used = { people: this.#log.counted(USAGE_COUNTERS.people), storageBytes: this.#log.counted(USAGE_COUNTERS.storageBytes) };
		return { subscription: this.#subscription, used, now: this.#now() };
	}
	/** What may be told of it: the plan of this moment, and what is used as far as it is on disk. */
	get tariff(): Tariff {
		const used = { people: this.#log.countedOnDisk(USAGE_COUNTERS.people), storageBytes: this.#log.countedOnDisk(USAGE_COUNTERS.storageBytes) };
		return tariffOf(this.#subscription, used, this.#now());
	}

	/** Moves the counters by what a document uses now and used before; returns what it uses now. */
	count(before: Usage, row: BaseRow): Usage {
		const used = usageOf(row);
		const { people, storageBytes } = difference(before, used);
		if (people !== 0) this.#log.count(USAGE_COUNTERS.people, people);
		if (storageBytes !== 0) this.#log.count(USAGE_COUNTERS.storageBytes, storageBytes);
		return used;
	}

	/** These changes are on disk. */
	committed(changes: readonly Committed[]): void {
		if (changes.some(({ head }) => isCounted(head.row))) this.#announcer.soon();
	}
	/** Says what changed without a commit: a demo ends by the clock. */
	tell(): void {
		this.#announcer.now();
	}
	end(): void {
		this.#announcer.end();
	}
}
