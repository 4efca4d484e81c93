/**
 * For tests: a small honest relay that prints the conversation, and a network whose frames wait until they are delivered. It knows no rights:
 * a test says what it refuses.
 */
import { RELAY, type DocumentId, type PersonId, type PortalId, kindOf } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { collectionsOf } from '#crdt-model/record/kind.ts';
import { planCommand, rowOf } from '#crdt-model/record/plan.ts';
import { readFromDoc, writeToDoc, type Write } from '#crdt-model/record/state.ts';
import { decodeUp, encodeDown } from '#crdt-model/wire/codec.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import type { AnswerResult, Down, Entry, Snapshot } from '#crdt-model/wire/down.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';
import type { Up } from '#crdt-model/wire/up.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import * as Y from 'yjs';
import { IdMaker } from '#crdt-model/ids.ts';
import type { LinkEvents, Timers, Transport } from './engine.ts';

export const PORTAL = 'portal_01900000-0000-7000-8000-000000000001' as PortalId;

export class TestClock {
	now = 1_790_000_000_000;
	#timers = new Set<{ at: number; run: () => void }>();
	readonly timers: Timers = {
		set: (run, ms) => {
			const timer = { at: this.now + ms, run };
			this.#timers.add(timer);
			return timer;
		},
		clear: (timer) => void this.#timers.delete(timer as never)
	};
	/** Moves time and runs what is due, in order. */
	pass(ms: number): void {
		const end = this.now + ms;
		for (;;) {
			const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
			if (!due) break;
			this.#timers.delete(due);
			this.now = due.at;
			due.run();
		}
		this.now = end;
	}
}

/** A repeatable source of bytes (mulberry32). */
export function seededBytes(seed: number): (target: Uint8Array) => Uint8Array {
	let state = seed;
	return (target) => {
		for (let i = 0; i < target.length; i++) {
			state = (state + 0x6d2b79f5) | 0;
			let t = Math.imul(state ^ (state >>> 15), 1 | state);
			t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
			target[i] = (t ^ (t >>> 14)) & 0xff;
		}
		return target;
	};
}

interface Session {
	readonly name: string;
	readonly person: PersonId;
	readonly viewer?: PersonId;
	readonly events: LinkEvents;
	admitted: boolean;
	open: boolean;
}

export class FakeRelay {
	readonly conversation: string[] = [];
	readonly docs = new Map<DocumentId, { doc: Y.Doc; entries: Entry[] }>();
	readonly log: Entry[] = [];
	readonly unreadable = new Set<string>();
	epoch = 1;
	/** Said in the welcome where a test has a relay of another version. */
	rows: Record<string, number> | null = null;
	/** Asked before a submission is judged; a refusal stands. */
	judge: (what: Command | Extract<Up, { type: 'update' }>, person: PersonId) => Refusal | null = () => null;
	/** Down messages that never arrive. */
	swallow: (message: Down) => boolean = () => false;
	online = true;
	/** Devices come from where the company lets nobody in. */
	outside = false;
	swallowedNext: [number, number, number][] = [];
	readonly #answers = new Map<string, AnswerResult>();
	readonly #sessions = new Set<Session>();
	readonly #clock: TestClock;
	readonly ids: IdMaker;

	constructor(clock: TestClock) {
		this.#clock = clock;
		this.ids = new IdMaker(() => clock.now, seededBytes(7));
	}

	transport(name: string, person: PersonId, viewer?: PersonId): Transport {
		return (events) => {
			const session: Session = { name, person, ...(viewer && { viewer }), events, admitted: false, open: true };
			const closed = (code: number) => {
				if (!session.open) return;
				session.open = false;
				this.#sessions.delete(session);
				queueMicrotask(() => events.closed(code));
			};
			if (!this.online) {
				closed(1006);
				return { send: () => {}, close: () => {} };
			}
			if (this.outside) {
				this.#say(`relay closes ${name} 4511`);
				closed(4511);
				return { send: () => {}, close: () => {} };
			}
			this.#sessions.add(session);
			queueMicrotask(() => events.opened());
			return {
				send: (frame) => {
					const decoded = decodeUp(frame);
					if (!decoded.ok) throw new Error(decoded.problem);
					if (session.open) this.#hear(session, decoded.message);
				},
				close: () => {
					session.open = false;
					this.#sessions.delete(session);
				}
			};
		};
	}

