/**
 * The keyboard of the app: whoever has a key registers it here, and `?` lists what is registered.
 *
 * A key is one stroke ("c", "/", "mod+k", "shift+?") or two in a row ("g t"). Strokes are the letters of the layout in use
 * (`event.key`), so they are where the person's keyboard prints them. While a field has the focus or a dialog is open only strokes with `mod` work.
 * The latest registration of a stroke wins: an open record may take `e` from its list and gives it back.
 */

export interface KeyBinding {
	/** "c", "g t", "mod+k", "?". */
	keys: string;
	/** Asked at showing time, so that it follows the language; without it the key is not listed. */
	label?: () => string;
	/** Heading in the sheet; without it: "This screen". */
	group?: () => string;
	/** Asked before running; false leaves the stroke to others. */
	when?: () => boolean;
	/** Also inside fields and dialogs. */
	everywhere?: boolean;
	run: (event: KeyboardEvent) => void;
}

/** The second stroke of "g t" must come within this time. */
const SEQUENCE_MS = 1_200;

const bindings: KeyBinding[] = [];
let began: { stroke: string; at: number } | undefined;

/** Adds keys; returns the way to take them back: `$effect(() => registerKeys([...]))`. */
export function registerKeys(added: readonly KeyBinding[]): () => void {
	bindings.push(...added);
	return () => {
		for (const binding of added) {
			const at = bindings.indexOf(binding);
			if (at >= 0) bindings.splice(at, 1);
		}
	};
}

/** What the sheet shows, in order of registration. */
export function listedKeys(): readonly KeyBinding[] {
	return bindings.filter((binding) => binding.label !== undefined && (binding.when?.() ?? true));
}

function strokeOf(event: KeyboardEvent): string {
	const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
	const mod = event.ctrlKey || event.metaKey ? 'mod+' : '';
	return `${mod}${event.altKey ? 'alt+' : ''}${key}`;
}

function isTyping(target: EventTarget | null): boolean {
	if (!(target instanceof HTMLElement)) return false;
	if (target.isContentEditable || target.matches('textarea, select')) return true;
	return target.matches('input:not([type=checkbox], [type=radio], [type=button])');
}

/** The one listener of the app, on window; returns whether the stroke was used. */
export function pressKey(event: KeyboardEvent): boolean {
	if (event.defaultPrevented || event.isComposing || event.repeat) return false;
	if (['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return false;
	const stroke = strokeOf(event);
	const busy = isTyping(event.target) || document.querySelector('dialog[open], [popover=auto]:popover-open') !== null;
	const before = began && event.timeStamp - began.at < SEQUENCE_MS ? began.stroke : undefined;
	began = undefined;

	for (const wanted of before === undefined ? [stroke] : [`${before} ${stroke}`, stroke]) {
		for (let i = bindings.length - 1; i >= 0; i--) {
			const binding = bindings[i]!;
			if (binding.keys !== wanted || (busy && !binding.everywhere) || !(binding.when?.() ?? true)) continue;
			event.preventDefault();
			binding.run(event);
			return true;
		}
	}
	if (!busy && bindings.some((binding) => binding.keys.startsWith(`${stroke} `))) began = { stroke, at: event.timeStamp };
	return false;
}
