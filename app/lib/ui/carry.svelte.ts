/**
 * Carrying things by the pointer: press and move with the mouse; hold a moment, then move, with a finger (a plain swipe still scrolls).
 * What may be carried has `data-carry`, what may be dropped on has `data-drop`; both are keys that the owner understands.
 * Attach it to an element around both. Near an edge, what scrolls there scrolls along.
 *
 * Promises: nothing is changed here; a drop calls `ondrop` once, a forbidden one `onrefused` with the reason. Offer a keyboard way beside it.
 */
import type { Attachment } from 'svelte/attachments';

export interface CarryOptions<T> {
	/** What an element's `data-carry` stands for; null where it may not be carried. */
	find: (key: string) => T | null;
	/** true, false where nothing can be meant (its own place), or the reason why not. */
	mayDrop: (item: T, target: string) => boolean | string;
	ondrop: (item: T, target: string, how: { readonly also: boolean; readonly touch: boolean }) => void;
	onrefused?: (reason: string) => void;
	/** A finger lifted something and let it go where it was: the wish for a menu, as the right button of a mouse has it. */
	onheld?: (item: T, place: { readonly x: number; readonly y: number }) => void;
	/** The pointer rests on a target: what is folded there opens. */
	onrest?: (target: string) => void;
	/** What moves with the pointer. */
	words: (item: T) => string;
	/** False while there is nothing to carry. */
	when?: () => boolean;
}

/** A press becomes a drag after this way; less is a click. */
const DRAG_PX = 5;
/** A finger trembles by this much and means to stay. */
const TREMBLE_PX = 10;
/** A held finger lifts after this; sooner, moving it scrolls. */
const HOLD_MS = 280;
const REST_MS = 650;
const EDGE_PX = 40;
const SCROLL_PX_PER_FRAME = 12;

type Move =
	| { state: 'idle' }
	| { state: 'pressed'; source: HTMLElement; pointer: number; x: number; y: number; touch: boolean; timer: ReturnType<typeof setTimeout> | undefined }
	| { state: 'carrying'; pointer: number; touch: boolean; x: number; y: number };

export class Carry<T> {
	readonly #options: CarryOptions<T>;
	#move: Move = { state: 'idle' };
	#item = $state.raw<T | null>(null);
	#over = $state.raw<{ target: string; answer: boolean | string } | null>(null);
	/** Shift is down: what is dropped also stays where it was. */
	#also = $state(false);
	#left = $state(false);
	#touch = $state(false);
	#ghost: HTMLElement | undefined;
	#at = { x: 0, y: 0 };
	#frame = 0;
	#restedAt = 0;
	#swallowClick = false;
	/** A finger has just let go of what it carried. */
	#letGo = false;
	#root: HTMLElement | undefined;

	constructor(options: CarryOptions<T>) {
		this.#options = options;
	}

	/** What is being carried. */
	get item(): T | null {
		return this.#item;
	}
	/** Where it would be dropped. */
	get target(): string | null {
		return this.#over?.answer === true ? this.#over.target : null;
	}
	/** Why it may not be dropped where the pointer is. */
	get refusal(): string | null {
		return typeof this.#over?.answer === 'string' ? this.#over.answer : null;
	}
	get also(): boolean {
		return this.#also;
	}
	/** By a finger, which has no Shift. */
	get touch(): boolean {
		return this.#touch;
	}
	/** It was moved away from where it was lifted, and is no mere wish for a menu. */
	get left(): boolean {
		return this.#left;
	}

