/**
 * The bounded reader under `scan.ts`: variable-length numbers, strings, JSON and lib0's "Any", checked but not built.
 *
 * Promises: never reads past the end; never allocates by a number that the bytes claim; every step consumes at least one
 * byte, so reading is linear; throws nothing but `Refused`, which `scan` turns into a value.
 * Leaves to others: what the numbers mean.
 */

/** Why bytes are not an update. `gap` is the only one that sending again, after a sync step, can mend. */
export type ScanCode = 'malformed' | 'too-large' | 'bad-shape' | 'gap';

/** Thrown inside a scan only; never leaves `scan()`. Not an Error: a stack trace per hostile frame is work for the attacker. */
export class Refused {
	readonly code: ScanCode;
	readonly detail: string;
	readonly at: number;
	constructor(code: ScanCode, detail: string, at: number) {
		this.code = code;
		this.detail = detail;
		this.at = at;
	}
}

/**
 * Ids and clocks end here: Yjs 13 draws client ids of 32 bits, and a clock of 2^53 - 1 (which it would accept) leaves a
 * client that can never write again.
 */
export const ID_END = 2 ** 32;

/** Setting these keys on a plain object changes what it inherits; `toJSON` copies keys of maps, Any and JSON that way. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Reader {
	readonly bytes: Uint8Array;
	readonly end: number;
	readonly anyDepth: number;
	at = 0;

	constructor(bytes: Uint8Array, anyDepth: number) {
		this.bytes = bytes;
		this.end = bytes.length;
		this.anyDepth = anyDepth;
	}

	refuse(code: ScanCode, detail: string): never {
		throw new Refused(code, detail, this.at);
	}

	u8(): number {
		if (this.at >= this.end) this.refuse('malformed', 'ends early');
		return this.bytes[this.at++]!;
	}

	/** A variable-length number below 2^32. Five bytes hold it; longer forms, which lib0 never writes, are padding. */
	uint(): number {
		let value = 0;
		let unit = 1;
		for (let i = 0; i < 5; i++) {
			const byte = this.u8();
			value += (byte & 127) * unit;
			if (byte < 128) {
				if (value >= ID_END) this.refuse('malformed', 'number of 2^32 or more');
				return value;
			}
			unit *= 128;
		}
		return this.refuse('malformed', 'number longer than five bytes');
	}

	/** How many things follow. Each takes at least `each` bytes, so a count beyond the bytes left is a lie. */
	count(each: number): number {
		const count = this.uint();
		if (count * each > this.end - this.at) this.refuse('malformed', 'more things claimed than bytes left');
		return count;
	}

	/** Steps over `length` raw bytes. */
	skip(length: number): void {
		if (length > this.end - this.at) this.refuse('malformed', 'ends early');
		this.at += length;
	}

	/**
	 * Steps over a string and returns its length in UTF-16 units, which is how Yjs counts clocks.
	 * Checked by hand instead of decoded: overlong forms, surrogates and values past U+10FFFF are refused as lib0's fatal
	 * decoder would refuse them, but here before the document is touched.
	 */
	string(): number {
		const length = this.uint();
		const start = this.at;
		this.skip(length);
		const { bytes } = this;
		const end = start + length;
		let units = 0;
		for (let i = start; i < end; units++) {
			const lead = bytes[i++]!;
			if (lead < 0x80) continue;
			let follow = 1;
			let low = 0x80;
			let high = 0xbf;
			if (lead >= 0xc2 && lead <= 0xdf) follow = 1;
			else if (lead >= 0xe0 && lead <= 0xef) {
				follow = 2;
				if (lead === 0xe0) low = 0xa0;
				else if (lead === 0xed) high = 0x9f;
			} else if (lead >= 0xf0 && lead <= 0xf4) {
				follow = 3;
				units++;
				if (lead === 0xf0) low = 0x90;
				else if (lead === 0xf4) high = 0x8f;
			} else this.refuse('malformed', 'not UTF-8');
			for (; follow > 0; follow--) {
				const byte = i < end ? bytes[i++]! : 0;
				if (byte < low || byte > high) this.refuse('malformed', 'not UTF-8');
				low = 0x80;
				high = 0xbf;
			}
		}
		return units;
	}

	/** Reads a string that the scan needs as a value: a root's name, a key, a node's name, JSON. */
	text(): string {
		const mark = this.at;
		this.string();
		const end = this.at;
		this.at = mark;
		this.uint();
		const start = this.at;
		this.at = end;
		return decoder.decode(this.bytes.subarray(start, end));
	}

	key(longest: number): string {
		const key = this.text();
		if (key.length > longest) this.refuse('too-large', 'name too long');
		if (FORBIDDEN_KEYS.has(key)) this.refuse('bad-shape', `key ${key}`);
		return key;
	}

	/** A JSON string as Yjs parses it: well-formed, and neither deeper nor stranger than Any may be. */
	json(undefinedAllowed: boolean): void {
		const text = this.text();
		if (undefinedAllowed && text === 'undefined') return;
		let value: unknown;
		try {
			value = JSON.parse(text);
		} catch {
			// The parser's message may quote the content, and its cause is always the same: not JSON.
			this.refuse('malformed', 'not JSON');
		}
		this.#plain(value, 0);
	}

	/**
	 * `JSON.parse` itself does not recurse, but Yjs's `JSON.stringify` on the way out does and would overflow the stack.
	 * Own recursion ends at `anyDepth`.
	 */
	#plain(value: unknown, depth: number): void {
		if (typeof value !== 'object' || value === null) return;
		if (depth >= this.anyDepth) this.refuse('bad-shape', 'value nested too deep');
		if (Array.isArray(value)) {
			for (const item of value) this.#plain(item, depth + 1);
			return;
		}
		for (const key of Object.keys(value)) {
			if (FORBIDDEN_KEYS.has(key)) this.refuse('bad-shape', `key ${key}`);
			this.#plain((value as Record<string, unknown>)[key], depth + 1);
		}
	}

	/** Steps over one value of lib0's "Any". Counts need no check: each item takes a byte, so the end comes first. */
	any(depth = 0): void {
		const tag = this.u8();
		switch (tag) {
			case 127: // undefined
			case 126: // null
			case 121: // false
			case 120: // true
				return;
			case 125: {
				// A signed number: up to eight bytes hold every safe integer, more would lose bits silently.
				for (let i = 0; this.u8() >= 128; i++) if (i === 7) this.refuse('malformed', 'integer too long');
				return;
			}
			case 124:
				return this.skip(4);
			case 123:
			case 122:
				return this.skip(8);
			case 119:
				this.string();
				return;
			case 118: {
				if (depth >= this.anyDepth) this.refuse('bad-shape', 'value nested too deep');
				for (let left = this.count(2); left > 0; left--) {
					const key = this.text();
					if (FORBIDDEN_KEYS.has(key)) this.refuse('bad-shape', `key ${key}`);
					this.any(depth + 1);
				}
				return;
			}
			case 117: {
				if (depth >= this.anyDepth) this.refuse('bad-shape', 'value nested too deep');
				for (let left = this.count(1); left > 0; left--) this.any(depth + 1);
				return;
			}
			case 116:
				return this.skip(this.uint());
			default:
				this.refuse('malformed', 'unknown tag of a value');
		}
	}
}
