/**
 * All portals of this relay, opened on demand and opened again after a failed commit. One relay serves many small portals: a portal that nobody
 * has used for a while leaves memory.
 */
import { IdMaker, RELAY, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import type { Language } from '#crdt-model/kinds/company-structure.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { HEARTBEAT_MS } from '#crdt-model/wire/limits.ts';
import type { Subscription } from '#crdt-model/tariff/plans.ts';
import type { RelayStore } from '#storage/contract.ts';
import type { Subscriptions } from '../accounts/subscriptions.ts';
import type { Clock } from '../budget/clock.ts';
import type { Lanes } from '../budget/lanes.ts';
import { Portal } from './portal.ts';
import type { Remade } from './remake.ts';

/** A portal without sessions leaves memory after this; reading its directory again takes milliseconds. */
const IDLE_MS = 5 * 60_000;
/** What a newly registered company has. */
const FREE: Subscription = { plan: 'project' };

export interface PortalsOptions {
	readonly store: RelayStore;
	readonly macKey: Uint8Array;
	readonly now?: () => number;
	readonly ids?: IdMaker;
	/** What portals have bought; everything, where nobody sells. */
	readonly subscriptions?: Pick<Subscriptions, 'of' | 'set' | 'onChange'>;
	/** How many ask to be let in there; nobody, where nobody can. */
	readonly waitingIn?: (portal: PortalId) => number;
	/** Which names belong to which portals. */
	readonly domains?: { isFree(portal: PortalId, domain: string): boolean; takes(portal: PortalId, domain: string | null): void };
	/** Whose turn it is, over all portals: they share one event loop. */
	readonly lanes?: Lanes;
	/** By which a portal that opens slowly lets others have a turn. */
	readonly clock?: Clock;
	/** A portal of another release was opened, and its rows were made anew. */
	readonly onRemade?: (portal: PortalId, remade: Remade & { readonly tookMs: number }) => void;
	/** Faults are told here. After a failed commit the portal is opened again on its next use. */
	readonly onFault?: (portal: PortalId, reason: unknown) => void;
}

export interface Founding {
	readonly company: string;
	readonly language: Language;
	readonly firstName: string;
	readonly lastName: string;
	readonly email: string;
}

interface Opened {
	readonly portal: Promise<Portal>;
	/** Null until it has opened, which takes long where another release made its rows. */
	atHand: Portal | null;
	usedAt: number;
}

export class Portals {
	readonly #options: PortalsOptions;
	readonly #now: () => number;
	readonly #ids: IdMaker;
	readonly #opened = new Map<PortalId, Opened>();
	readonly #timer: ReturnType<typeof setInterval>;
	readonly #stopListening: () => void;
	readonly #ending = new AbortController();
	/** Ids of portals that exist; the store would make one that does not. */
	readonly #known: Set<PortalId>;
	#beingFounded = 0;

	static async open(options: PortalsOptions): Promise<Portals> {
		return new Portals(options, await options.store.portals());
	}

	private constructor(options: PortalsOptions, known: readonly PortalId[]) {
		this.#options = options;
		this.#now = options.now ?? Date.now;
		this.#ids = options.ids ?? new IdMaker(this.#now);
		this.#known = new Set(known);
		this.#stopListening = options.subscriptions?.onChange((id) => void this.#subscribe(id)) ?? (() => {});
		this.#timer = setInterval(() => void this.#beat(), HEARTBEAT_MS);
		this.#timer.unref();
	}

	/** No portal is here and none is being founded. */
	get isEmpty(): boolean {
		return this.#known.size + this.#beingFounded === 0;
	}

	get ids(): Iterable<PortalId> {
		return this.#known;
	}

	/** Null where there is no such portal. */
	async portal(id: PortalId): Promise<Portal | null> {
		return this.#known.has(id) ? this.#open(id) : null;
	}

	/** What a portal has bought. */
	subscriptionOf(id: PortalId): Subscription {
		return this.#options.subscriptions?.of(id) ?? FREE;
	}

	/** From the next judgement on; resolves when it is on disk and open devices are being told. */
	async subscribe(id: PortalId, subscription: Subscription): Promise<void> {
		await this.#options.subscriptions?.set(id, subscription);
		await this.#subscribe(id);
	}

	/** Reads anew what the portal has bought, if it is in memory: the next one to open reads it anyway. */
	async #subscribe(id: PortalId): Promise<void> {
		const { subscriptions, onFault } = this.#options;
		try {
			const portal = await this.#opened.get(id)?.portal;
			if (portal && subscriptions) portal.quota.subscribe(subscriptions.of(id));
		} catch (fault) {
			onFault?.(id, fault);
		}
	}

	/** A new company: its settings, its root department and its first person, who administers it. */
	async found(founding: Founding, subscription: Subscription = FREE): Promise<{ portal: Portal; administrator: PersonId }> {
		this.#beingFounded++;
		try {
			return await this.#found(founding, subscription);
		} finally {
			this.#beingFounded--;
		}
	}

	async #found(founding: Founding, subscription: Subscription): Promise<{ portal: Portal; administrator: PersonId }> {
		const id = this.#ids.portal();
		// First: what is founded is judged by it.
		await this.#options.subscriptions?.set(id, subscription);
		const portal = await this.#open(id);
		const now = this.#now();
		const department = this.#ids.document('department');
		const administrator = this.#ids.document('employee');
		const { company, language, firstName, lastName, email } = founding;
		const command = (document: Command['document'], name: string, args: unknown): Command => ({
			id: this.#ids.command(), document, name, args, at: now, seen: {}
		});
		const result = await portal.submitAsRelay(
			{
				commands: [
					command(this.#ids.document('settings'), 'settings.create', { company, language }),
					command(department, 'department.create', { name: company, parent: null }),
					command(administrator, 'employee.create', { firstName, lastName, email, language, administrator: true, departments: [department] }),
					command(department, 'department.setHead', { value: administrator })
				]
			},
			RELAY
		);
		if (result.kind === 'refused') throw new Error(`a portal could not be founded: ${result.refusal.code} ${result.refusal.detail}`);
		this.#known.add(id);
		return { portal, administrator };
	}

	#open(id: PortalId): Promise<Portal> {
		const opened = this.#opened.get(id);
		if (opened) {
			opened.usedAt = this.#now();
			return opened.portal;
		}
		const { store, macKey, lanes, domains, subscriptions, waitingIn, onFault, onRemade, clock } = this.#options;
		const forget = () => void (this.#opened.get(id)?.portal === portal && this.#opened.delete(id));
		const began = this.#now();
		const portal: Promise<Portal> = store.portal(id).then(async (portalStore) => {
			const opened = await Portal.open({
				id,
				store: portalStore,
				macKey,
				now: this.#now,
				ids: this.#ids,
				...(subscriptions && { subscription: subscriptions.of(id) }),
				...(lanes && { lanes }),
				...(domains && { domains: { isFree: (domain: string) => domains.isFree(id, domain), takes: (domain: string | null) => domains.takes(id, domain) } }),
				signal: this.#ending.signal,
				...(clock && { clock }),
				onRemade: (remade) => onRemade?.(id, { ...remade, tookMs: this.#now() - began }),
				onFault: (fault) => onFault?.(id, fault),
				onFailed: (reason) => {
					forget();
					onFault?.(id, reason);
				}
			});
			if (waitingIn) opened.tellWaiting(waitingIn(id));
			entry.atHand = opened;
			return opened;
		});
		const entry: Opened = { portal, atHand: null, usedAt: began };
		// A failed load is an error for whoever asked, and the next one tries again.
		portal.catch(forget);
		this.#opened.set(id, entry);
		return portal;
	}

	/** Those in memory now; not those that are being opened, for which nobody else waits. */
	opened(): Portal[] {
		return [...this.#opened.values()].flatMap(({ atHand }) => atHand ?? []);
	}

	async #beat(): Promise<void> {
		for (const portal of this.opened()) {
			portal.heartbeat();
			const opened = this.#opened.get(portal.id);
			if (!opened || portal.audience.size > 0) continue;
			if (this.#now() - opened.usedAt < IDLE_MS) continue;
			this.#opened.delete(portal.id);
			await portal.close();
		}
	}

	/** Waits for what is under way and closes everything, the store included. */
	async close(): Promise<void> {
		clearInterval(this.#timer);
		this.#stopListening();
		this.#ending.abort(new Error('the relay stops'));
		await Promise.allSettled([...this.#opened.values()].map(({ portal }) => portal));
		for (const portal of this.opened()) await portal.close();
		this.#opened.clear();
		await this.#options.store.close();
	}
}
