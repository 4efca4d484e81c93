/**
 * A finger that rests asks for the menu, as the right button of a mouse does. Android says so itself by `contextmenu`; where a browser does not, this
 * waits for it. Whoever moves sooner is scrolling. Both answer when finger or button let go: what opens before is closed by the letting go.
 */
import type { Attachment } from 'svelte/attachments';

const HOLD_MS = 500;
const MOVED_PX = 10;

/** Runs once the pointer that asked for a menu is up; at once, where it is up already or a key asked. */
export function whenReleased(event: MouseEvent, run: () => void): void {
	if (event.buttons === 0) run();
	else window.addEventListener('pointerup', () => setTimeout(run), { once: true });
}

/** @param onhold is told where, once the finger let go; the press that follows is swallowed */
export function longPress(onhold: (at: { x: number; y: number }) => void): Attachment<HTMLElement> {
	return (node) => {
		let timer: ReturnType<typeof setTimeout> | undefined;
		let start: { x: number; y: number } | null = null;
		let held = false;
		let place: { x: number; y: number } | null = null;
		const stop = (): void => {
			clearTimeout(timer);
			start = null;
		};
		const up = (): void => {
			stop();
			const at = place;
			place = null;
			if (at) setTimeout(() => onhold(at));
		};
		const cancel = (): void => {
			stop();
			place = null;
			held = false;
		};
		const down = (event: PointerEvent): void => {
			held = false;
			place = null;
			if (event.pointerType !== 'touch' || !event.isPrimary) return;
			const at = (start = { x: event.clientX, y: event.clientY });
			timer = setTimeout(() => {
				held = true;
				stop();
				place = at;
				navigator.vibrate?.(8);
			}, HOLD_MS);
		};
		const move = (event: PointerEvent): void => {
			if (start && Math.hypot(event.clientX - start.x, event.clientY - start.y) > MOVED_PX) stop();
		};
		const click = (event: MouseEvent): void => {
			if (!held) return;
			held = false;
			event.preventDefault();
			event.stopPropagation();
		};
		// The same wish, told by the browser: it is not answered twice.
		const menu = (event: Event): void => {
			if (held || start) event.preventDefault();
		};
		node.addEventListener('pointerdown', down);
		node.addEventListener('pointermove', move);
		node.addEventListener('pointerup', up);
		node.addEventListener('pointercancel', cancel);
		node.addEventListener('click', click, { capture: true });
		node.addEventListener('contextmenu', menu);
		return () => {
			stop();
			node.removeEventListener('pointerdown', down);
			node.removeEventListener('pointermove', move);
			node.removeEventListener('pointerup', up);
			node.removeEventListener('pointercancel', cancel);
			node.removeEventListener('click', click, { capture: true });
			node.removeEventListener('contextmenu', menu);
		};
	};
}
