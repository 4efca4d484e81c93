/**
 * The canonical update of one change of a record: what Yjs itself would emit, byte for byte, at a third of its cost. Yjs spells every string by
 * way of a TextEncoder and every byte by way of a growing list; the texts of a record are short and mostly ASCII.
 *
 * It leans on what Yjs offers its own encoders: structs write themselves into whatever has the methods of `UpdateEncoderV1`, and a
 * transaction knows its states and deletions. A test holds it to Yjs's own bytes for every kind of write.
 */
import * as Y from 'yjs';

/** The update of nothing: a command that gave way entirely still happened and is told. */
const NOTHING = Y.encodeStateAsUpdate(new Y.Doc());

/** Runs a change as one transaction and says what it did. */
export function emitted(doc: Y.Doc, origin: unknown, change: () => void): Uint8Array {
	let done: Y.Transaction | null = null;
	doc.transact((transaction) => {
		done = transaction;
		change();
	}, origin);
	return updateOf(done!);
}

function updateOf({ doc, beforeState, afterState, deleteSet }: Y.Transaction): Uint8Array {
	const changed: [client: number, from: number][] = [];
	for (const [client, clock] of afterState) {
		const from = beforeState.get(client) ?? 0;
		if (clock !== from) changed.push([client, from]);
	}
	const { clients: deletions } = deleteSet;
	if (changed.length === 0 && deletions.size === 0) return NOTHING;
	writer.begin();
	writer.uint(changed.length);
	for (const [client, from] of changed.sort(higherFirst)) writeStructs(doc.store.clients.get(client)!, client, from);
	writer.uint(deletions.size);
	for (const [client, items] of [...deletions].sort(higherFirst)) {
		writer.uint(client);
		writer.uint(items.length);
		for (const { clock, len } of items) {
			writer.uint(clock);
			writer.uint(len);
		}
	}
	return writer.end();
}

function writeStructs(structs: readonly (Y.GC | Y.Item)[], client: number, from: number): void {
	// The new ones are the last ones, and few.
	let first = structs.length - 1;
	while (first > 0 && structs[first]!.id.clock > from) first--;
	writer.uint(structs.length - first);
	writer.uint(client);
	writer.uint(from);
	for (let i = first; i < structs.length; i++) {
		// A struct may have merged with what stood before it; then its new part is written.
		structs[i]!.write(writer as never, i === first ? from - structs[i]!.id.clock : 0);
	}
}

function higherFirst([a]: readonly [number, unknown], [b]: readonly [number, unknown]): number {
	return b - a;
}

const START_BYTES = 4 * 1024;
const utf8 = new TextEncoder();

/** Bytes as `lib0/encoding` writes them, and the names under which structs ask Yjs's encoder for them. */
class UpdateWriter {
	#bytes = new Uint8Array(START_BYTES);
	#view = new DataView(this.#bytes.buffer);
	#at = 0;

	begin(): void {
		this.#at = 0;
	}
	end(): Uint8Array {
		return this.#bytes.slice(0, this.#at);
	}

	byte(value: number): void {
		if (this.#at === this.#bytes.length) this.#room(1);
		this.#bytes[this.#at++] = value;
	}
	uint(value: number): void {
		let left = value;
		for (; left > 0x7f; left = Math.floor(left / 0x80)) this.byte(0x80 | (left & 0x7f));
		this.byte(left);
	}
	/** Sign and six bits first. */
	int(value: number): void {
		const isNegative = value < 0 || Object.is(value, -0);
		let left = Math.abs(value);
		this.byte((left > 0x3f ? 0x80 : 0) | (isNegative ? 0x40 : 0) | (left & 0x3f));
		for (left = Math.floor(left / 0x40); left > 0; left = Math.floor(left / 0x80)) this.byte((left > 0x7f ? 0x80 : 0) | (left & 0x7f));
	}
	text(value: string): void {
		const { length } = value;
		const start = this.#at;
		this.uint(length);
		this.#room(length);
		const bytes = this.#bytes;
		let at = this.#at;
		for (let i = 0; i < length; i++) {
			const unit = value.charCodeAt(i);
			if (unit > 0x7f) {
				this.#at = start;
				return this.blob(utf8.encode(value));
			}
			bytes[at++] = unit;
		}
		this.#at = at;
	}
	blob(value: Uint8Array): void {
		this.uint(value.byteLength);
		this.#room(value.byteLength);
		this.#bytes.set(value, this.#at);
		this.#at += value.byteLength;
	}
	any(value: unknown): void {
		switch (typeof value) {
			case 'string':
				this.byte(119);
				return this.text(value);
			case 'number':
				return this.#number(value);
			case 'boolean':
				return this.byte(value ? 120 : 121);
			case 'object':
				return this.#object(value);
			default:
				// Cells hold JSON; nothing else was ever let in.
				throw new TypeError(`a record holds no ${typeof value}`);
		}
	}
	#number(value: number): void {
		if (Number.isInteger(value) && Math.abs(value) <= 0x7fffffff) {
			this.byte(125);
			return this.int(value);
		}
		const isShort = Math.fround(value) === value;
		this.byte(isShort ? 124 : 123);
		this.#room(8);
		if (isShort) this.#view.setFloat32(this.#at, value);
		else this.#view.setFloat64(this.#at, value);
		this.#at += isShort ? 4 : 8;
	}
	#object(value: object | null): void {
		if (value === null) return this.byte(126);
		if (Array.isArray(value)) {
			this.byte(117);
			this.uint(value.length);
			for (const item of value) this.any(item);
			return;
		}
		this.byte(118);
		const keys = Object.keys(value);
		this.uint(keys.length);
		for (const key of keys) {
			this.text(key);
			this.any((value as Record<string, unknown>)[key]);
		}
	}
	#room(bytes: number): void {
		if (this.#at + bytes <= this.#bytes.length) return;
		const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + bytes));
		grown.set(this.#bytes);
		this.#bytes = grown;
		this.#view = new DataView(grown.buffer);
	}

	// What structs and their content call (UpdateEncoderV1 of Yjs 13.6).
	get restEncoder(): never {
		throw new Error('a struct wrote past its encoder');
	}
	writeInfo(info: number): void {
		this.byte(info);
	}
	writeLeftID({ client, clock }: Y.ID): void {
		this.uint(client);
		this.uint(clock);
	}
	writeRightID({ client, clock }: Y.ID): void {
		this.uint(client);
		this.uint(clock);
	}
	writeParentInfo(isRoot: boolean): void {
		this.byte(isRoot ? 1 : 0);
	}
	writeString(value: string): void {
		this.text(value);
	}
	writeKey(value: string): void {
		this.text(value);
	}
	writeTypeRef(ref: number): void {
		this.uint(ref);
	}
	writeLen(length: number): void {
		this.uint(length);
	}
	writeAny(value: unknown): void {
		this.any(value);
	}
}

/** One for all: a change is written within one turn. */
const writer = new UpdateWriter();
