/**
 * A random company on a real portal whose store is in memory, and the same company as plain data beside it, which the oracle judges by.
 * Everything follows from the seed.
 */
import { IdMaker, KINDS, RELAY, kindOf, type CommandId, type DocumentId, type ItemId, type KindName, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import { kindNamed, type Row } from '#crdt-model/kinds/index.ts';
import { seenBy } from '#crdt-model/record/plan.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { EMPTY_STATE, type RecordState } from '#crdt-model/record/state.ts';
import type { Subscription } from '#crdt-model/tariff/plans.ts';
import { MemoryRelayStore } from '#storage/memory/relay-store.ts';
import { Portal } from '#sync-server/room/portal.ts';
import { seeded, type Random } from '../support/random.ts';
import { draftOf, foundingOf } from './drafts.ts';
import type { Bought } from './judge.ts';
import { Oracle } from './oracle.ts';
import type { Source } from './values.ts';

const PORTAL = 'portal_00000000-0000-7000-8000-000000000001' as PortalId;
const HOUR_MS = 3_600_000;
const GIGABYTE_BYTES = 1024 ** 3;
const UNLIMITED: Bought = { people: Infinity, bytes: Infinity, workingHours: true, ownDomain: true, extranet: true };
/** How many former states of a record an author's view may be behind. */
const MAX_LAG = 6;

/** What a person wants, before it has an id and a time: regressions are kept so. */
export interface Act {
	readonly person: PersonId;
	readonly commands: readonly Command[];
}

export class Company {
	readonly random: Random;
	readonly ids: IdMaker;
	readonly store = new MemoryRelayStore();
	readonly oracle = new Oracle();
	portal!: Portal;
	#now = Date.UTC(2026, 0, 5, 8);
	readonly now = (): number => this.#now;
	/** Ids that commands name: all that are there and some that are not. */
	readonly known = new Map<KindName, DocumentId[]>(KINDS.map((kind) => [kind, []]));
	readonly #items: ItemId[] = [];
	readonly #former = new Map<DocumentId, RecordState[]>();
	readonly source: Source;
	/** What was bought, and what that gives (FEATURES 1.17). */
	bought: Bought = UNLIMITED;
	#subscription: Subscription = { plan: 'company' };

	constructor(seed: number) {
		this.random = seeded(seed);
		const idRandom = this.random.fork(1);
		this.ids = new IdMaker(this.now, (target) => idRandom.bytes(target));
		const { random } = this;
		for (let i = 0; i < 12; i++) this.#items.push(this.ids.item());
		this.source = {
			random,
			idOf: (kind) => this.idOf(kind),
			item: () => (random.chance(0.15) ? this.ids.item() : random.pick(this.#items)),
			principal: () => this.principal()
		};
	}

	async open(): Promise<void> {
		const plan = this.random.pick(['company', 'company', 'project', 'boxCrm'] as const);
		if (plan === 'project') this.bought = { people: 12, bytes: 5 * GIGABYTE_BYTES, workingHours: false, ownDomain: false, extranet: false };
		if (plan === 'boxCrm') this.bought = { ...UNLIMITED, people: 12 };
		this.portal = await this.reopened();
		for (const { author, commands } of foundingOf(this)) {
			const result = await this.portal.submitAsRelay({ commands }, author);
			if (result.kind === 'refused') throw new Error(`founding: ${result.refusal.code} ${result.refusal.detail}`);
			this.takeIn(commands.map(({ document }) => document));
		}
		// What is there already stays, whatever was bought: guests, too.
		this.#subscription = { plan, ...(plan === 'boxCrm' && { seats: 12 }) };
		this.portal.quota.subscribe(this.#subscription);
	}

	/** The portal as a relay that starts anew finds it. */
	async reopened(): Promise<Portal> {
		const idRandom = this.random.fork(2);
		return Portal.open({ id: PORTAL, store: await this.store.portal(PORTAL), macKey: new Uint8Array(32).fill(7), now: this.now, ids: new IdMaker(this.now, (target) => idRandom.bytes(target)), subscription: this.#subscription });
	}

	pass(ms: number): void {
		this.#now += ms;
	}

	/** Takes over what the portal made of documents. */
	takeIn(ids: readonly DocumentId[]): void {
		for (const id of new Set(ids)) {
			const room = this.portal.rooms.peek(id);
			if (!room?.row) continue;
			const known = this.known.get(room.kind.kind)!;
			if (!known.includes(id)) known.push(id);
			this.oracle.take(room.row as Row, room.state);
			const former = this.#former.get(id) ?? [];
			this.#former.set(id, [...former.slice(1 - MAX_LAG), room.state]);
		}
	}

	idOf(kind: KindName): DocumentId {
		const { random } = this;
		const known = this.known.get(kind)!;
		if (kind === 'employee' && random.chance(0.01)) return RELAY;
		// The first few are everybody's: commands meet where many go.
		if (known.length > 0 && random.chance(0.9)) return random.chance(0.4) ? known[random.below(Math.min(4, known.length))]! : random.pick(known);
		return this.ids.document(kind);
	}

	person(): PersonId {
		return this.random.pick(this.known.get('employee')!) as PersonId;
	}

	principal(): string {
		const { random } = this;
		switch (random.below(6)) {
			case 0:
				return 'all';
			case 1:
				return `department:${this.idOf('department')}`;
			case 2:
				return `departments:${this.idOf('department')}`;
			case 3:
				return `group:${this.idOf('group')}`;
			default:
				return `user:${this.idOf('employee')}`;
		}
	}

	/** A command with the view of somebody who may be late, by a clock that may be off. */
	command(person: PersonId, document: DocumentId, name: string, args: unknown, id: CommandId = this.ids.command()): Command {
		const { random } = this;
		const skew = random.chance(0.7) ? 0 : random.below(2 * HOUR_MS) - HOUR_MS;
		const draft = { id, document, name, args, at: random.chance(0.01) ? 0 : this.#now + skew };
		return { ...draft, seen: this.#seen(person, draft) };
	}

	#seen(person: PersonId, draft: Omit<Command, 'seen'>): Command['seen'] {
		const { random } = this;
		const kind = kindOf(draft.document);
		if (!kind || random.chance(0.03)) return {};
		const former = this.#former.get(draft.document) ?? [];
		const view = random.chance(0.75) ? former.at(-1) : random.chance(0.5) && former.length > 0 ? random.pick(former) : EMPTY_STATE;
		return seenBy(kindNamed(kind), view ?? EMPTY_STATE, draft, person);
	}

	/** What somebody tries next. */
	act(): Act {
		return draftOf(this);
	}
}
