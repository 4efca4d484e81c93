/**
 * Addresses as people paste them, and what can be said of each before anything is sent. Pure; the relay has the last word.
 */

export type AddressVerdict = 'fine' | 'nonsense' | 'repeated' | 'member' | 'left' | 'invited';

export interface TypedAddress {
	/** As typed, cut out of what stood around it. */
	readonly typed: string;
	/** Lower case, without a name; empty where it is no address. */
	readonly email: string;
	readonly verdict: AddressVerdict;
}

export interface Known {
	/** By address in lower case: who works here, and who was dismissed. */
	readonly people: ReadonlyMap<string, 'member' | 'left'>;
	/** Addresses with an open invitation; a new letter takes the place of the older one. */
	readonly invited: ReadonlySet<string>;
}

/** As the relay reads them: no quoted local parts, which hardly a server accepts; letters of all alphabets in a domain. */
const EMAIL = /^[a-z0-9_+&'-]+(\.[a-z0-9_+&'-]+)*@([\p{L}\p{N}]([\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+\p{L}[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}]$/u;
/** The longest that an address can be. */
const MAX_LENGTH = 254;

/**
 * Newlines, commas, semicolons and tabs part addresses; `Ana Pop <ana@firma.ro>`, as mail programs copy it, is one. Words between addresses that are none of
 * these are nonsense and are shown as such: nothing that was typed disappears.
 */
export function readAddresses(text: string, known: Known): TypedAddress[] {
	const out: TypedAddress[] = [];
	const seen = new Set<string>();
	const add = (typed: string): void => {
		const email = typed.replace(/^mailto:/i, '').toLowerCase();
		if (email.length > MAX_LENGTH || !EMAIL.test(email)) return void out.push({ typed, email: '', verdict: 'nonsense' });
		const verdict = seen.has(email) ? 'repeated' : (known.people.get(email) ?? (known.invited.has(email) ? 'invited' : 'fine'));
		seen.add(email);
		out.push({ typed, email, verdict });
	};
	for (const part of parts(text)) {
		const inBrackets = [...part.matchAll(/<([^<>]*)>/gu)];
		if (inBrackets.length > 0) for (const [, one] of inBrackets) add(one!.trim());
		// Several with nothing but blanks between them; one word among them that is none is shown as typed.
		else if (part.includes('@')) for (const word of part.split(/\s+/u)) add(word);
		else add(part);
	}
	return out;
}

/** A comma inside quotes belongs to a name: `"Pop, Ana" <ana@firma.ro>`. */
function parts(text: string): string[] {
	const out: string[] = [];
	let part = '';
	let quoted = false;
	for (const letter of text) {
		if (letter === '"') quoted = !quoted;
		if (letter === '\n' || letter === '\r' || letter === '\t' || letter === ';' || (letter === ',' && !quoted)) {
			// A quote that nobody closed ends with its line.
			quoted = false;
			out.push(part);
			part = '';
		} else part += letter;
	}
	out.push(part);
	return out.map((one) => one.trim()).filter(Boolean);
}

/** Whether a letter goes there: `invited` gets a new one. */
export const isSent = ({ verdict }: TypedAddress): boolean => verdict === 'fine' || verdict === 'invited';
