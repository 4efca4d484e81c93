/** Where the words of a search stand in a text. Pure. */
import { fold } from '#lib/ui/Combobox.svelte';

export interface Part {
	readonly text: string;
	readonly marked: boolean;
}

/** @param words folded; each is marked wherever it stands */
export function markedParts(text: string, words: readonly string[]): Part[] {
	const letters = [...text];
	// Folding may change how long a letter is (ß, ligatures): it is done letter by letter, and each keeps its place.
	const starts: number[] = [];
	let folded = '';
	letters.forEach((letter, i) => {
		const one = fold(letter);
		for (let k = 0; k < one.length; k++) starts.push(i);
		folded += one;
	});
	const isMarked = new Array<boolean>(letters.length).fill(false);
	for (const word of words) {
		if (word === '') continue;
		for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
			for (let i = starts[at]!; i <= starts[at + word.length - 1]!; i++) isMarked[i] = true;
		}
	}
	const parts: Part[] = [];
	letters.forEach((letter, i) => {
		const last = parts.at(-1);
		if (last && last.marked === isMarked[i]) parts[parts.length - 1] = { text: last.text + letter, marked: last.marked };
		else parts.push({ text: letter, marked: isMarked[i]! });
	});
	return parts;
}
