/**
 * The replica of one person and portal: what screens, editors and the seeded simulation talk to. Pure TypeScript: store, clock,
 * timers, randomness and transport are parameters.
 *
 * Promises: what `run` and editors made is on disk before they are told (P1, P3); only what the relay said becomes canonical
 * (P6); what is not accepted is never called so (P9).
 * Leaves to others: frames (conversation.ts, incoming.ts, settle.ts), pages (pages.ts), tabs and reactivity (workspace.svelte.ts).
 */
import type { Verdict } from '#crdt-model/access/decide.ts';
import { Directory, DIRECTORY_KINDS } from '#crdt-model/access/directory.ts';
import { kindOf, type DocumentId, type IdMaker, type KindName, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import { accessTo, type Access } from '#crdt-model/access/questions.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import { scopeOf, type BaseRow } from '#crdt-model/record/kind.ts';
import type { ProposalRow } from '#crdt-model/kinds/proposal.ts';
import type { RecordState } from '#crdt-model/record/state.ts';
import { MAX_BATCH_COMMANDS } from '#crdt-model/record/command.ts';
import { refuse } from '#crdt-model/wire/refusal.ts';
import type { AsideItem, Pending, ReplicaReads, ReplicaStore, StoredRow } from '#storage/replica-contract.ts';
import { copyText } from './aside.ts';
import { unsentVersion, type UnsentVersion } from './difference.ts';
import { Conversation } from './conversation.ts';
import { Core, type CoreOptions, type TabSignal } from './core.ts';
import { settingsOf, verdictOn, type Draft } from './drafts.ts';
import type { Outcome } from './outcome.ts';
import { farewellOf, type FarewellItem } from './farewell.ts';
import { Lease } from './lease.ts';
import { Pages, type OpenedPage } from './pages.ts';
import type { LinkState, Problem, Transport } from './link.ts';
import { remakeRows } from './remake.ts';
import { applyDrafts, appendPassage, draftOf, fieldsOf, markProposed, proposableOf, type Proposable, type ProposedField, type Unproposable } from './proposals.ts';
import { runDrafts, type RunResult } from './runs.ts';
import { byDocument, canonicalStates, commandsOn, remarkRows, viewState } from './view.ts';

export type { Draft } from './drafts.ts';
export type { Link, LinkEvents, LinkState, Problem, Transport } from './link.ts';
export type { TabSignal, Timers } from './core.ts';
export type { OpenedPage } from './pages.ts';
export type { RunResult } from './runs.ts';

export interface ReplicaOptions extends CoreOptions {
	readonly transport: Transport;
	/** Names this tab among the person's tabs. */
	readonly tab?: string;
	/** Milliseconds that only go forward while this runs; a browser has them apart from the clock that people set. */
	readonly steady?: () => number;
	/** Told what the directory was filled with: all rows of its kinds as they were read. */
	readonly onDirectory?: (rows: readonly StoredRow[]) => void;
}

export interface ReplicaStatus {
	readonly word: 'on-device' | 'sending' | 'up-to-date';
	readonly link: LinkState;
	readonly pending: number;
	readonly aside: number;
	readonly problem: Problem | null;
	/** When the relay was last reached, where the device is locked until it is again. */
	readonly lockedSince: number | null;
	/** Documents that came since this connection began to catch up; 0 once it has. */
	readonly received: number;
	/** Who has the portal open, beside this person; null where nobody can say: without a connection, or for a guest. */
	readonly online: ReadonlySet<PersonId> | null;
	/** How many people ask to be let in: known to administrators with a connection. */
	readonly waiting: number | null;
}

/** Another tab repeats that it is live every third of this; a tab that died is not waited for any longer. */
export const LIVE_CLAIM_MS = 30_000;

/** Whoever looks on as somebody else changes nothing. */
const READ_ONLY = 'view.read-only';
const lookingOn = (): RunResult => ({ kind: 'refused', refusal: refuse('denied', 'looking on is read only', { rule: READ_ONLY, who: [] }), draft: 0 });

export class Replica {
	readonly portal: PortalId;
	readonly person: PersonId;
	readonly store: ReplicaStore;
	readonly ids: IdMaker;
	readonly #core: Core;
	readonly #conversation: Conversation;
	readonly #pages: Pages;
	/** Whether this device may still show what it holds. */
	readonly lease: Lease;
	readonly #tab: string;
	/** Live pages by document: tab → when its claim ends. */
	readonly #live = new Map<DocumentId, Map<string, number>>();
	#leads = false;
	#remade: Promise<void> | null = null;

	private constructor(options: ReplicaOptions) {
		this.#core = new Core(options);
		this.portal = options.portal;
		this.person = options.person;
		this.store = options.store;
		this.ids = this.#core.ids;
		this.#tab = options.tab ?? 'only';
		this.lease = new Lease(this.#core, options.steady ?? this.#core.now);
		this.#pages = new Pages(this.#core, () => this.#wroteToPending());
		this.#conversation = new Conversation(this.#core, {
			transport: options.transport,
			isLive: (document) => this.#isLive(document),
			beforeApply: (documents) => this.#pages.flush(documents),
			afterCommit: (outcome) => this.#committed(outcome),
			onContact: () => this.lease.contact()
		});
	}

	/** Reads what the device holds; connects nothing. */
	static async open(options: ReplicaOptions): Promise<Replica> {
		const replica = new Replica(options);
		const rows = await replica.store.read(async (reads) => (await Promise.all(DIRECTORY_KINDS.map((kind) => reads.rowsOf(kind)))).flat());
		replica.#core.takeRows(rows);
		options.onDirectory?.(rows);
		await replica.lease.look();
		await replica.#core.recount();
		return replica;
	}

	/** Only one tab of a device may: the leader. */
	connect(): void {
		this.#leads = true;
		this.#core.shadows.clear();
		this.#conversation.connect();
		void this.remade();
	}

	/** Rows of another version of the app are made anew, beside everything else. Resolves when that is done or given up until the next start. */
	remade(): Promise<void> {
		const told = async (rows: readonly StoredRow[], lost: readonly DocumentId[]) => {
			this.#core.takeRows(rows);
			this.#signalStructure(rows, lost);
			this.#core.changed();
		};
		// A full or closed store says so elsewhere, and what was not remade is the next time.
		return (this.#remade ??= remakeRows(this.#core, told).catch(() => {}));
	}

	disconnect(): void {
		this.#leads = false;
		this.#conversation.disconnect();
	}

	/** A frame of the current connection; transports call it through their events. */
	receive(frame: Uint8Array): void {
		this.#conversation.receive(frame);
	}

	/** The network may be back, or somebody wrote to pending: do not wait for the next attempt. */
	wake(): void {
		if (this.#leads) this.#conversation.wake();
	}

	/** What the browser says of the network: the present connection is made anew. */
	networkChanged(online: boolean): void {
		if (this.#leads) this.#conversation.networkChanged(online);
	}

	/** Resolves when all that was received is applied and all that may be sent is sent. */
	settled(): Promise<void> {
		return this.#conversation.settled();
	}

	/** @param options.at the author's time; now by default */
	async run(drafts: readonly Draft[], options: { readonly at?: number } = {}): Promise<RunResult> {
		if (this.lease.lockedSince !== null) return { kind: 'refused', refusal: refuse('unavailable', 'this device is locked'), draft: 0 };
		if (drafts.length === 0 || drafts.length > MAX_BATCH_COMMANDS) {
			return { kind: 'refused', refusal: refuse('too-large', `${drafts.length} commands in one batch`), draft: 0 };
		}
		if (this.#core.viewer) return lookingOn();
		const { result, rows } = await this.#core.transact((tx) => runDrafts(this.#core, tx, drafts, options.at ?? this.#core.now()));
		if (result.kind === 'kept') {
			await this.#kept(rows);
		}
		return result;
	}

	/** What the rule book says now of drafts that are made as one: for greying buttons, and for "why can't I". */
	may(...drafts: Draft[]): Promise<Verdict> {
		if (this.#core.viewer) return Promise.resolve({ allow: false, code: 'denied', rule: READ_ONLY, who: [] });
		return this.#core.read((reads) => verdictOn(this.#core, reads, drafts));
	}

	/** Why a person sees a record that is here, and what they may do with it; null where it is not here or they are no member. */
	async access(id: DocumentId, person: PersonId): Promise<Access | null> {
		return this.#core.read(async (reads) => {
			const row = (await reads.rows([id])).get(id);
			if (!row || !this.directory.isMember(person)) return null;
			const scope = scopeOf(kindNamed(row.kind), row);
			const around = scope ? await reads.rows([scope]) : new Map<DocumentId, BaseRow>();
			const canonical = (await canonicalStates(this.#core, reads, [id])).get(id)!;
			const state = viewState(this.#core, id, canonical, await reads.pendingOn([id]));
			const settings = await settingsOf(reads);
			const actor = { person, principals: this.directory.principalsOf(person) };
			const asking = { person: this.#core.person, principals: this.directory.principalsOf(this.#core.person) };
			return accessTo(actor, row, state, { directory: this.directory, settings, rowOf: (one) => (one === id ? row : (around.get(one) ?? null)) }, asking);
		});
	}

	async row(id: DocumentId): Promise<StoredRow | null> {
		this.#mustBeUnlocked();
		return this.#core.read(async (reads) => (await reads.rows([id])).get(id) ?? null);
	}

	async rows(kind: KindName): Promise<StoredRow[]> {
		this.#mustBeUnlocked();
		return this.#core.read((reads) => reads.rowsOf(kind));
	}

	/** A record's whole state as its author sees it: comments, checklist, who wrote what. */
	async state(id: DocumentId): Promise<RecordState> {
		this.#mustBeUnlocked();
		return this.#core.read(async (reads) => {
			const canonical = (await canonicalStates(this.#core, reads, [id])).get(id)!;
			return viewState(this.#core, id, canonical, await reads.pendingOn([id]));
		});
	}

	/** Names of this person's commands on a record that are not accepted yet. */
	async pendingOn(id: DocumentId): Promise<readonly string[]> {
		return this.#core.read(async (reads) => commandsOn(id, byDocument(await reads.pendingOn([id])).get(id) ?? []).map((command) => command.name));
	}

	pending(): Promise<Pending[]> {
		return this.#core.read((reads) => reads.pendingAfter(0, Infinity));
	}

	get directory(): Directory {
		return this.#core.directory;
	}

	/** Rises whenever somebody's name or place in the company may have changed. */
	get structure(): number {
		return this.#core.structure;
	}

	nameOf(person: PersonId): string {
		const row = this.#core.directory.person(person);
		return row ? `${row.firstName} ${row.lastName}`.trim() : '';
	}

	/** @param id a page or text, or the record whose page is meant; @param slot the tab's own, so that no two tabs share a client id */
	async openPage(id: DocumentId, slot: string): Promise<OpenedPage> {
		this.#mustBeUnlocked();
		return this.#pages.open(id, slot);
	}

	/** Keeps everything typed until now: before the tab hides. */
	flush(): Promise<void> {
		return this.#pages.flush();
	}

	/** While a page is live, `/live` carries its edits. Await it before connecting; false sends the tail over `/sync`. */
	async setLive(document: DocumentId, connected: boolean): Promise<void> {
		await this.#pages.markLive(document, connected);
		this.#claim(document, this.#tab, connected ? Infinity : null);
		this.#core.signal({ kind: 'live', document, tab: this.#tab, connected });
	}

	/** Repeated while a page is live, so that the leader does not take this tab for dead. */
	renewLive(document: DocumentId): void {
		if (this.#live.get(document)?.has(this.#tab)) this.#core.signal({ kind: 'live', document, tab: this.#tab, connected: true });
	}

	/** What is this person's own and not sent, for the last contact after a dismissal. */
	async farewell(): Promise<FarewellItem[]> {
		await this.#pages.flush();
		return this.#core.read((reads) => farewellOf(this.#core, reads));
	}

	aside(): Promise<AsideItem[]> {
		return this.#core.read((reads) => reads.aside());
	}

	/** The author's own version of a page whose tail was set aside; null where the page is not here or the tail has no place in it. */
	async unsentVersion(id: string): Promise<UnsentVersion | null> {
		return this.#core.read(async (reads) => {
			const item = await reads.asideById(id);
			if (item?.kind !== 'page') return null;
			const { content } = kindNamed(kindOf(item.document)!);
			const held = (await reads.canonical([item.document])).get(item.document);
			return held && content ? unsentVersion([held.bytes, ...held.updates], item.bytes, content) : null;
		});
	}

	async discard(id: string): Promise<void> {
		await this.#core.transact(async (tx) => {
			const item = await tx.asideById(id);
			if (!item) return;
			await tx.dropAside([id]);
			await remarkRows(tx, [item.document]);
		});
		await this.#core.recount();
	}

	/** Takes a discard back, while its Undo is in sight. */
	async takeBackDiscard(items: readonly AsideItem[]): Promise<void> {
		await this.#core.transact(async (tx) => {
			await tx.addAside(items);
			await remarkRows(tx, [...new Set(items.map((item) => item.document))]);
		});
		await this.#core.recount();
	}

	/** Runs the change again on today's state. The item leaves Set aside when the change is kept. Text is brought back by copying. */
	async bringBack(id: string): Promise<RunResult> {
		const item = await this.#core.read((reads) => reads.asideById(id));
		const draft = item && (await this.#draftOf(item));
		if (!draft) return { kind: 'refused', refusal: refuse('unknown-command', 'copy the text'), draft: 0 };
		const result = await this.run([draft]);
		if (result.kind === 'kept') await this.discard(id);
		return result;
	}

	/** What would be put before those who may, or why it cannot be. */
	async proposable(ids: readonly string[]): Promise<Proposable | Unproposable> {
		return this.#core.read(async (reads) => this.#proposable(reads, await this.#asides(reads, ids)));
	}

	/** Puts what was made and refused together before those who may. It stays in Set aside and follows the answer. */
	async propose(ids: readonly string[], note: string): Promise<RunResult> {
		if (this.#core.viewer) return lookingOn();
		const proposal = this.ids.document('proposal');
		const { result, rows } = await this.#core.transact(async (tx) => {
			const items = await this.#asides(tx, ids);
			const made = await this.#proposable(tx, items);
			if (typeof made === 'string') return { result: { kind: 'refused', refusal: refuse('bad-value', made), draft: 0 } as RunResult, rows: [] };
			const args = { ...made, ...(note.trim() !== '' && { note: note.trim() }) };
			const ran = await runDrafts(this.#core, tx, [{ document: proposal, name: 'proposal.create', args }], this.#core.now());
			if (ran.result.kind === 'kept') await tx.addAside(markProposed(items, proposal, note.trim()));
			return ran;
		});
		if (result.kind === 'kept') await this.#kept(rows);
		return result;
	}

	/** What a proposal would change today; read it again when a record of it changes. */
	async proposedFields(row: Pick<ProposalRow, 'commands'>): Promise<ProposedField[]> {
		const ids = [...new Set(row.commands.map(({ document }) => document))];
		const states = new Map(await Promise.all(ids.map(async (id) => [id, await this.state(id)] as const)));
		return fieldsOf(row, states, this.person);
	}

	/** Whether it could be applied now: its commands and the answer, as one. */
	mayApply(row: Pick<ProposalRow, 'id' | 'commands'>): Promise<Verdict> {
		return this.may(...applyDrafts(row));
	}

	/**
	 * Applies a proposal under this person's own rights. A proposed text is added at the end of the page first.
	 * @param slot the tab's own, as for opening a page
	 */
	async applyProposal(row: Pick<ProposalRow, 'id' | 'commands' | 'text' | 'target'>, slot: string): Promise<RunResult> {
		if (row.text === null) return this.run(applyDrafts(row));
		const verdict = await this.mayApply(row);
		if (!verdict.allow) return { kind: 'refused', refusal: refuse(verdict.code, verdict.rule, { rule: verdict.rule, who: verdict.who }), draft: 0 };
		const page = await this.openPage(row.target, slot);
		try {
			appendPassage(page.doc, kindNamed(kindOf(page.document)!).content!, row.text);
			await this.flush();
		} finally {
			await page.release();
		}
		return this.run(applyDrafts(row));
	}

	async copyText(id: string): Promise<string> {
		const item = await this.#core.read((reads) => reads.asideById(id));
		return item ? copyText(item) : '';
	}

	status(): ReplicaStatus {
		const { state, problem, caughtUp, received, online, waiting } = this.#conversation;
		const { pending, aside } = this.#core.counts;
		const connected = state === 'admitted';
		const word = !connected ? 'on-device' : pending > 0 || !caughtUp ? 'sending' : 'up-to-date';
		return { word, link: state, pending, aside, problem: problem ?? (this.#core.storageProblem === null ? null : 'storage'), lockedSince: this.lease.lockedSince, received, online, waiting };
	}

	/** Called after anything that `status` may say has changed. */
	onStatus(listener: (status: ReplicaStatus) => void): () => void {
		return this.#core.onChange(() => listener(this.status()));
	}

	/** What another tab of this person said. */
	async heard(signal: TabSignal): Promise<void> {
		switch (signal.kind) {
			case 'pending':
				// Typing in another tab brings nobody back into the office.
				if (this.#conversation.problem !== 'not-from-here') this.wake();
				return this.#core.recount();
			case 'edit':
				this.#pages.apply(signal.document, signal.bytes);
				return;
			case 'live':
				return this.#claim(signal.document, signal.tab, signal.connected ? this.#core.now() + LIVE_CLAIM_MS : null);
			case 'committed': {
				const rows = await this.#core.read((reads) => reads.rows(signal.structure));
				this.#core.takeRows(rows.values(), signal.lost);
				await this.#pages.committed(signal);
				return this.#core.recount();
			}
			default:
				signal satisfies never;
		}
	}

	/** Keeps what was typed, ends the connection and closes the store. */
	async close(): Promise<void> {
		await this.#pages.close();
		this.disconnect();
		await this.settled();
		this.#core.closed = true;
		await this.store.close();
	}

	/** The tab dies here: nothing is flushed, closed or heard any more. For simulations. */
	abandon(): void {
		this.#core.closed = true;
		this.disconnect();
	}

	async #draftOf(item: AsideItem): Promise<Draft | null> {
		return draftOf(item, await this.state(item.document), this.person);
	}

	#asides(reads: ReplicaReads, ids: readonly string[]): Promise<AsideItem[]> {
		return Promise.all(ids.map((id) => reads.asideById(id))).then((found) => found.filter((item) => item !== undefined));
	}

	async #proposable(reads: ReplicaReads, items: readonly AsideItem[]): Promise<Proposable | Unproposable> {
		const ids = [...new Set(items.map(({ document }) => document))];
		const states = await canonicalStates(this.#core, reads, ids.filter((id) => kindOf(id) !== null));
		return proposableOf(items, states, this.person);
	}

	async #kept(rows: readonly StoredRow[]): Promise<void> {
		this.#core.takeRows(rows);
		this.#signalStructure(rows, []);
		this.#wroteToPending();
		await this.#core.recount();
	}

	#mustBeUnlocked(): void {
		if (this.lease.lockedSince !== null) throw new Error('this device is locked until it reaches the relay');
	}

	#wroteToPending(): void {
		this.#core.somethingWaits();
		this.#core.signal({ kind: 'pending' });
		if (this.#leads) void this.#conversation.pump();
		void this.#core.recount();
	}

	async #committed(outcome: Outcome): Promise<void> {
		this.#core.takeRows(outcome.rows, outcome.lost);
		await this.#pages.committed(outcome);
		const { pages, reset, lost } = outcome;
		this.#signalStructure(outcome.rows, lost, { pages, reset });
		await this.#core.recount();
	}

	#signalStructure(rows: readonly StoredRow[], lost: readonly DocumentId[], more: Partial<Pick<Outcome, 'pages' | 'reset'>> = {}): void {
		const structure = rows.filter((row) => Directory.concerns(row)).map((row) => row.id);
		const { pages = [], reset = [] } = more;
		this.#core.signal({ kind: 'committed', pages, reset, lost, structure });
	}

	#claim(document: DocumentId, tab: string, until: number | null): void {
		const claims = this.#live.get(document) ?? new Map<string, number>();
		if (until === null) claims.delete(tab);
		else claims.set(tab, until);
		if (claims.size > 0) this.#live.set(document, claims);
		else this.#live.delete(document);
		if (until === null && this.#leads) this.#conversation.rewind();
	}

	#isLive(document: DocumentId): boolean {
		const claims = this.#live.get(document);
		if (!claims) return false;
		for (const [tab, until] of claims) if (until < this.#core.now()) claims.delete(tab);
		return claims.size > 0;
	}
}