	/** The line breaks for everybody, or for one person; with a code the relay closes it. */
	cut(code = 1006, person?: PersonId, reason = ''): void {
		for (const session of [...this.#sessions]) {
			if (person && session.person !== person) continue;
			session.open = false;
			this.#sessions.delete(session);
			this.#say(`relay closes ${session.name} ${code}`);
			session.events.closed(code, reason);
		}
	}

	/** Somebody else's command, or the same person's on another device. */
	does(person: PersonId, document: DocumentId, name: string, args: unknown, seen: Command['seen'] = {}, at = this.#clock.now): Entry {
		const command: Command = { id: this.ids.command(), document, name, args, at, seen };
		const result = this.#take(person, command);
		if ('code' in result) throw new Error(`${result.code} ${result.detail}`);
		this.#fanOut(result);
		return result;
	}

	edits(person: PersonId, document: DocumentId, bytes: Uint8Array): void {
		this.#fanOut(this.#record(person, document, null, this.#clock.now, (doc) => Y.applyUpdate(doc, bytes)));
	}

	lose(person: PersonId, document: DocumentId): void {
		this.unreadable.add(`${person} ${document}`);
		this.#each(person, (session) => this.#send(session, { type: 'lose', documents: [document], cursor: this.#cursor() }));
	}

	send(person: PersonId, message: Down): void {
		this.#each(person, (session) => this.#send(session, message));
	}

	/** As after a restore from an old backup. */
	forgetAnswers(): void {
		this.#answers.clear();
	}

	docText(document: DocumentId): string {
		return this.docs.get(document)?.doc.getText('text').toString() ?? '';
	}

	#hear(session: Session, message: Up): void {
		this.#say(`${session.name} → relay | ${saidUp(message)}`);
		switch (message.type) {
			case 'hello': {
				session.admitted = true;
				const readable = [...this.docs.keys()].filter((id) => this.#reads(session.person, id));
				const known = readable.filter((id) => message.cursor && this.docs.get(id)!.entries[0]!.seq <= message.cursor.seq);
				const { count, digest } = digestOf(known);
				const fits = message.cursor?.epoch === this.epoch && message.held.count === count && message.held.digest === digest;
				const next = fits ? 'continue' : 'inventory';
				this.#send(session, { type: 'welcome', version: WIRE_VERSION, portal: PORTAL, person: session.person, epoch: this.epoch, now: this.#clock.now, next, ...(this.rows && { rows: this.rows }), ...(session.viewer && { viewer: session.viewer }) });
				if (!fits) return;
				const after = message.cursor!.seq;
				const entries = this.log.filter((entry) => entry.seq > after && this.#reads(session.person, entry.document));
				if (entries.length > 0) this.#send(session, { type: 'entries', entries, cursor: this.#cursor() });
				else this.#send(session, { type: 'progress', cursor: this.#cursor() });
				return;
			}
			case 'inventory': {
				const held = new Map(message.documents);
				const lost = [...held.keys()].filter((id) => !this.docs.has(id) || !this.#reads(session.person, id));
				if (lost.length > 0) this.#send(session, { type: 'lose', documents: lost, cursor: null });
				const gained = [...this.docs.keys()].filter((id) => this.#reads(session.person, id) && held.get(id) !== this.docs.get(id)!.entries.length);
				this.#send(session, { type: 'gains', snapshots: gained.map((id) => this.snapshotOf(id)), cursor: this.#cursor() });
				return;
			}
			case 'submit': {
				const { batch } = message;
				const known = this.#answers.get(batch.id);
				if (known) return this.#send(session, { type: 'answer', id: batch.id, result: known });
				const entries: Entry[] = [];
				for (const command of batch.commands as Command[]) {
					const hidden = this.#reads(session.person, command.document) ? null : refuse('not-found', command.document);
					const result = this.judge(command, session.person) ?? hidden ?? this.#take(session.person, command);
					if ('code' in result) {
						return this.#send(session, { type: 'answer', id: batch.id, result: { kind: 'refused', refusal: result as never, command: command.id } });
					}
					entries.push(result);
				}
				const answer: AnswerResult = { kind: 'accepted', seq: entries.at(-1)!.seq };
				this.#answers.set(batch.id, answer);
				for (const entry of entries) this.#fanOut(entry);
				return this.#send(session, { type: 'answer', id: batch.id, result: answer });
			}
			case 'update': {
				const readable = this.docs.has(message.document) && this.#reads(session.person, message.document);
				const refusal = this.judge(message, session.person) ?? (readable ? (this.#goneAt(message.document) ?? this.#gapIn(message.document, message.bytes)) : refuse('not-found', message.document));
				if (refusal) return this.#send(session, { type: 'answer', id: message.id, result: { kind: 'refused', refusal: refusal as never, command: null } });
				const entry = this.#record(session.person, message.document, null, this.#clock.now, (doc) => Y.applyUpdate(doc, message.bytes));
				this.#fanOut(entry);
				return this.#send(session, { type: 'answer', id: message.id, result: { kind: 'accepted', seq: entry.seq } });
			}
			case 'reoffer':
				return this.#send(session, { type: 'reoffered', fates: message.entries.map(() => 'refused') });
			default:
				message satisfies never;
		}
	}

	#goneAt(id: DocumentId): Refusal | null {
		const kind = kindNamed(kindOf(id)!);
		const isDeleted = rowOf(kind, id, readFromDoc(this.#doc(id).doc, collectionsOf(kind)))?.deleted === true;
		return isDeleted ? refuse('target-gone', id) : null;
	}

	#gapIn(id: DocumentId, bytes: Uint8Array): Refusal | null {
		const preview = new Y.Doc();
		Y.applyUpdate(preview, Y.encodeStateAsUpdate(this.#doc(id).doc));
		Y.applyUpdate(preview, bytes);
		return preview.store.pendingStructs === null ? null : refuse('gap', 'earlier edits');
	}

	#take(person: PersonId, command: Command): Entry | Refusal {
		const kind = kindNamed(kindOf(command.document)!);
		const state = readFromDoc(this.#doc(command.document).doc, collectionsOf(kind));
		const plan = planCommand(kind, state, command, { author: person, latest: this.#clock.now });
		if (plan.kind === 'refused') {
			if (this.docs.get(command.document)!.entries.length === 0) this.docs.delete(command.document);
			return plan.refusal;
		}
		const writes: Write[] = [...plan.writes];
		if (kind.numbered && command.name.endsWith('.create')) {
			writes.push({ path: 'number', cell: { value: this.log.length + 1, at: this.#clock.now, by: RELAY, command: command.id } });
		}
		const entry = this.#record(person, command.document, command, command.at, (doc) => writeToDoc(doc, writes, null));
		entry.overruled.push(...plan.overruled);
		return entry;
	}

	#record(person: PersonId, id: DocumentId, command: Command | null, at: number, change: (doc: Y.Doc) => void): Entry {
		const held = this.#doc(id);
		const before = Y.encodeStateVector(held.doc);
		const emitted: Uint8Array[] = [];
		const listen = (bytes: Uint8Array) => void emitted.push(bytes);
		held.doc.on('update', listen);
		change(held.doc);
		held.doc.off('update', listen);
		const bytes = emitted.length === 1 ? emitted[0]! : Y.encodeStateAsUpdate(held.doc, before);
		const entry: Entry = {
			seq: this.log.length + 1, document: id, docSeq: held.entries.length + 1, author: person, authoredAt: at, acceptedAt: this.#clock.now,
			command, overruled: [], swallowed: this.swallowedNext, bytes, mac: new Uint8Array(32)
		};
		this.swallowedNext = [];
		held.entries.push(entry);
		this.log.push(entry);
		return entry;
	}

	snapshotOf(id: DocumentId): Snapshot {
		const { doc, entries } = this.docs.get(id)!;
		const kind = kindNamed(kindOf(id)!);
		const row = rowOf(kind, id, readFromDoc(doc, collectionsOf(kind)))!;
		return { document: id, docSeq: entries.length, seq: entries.at(-1)!.seq, row, bytes: Y.encodeStateAsUpdate(doc) };
	}

	#doc(id: DocumentId): { doc: Y.Doc; entries: Entry[] } {
		let held = this.docs.get(id);
		if (!held) this.docs.set(id, (held = { doc: new Y.Doc(), entries: [] }));
		return held;
	}

	#reads(person: PersonId, id: DocumentId): boolean {
		return !this.unreadable.has(`${person} ${id}`);
	}

	#cursor() {
		return { epoch: this.epoch, seq: this.log.length };
	}

	#fanOut(entry: Entry): void {
		for (const session of this.#sessions) {
			if (session.admitted && this.#reads(session.person, entry.document)) {
				this.#send(session, { type: 'entries', entries: [entry], cursor: { epoch: this.epoch, seq: entry.seq } });
			}
		}
	}

	#each(person: PersonId, act: (session: Session) => void): void {
		for (const session of [...this.#sessions]) if (session.person === person) act(session);
	}

	#send(session: Session, message: Down): void {
		if (!session.open) return;
		if (this.swallow(message)) return this.#say(`relay ⇸ ${session.name} | ${saidDown(message)}`);
		this.#say(`relay → ${session.name} | ${saidDown(message)}`);
		session.events.frame(encodeDown(message));
	}

	#say(line: string): void {
		this.conversation.push(line);
	}
}

function saidUp(message: Up): string {
	switch (message.type) {
		case 'hello':
			return `hello ${message.cursor ? `${message.cursor.epoch}:${message.cursor.seq}` : 'anew'} holding ${message.held.count}`;
		case 'inventory':
			return `inventory ${message.documents.length}${message.last ? ' last' : ''}`;
		case 'reoffer':
			return `reoffer ${message.entries.length}${message.last ? ' last' : ''}`;
		case 'submit':
			return `submit ${message.batch.commands.map((command) => command.name).join(', ')}`;
		case 'update':
			return `update ${kindOf(message.document)}`;
	}
}

function saidDown(message: Down): string {
	const at = (cursor: { seq: number } | null) => (cursor ? ` up to ${cursor.seq}` : '');
	switch (message.type) {
		case 'welcome':
			return `welcome ${message.next}`;
		case 'entries':
			return `entries ${message.entries.map((entry) => entry.command?.name ?? 'edit').join(', ')}${at(message.cursor)}`;
		case 'reoffered':
			return `reoffered ${message.fates.join(', ')}`;
		case 'gains':
			return `gains ${message.snapshots.length}${at(message.cursor)}`;
		case 'lose':
			return `lose ${message.documents.length}${at(message.cursor)}`;
		case 'progress':
			return `progress${at(message.cursor)}`;
		case 'tariff':
			return `tariff ${message.plan}`;
		case 'online':
			return `online${message.whole ? ' whole' : ''} +${message.here.length} -${message.gone.length}`;
		case 'waiting':
			return `waiting ${message.people}`;
		case 'answer':
			return `answer ${message.result.kind === 'accepted' ? `accepted ${message.result.seq}` : message.result.refusal.code}`;
	}
}