	readonly attach: Attachment<HTMLElement> = (root) => {
		this.#root = root;
		const onpress = (event: PointerEvent): void => this.#press(event);
		const onmove = (event: PointerEvent): void => this.#travel(event);
		const onup = (event: PointerEvent): void => this.#release(event);
		const oncancel = (): void => this.#cancel();
		const onkey = (event: KeyboardEvent): void => {
			if (this.#move.state !== 'carrying') return;
			this.#also = event.shiftKey;
			if (event.type !== 'keydown' || event.key !== 'Escape') return;
			event.preventDefault();
			event.stopPropagation();
			this.#cancel();
		};
		const onclick = (event: MouseEvent): void => {
			if (!this.#swallowClick) return;
			event.preventDefault();
			event.stopPropagation();
		};
		// A passive listener could not stop the page from scrolling under what is carried.
		const ontouch = (event: TouchEvent): void => {
			if (this.#move.state === 'carrying') event.preventDefault();
		};
		// Letting go is no tap: the browser would press what lies there, some time after.
		const ontouchend = (event: TouchEvent): void => {
			if (this.#letGo && event.cancelable) event.preventDefault();
			this.#letGo = false;
		};
		// A held finger would open the browser's own menu in the moment of lifting.
		const onmenu = (event: Event): void => {
			if (this.#move.state !== 'idle' && this.#move.touch) event.preventDefault();
		};
		root.addEventListener('pointerdown', onpress);
		root.addEventListener('click', onclick, { capture: true });
		root.addEventListener('touchmove', ontouch, { passive: false });
		root.addEventListener('touchend', ontouchend, { passive: false });
		root.addEventListener('contextmenu', onmenu);
		window.addEventListener('pointermove', onmove);
		window.addEventListener('pointerup', onup);
		window.addEventListener('pointercancel', oncancel);
		window.addEventListener('keydown', onkey, { capture: true });
		window.addEventListener('keyup', onkey, { capture: true });
		return () => {
			this.#cancel();
			root.removeEventListener('pointerdown', onpress);
			root.removeEventListener('click', onclick, { capture: true });
			root.removeEventListener('touchmove', ontouch);
			root.removeEventListener('touchend', ontouchend);
			root.removeEventListener('contextmenu', onmenu);
			window.removeEventListener('pointermove', onmove);
			window.removeEventListener('pointerup', onup);
			window.removeEventListener('pointercancel', oncancel);
			window.removeEventListener('keydown', onkey, { capture: true });
			window.removeEventListener('keyup', onkey, { capture: true });
		};
	};

	#press(event: PointerEvent): void {
		if (event.button !== 0 || this.#move.state !== 'idle' || this.#options.when?.() === false) return;
		const pressed = event.target as HTMLElement;
		const source = pressed.closest<HTMLElement>('[data-carry]');
		if (!source) return;
		// A button that is itself the handle may be carried; other controls keep their presses.
		const control = pressed.closest<HTMLElement>('button, a, input, select, textarea, label');
		if (control && source.contains(control) && control !== source && !control.hasAttribute('data-handle')) return;
		const touch = event.pointerType === 'touch';
		this.#letGo = false;
		this.#at = { x: event.clientX, y: event.clientY };
		this.#move = { state: 'pressed', source, pointer: event.pointerId, x: event.clientX, y: event.clientY, touch, timer: touch ? setTimeout(() => this.#begin(), HOLD_MS) : undefined };
	}

	#begin(): void {
		if (this.#move.state !== 'pressed') return;
		const { source, pointer, touch, timer, x, y } = this.#move;
		clearTimeout(timer);
		const item = this.#options.find(source.dataset.carry ?? '');
		if (item === null) return this.#cancel();
		this.#item = item;
		this.#touch = touch;
		this.#move = { state: 'carrying', pointer, touch, x, y };
		const ghost = document.createElement('div');
		ghost.textContent = this.#options.words(item);
		ghost.className = 'atrium-carried';
		ghost.setAttribute('aria-hidden', 'true');
		document.body.append(ghost);
		document.documentElement.style.cursor = 'grabbing';
		getSelection()?.removeAllRanges();
		this.#ghost = ghost;
		if (touch) navigator.vibrate?.(8);
		this.#frame = requestAnimationFrame(() => this.#follow());
	}

	#travel(event: PointerEvent): void {
		if (this.#move.state === 'idle' || event.pointerId !== this.#move.pointer) return;
		this.#at = { x: event.clientX, y: event.clientY };
		this.#also = event.shiftKey;
		if (this.#move.state === 'carrying' && Math.hypot(event.clientX - this.#move.x, event.clientY - this.#move.y) > TREMBLE_PX) this.#left = true;
		if (this.#move.state !== 'pressed' || Math.hypot(event.clientX - this.#move.x, event.clientY - this.#move.y) <= DRAG_PX) return;
		// A finger that moves before its time is scrolling.
		if (this.#move.touch) this.#cancel();
		else this.#begin();
	}

	/** Once per frame: the ghost follows, edges scroll, the target is found. */
	#follow(): void {
		if (this.#move.state !== 'carrying' || !this.#ghost || this.#item === null) return;
		const { x, y } = this.#at;
		this.#ghost.style.transform = `translate(${x + 12}px, ${y + (this.#move.touch ? -44 : 10)}px)`;
		const over = this.#over;
		scrollAlong(this.#look(this.#item), y);
		if (this.#over === over && over !== null && this.#restedAt > 0 && performance.now() - this.#restedAt > REST_MS) {
			this.#restedAt = 0;
			this.#options.onrest?.(over.target);
		}
		this.#frame = requestAnimationFrame(() => this.#follow());
	}

	/** Finds what may be dropped on under the pointer. @returns what lies topmost there */
	#look(item: T): Element | null {
		const under = document.elementFromPoint(this.#at.x, this.#at.y);
		const target = under && this.#root?.contains(under) ? under.closest<HTMLElement>('[data-drop]')?.dataset.drop : undefined;
		if (target !== this.#over?.target) {
			this.#over = target === undefined ? null : { target, answer: this.#options.mayDrop(item, target) };
			this.#restedAt = performance.now();
		}
		return under;
	}

	#release(event: PointerEvent): void {
		if (this.#move.state === 'idle' || event.pointerId !== this.#move.pointer) return;
		if (this.#move.state === 'carrying' && this.#item !== null) {
			// It counts where it is let go: what the last frame saw may lie behind, where the pointer is fast or frames are rare.
			this.#travel(event);
			this.#look(this.#item);
		}
		const [move, item, over, also, left] = [this.#move, this.#item, this.#over, event.shiftKey, this.#left];
		this.#cancel();
		if (move.state !== 'carrying') return;
		this.#letGo = move.touch;
		this.#swallowClick = true;
		setTimeout(() => (this.#swallowClick = false), 0);
		if (item !== null && move.touch && !left && this.#options.onheld) return this.#options.onheld(item, { x: event.clientX, y: event.clientY });
		if (item === null || !over) return;
		if (over.answer === true) this.#options.ondrop(item, over.target, { also, touch: move.touch });
		else if (typeof over.answer === 'string') this.#options.onrefused?.(over.answer);
	}

	#cancel(): void {
		if (this.#move.state === 'pressed') clearTimeout(this.#move.timer);
		cancelAnimationFrame(this.#frame);
		this.#ghost?.remove();
		this.#ghost = undefined;
		if (this.#move.state === 'carrying') document.documentElement.style.cursor = '';
		this.#move = { state: 'idle' };
		this.#item = null;
		this.#over = null;
		this.#also = false;
		this.#left = false;
	}
}

function scrollAlong(under: Element | null, y: number): void {
	for (let at: Element | null = under; at; at = at.parentElement) {
		if (at.scrollHeight <= at.clientHeight + 1) continue;
		const { overflowY } = getComputedStyle(at);
		if (overflowY !== 'auto' && overflowY !== 'scroll') continue;
		const box = at.getBoundingClientRect();
		if (y < box.top + EDGE_PX) at.scrollTop -= SCROLL_PX_PER_FRAME;
		else if (y > box.bottom - EDGE_PX) at.scrollTop += SCROLL_PX_PER_FRAME;
		return;
	}
}
