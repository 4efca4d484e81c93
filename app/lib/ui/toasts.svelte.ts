/**
 * Short notices at the foot of the screen. One with Undo stays long enough to be read and reached;
 * at most three are shown, the oldest gives way. Hovering or focusing keeps them all.
 */
import { untrack } from 'svelte';

export type ToastTone = 'plain' | 'good' | 'bad';
export interface ToastAction {
	label: string;
	run: () => void;
}
export interface Toast {
	id: number;
	text: string;
	tone: ToastTone;
	action: ToastAction | undefined;
}
export interface ToastOptions {
	tone?: ToastTone;
	action?: ToastAction;
	stayMs?: number;
}

const MOST_SHOWN = 3;
const PLAIN_MS = 4_000;
const ACTION_MS = 8_000;

class Toasts {
	#shown = $state<Toast[]>([]);
	#timers = new Map<number, ReturnType<typeof setTimeout>>();
	#stayMs = new Map<number, number>();
	#next = 1;

	get shown(): readonly Toast[] {
		return this.#shown;
	}

	show(text: string, { tone = 'plain', action, stayMs }: ToastOptions = {}): number {
		const id = this.#next++;
		// An effect that tells something would run again by what it told.
		untrack(() => {
			this.#shown.push({ id, text, tone, action });
			while (this.#shown.length > MOST_SHOWN) this.dismiss(this.#shown[0]!.id);
		});
		this.#stayMs.set(id, stayMs ?? (action ? ACTION_MS : PLAIN_MS));
		this.#count(id);
		return id;
	}

	dismiss(id: number): void {
		clearTimeout(this.#timers.get(id));
		this.#timers.delete(id);
		this.#stayMs.delete(id);
		this.#shown = this.#shown.filter((toast) => toast.id !== id);
	}

	hold(): void {
		for (const timer of this.#timers.values()) clearTimeout(timer);
		this.#timers.clear();
	}

	release(): void {
		for (const toast of this.#shown) this.#count(toast.id);
	}

	#count(id: number): void {
		clearTimeout(this.#timers.get(id));
		this.#timers.set(
			id,
			setTimeout(() => this.dismiss(id), this.#stayMs.get(id) ?? PLAIN_MS)
		);
	}
}

export const toasts = new Toasts();
