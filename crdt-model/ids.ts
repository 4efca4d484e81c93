/**
 * Branded ids. A document's id carries its kind (`task_<uuid v7>`), so that a bare string never says what it names.
 * Made and parsed here only. Randomness and time are parameters: the simulation replays both.
 */

declare const brand: unique symbol;
type Brand<Name extends string> = { readonly [brand]: Name };

/** Every document kind of this version. The order is that of the screens. */
export const KINDS = [
	'settings', 'employee', 'department', 'group', 'role', 'task', 'company', 'product', 'deal', 'page', 'text', 'file', 'proposal'
] as const;
export type KindName = (typeof KINDS)[number];

export type DocumentId<K extends KindName = KindName> = `${K}_${string}` & Brand<'document'>;
/** A person is their employee record: authorship, rights and presence all speak of this id. */
export type PersonId = DocumentId<'employee'>;
export type DepartmentId = DocumentId<'department'>;
export type GroupId = DocumentId<'group'>;
export type PortalId = `portal_${string}` & Brand<'portal'>;
export type CommandId = `command_${string}` & Brand<'command'>;
export type BatchId = `batch_${string}` & Brand<'batch'>;
export type SessionId = `session_${string}` & Brand<'session'>;
/** An item inside a record: a checklist line, a comment. */
export type ItemId = `item_${string}` & Brand<'item'>;

/** The relay writes numbers and notices as itself, never as a person. */
export const RELAY = 'employee_00000000-0000-7000-8000-000000000000' as PersonId;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Fills the array with random bytes, like `crypto.getRandomValues`. */
export type RandomBytes = (target: Uint8Array) => Uint8Array;
const systemRandom: RandomBytes = (target) => crypto.getRandomValues(target as Uint8Array<ArrayBuffer>);

/** Makes ids; one per process or replica, so that a seeded world makes the same ids again. */
export class IdMaker {
	readonly #now: () => number;
	readonly #random: RandomBytes;

	/** @param now milliseconds since 1970 */
	constructor(now: () => number = Date.now, random: RandomBytes = systemRandom) {
		this.#now = now;
		this.#random = random;
	}

	/** UUID version 7 (RFC 9562): 48 bits of time, then randomness; sorts by time of making. */
	uuid(): string {
		const bytes = this.#random(new Uint8Array(16));
		const time = Math.max(0, Math.floor(this.#now()));
		for (let i = 0; i < 6; i++) bytes[i] = Math.floor(time / 2 ** (8 * (5 - i))) & 0xff;
		bytes[6] = (bytes[6]! & 0x0f) | 0x70;
		bytes[8] = (bytes[8]! & 0x3f) | 0x80;
		let hex = '';
		for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
		return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
	}

	document<K extends KindName>(kind: K): DocumentId<K> {
		return `${kind}_${this.uuid()}` as DocumentId<K>;
	}
	portal(): PortalId {
		return `portal_${this.uuid()}` as PortalId;
	}
	command(): CommandId {
		return `command_${this.uuid()}` as CommandId;
	}
	batch(): BatchId {
		return `batch_${this.uuid()}` as BatchId;
	}
	session(): SessionId {
		return `session_${this.uuid()}` as SessionId;
	}
	item(): ItemId {
		return `item_${this.uuid()}` as ItemId;
	}
}

function parsePrefixed(prefix: string, value: unknown): boolean {
	return typeof value === 'string' && value.startsWith(prefix) && UUID.test(value.slice(prefix.length));
}

export const isPortalId = (value: unknown): value is PortalId => parsePrefixed('portal_', value);
export const isCommandId = (value: unknown): value is CommandId => parsePrefixed('command_', value);
export const isSessionId = (value: unknown): value is SessionId => parsePrefixed('session_', value);
export const isBatchId = (value: unknown): value is BatchId => parsePrefixed('batch_', value);
export const isItemId = (value: unknown): value is ItemId => parsePrefixed('item_', value);

/** The kind that an id carries, or null when the value is no document id of this version. */
export function kindOf(value: unknown): KindName | null {
	if (typeof value !== 'string') return null;
	const cut = value.indexOf('_');
	const kind = value.slice(0, cut) as KindName;
	return KINDS.includes(kind) && UUID.test(value.slice(cut + 1)) ? kind : null;
}

export function isDocumentId(value: unknown): value is DocumentId {
	return kindOf(value) !== null;
}

export function isIdOf<K extends KindName>(kind: K, value: unknown): value is DocumentId<K> {
	return kindOf(value) === kind;
}

/** When an id was made by its maker's clock, in milliseconds since 1970 (the first 48 bits of a UUID version 7). */
export function madeAt(id: string): number {
	const uuid = id.slice(id.indexOf('_') + 1);
	return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

/** The page that hangs on a record: one uuid, so that two people offline start the same page. */
export function pageOf(record: DocumentId): DocumentId<'page'> {
	return `page_${record.slice(record.indexOf('_') + 1)}` as DocumentId<'page'>;
}

/** Kinds whose records have a page. */
export const KINDS_WITH_PAGE = ['task', 'deal', 'company'] as const satisfies readonly KindName[];

/** The records whose page this would be: ids alone do not say which of them is there. */
export function recordsOfPage(page: DocumentId<'page'>): DocumentId[] {
	return KINDS_WITH_PAGE.map((kind) => `${kind}_${page.slice(page.indexOf('_') + 1)}` as DocumentId);
}
