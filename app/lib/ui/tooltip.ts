/**
 * A tooltip as an attachment: `<button {@attach tooltip('Close', 'Esc')}>`.
 *
 * One element serves the whole app. It is decoration: the control must have its own accessible name,
 * so it is hidden from assistive technology. It appears after a short rest of the mouse or on keyboard focus,
 * and never on touch.
 */
import type { Attachment } from 'svelte/attachments';
import { place, type Placement } from './place.ts';

const REST_MS = 350;
let shared: HTMLElement | undefined;
let shownFor: Element | undefined;

function bubble(): HTMLElement {
	if (shared) return shared;
	shared = document.createElement('div');
	shared.className = 'atrium-tooltip';
	shared.setAttribute('popover', 'manual');
	shared.setAttribute('aria-hidden', 'true');
	document.body.append(shared);
	return shared;
}

function hide(): void {
	if (!shared || !shownFor) return;
	shownFor = undefined;
	if (shared.matches(':popover-open')) shared.hidePopover();
}

export function tooltip(text: string | undefined, keys?: string, placement: Placement = {}): Attachment<HTMLElement> {
	return (node) => {
		if (!text) return;
		let timer: ReturnType<typeof setTimeout> | undefined;
		const show = (): void => {
			if (!node.isConnected) return;
			const b = bubble();
			b.replaceChildren(text);
			if (keys) {
				const k = document.createElement('kbd');
				k.textContent = keys;
				b.append(k);
			}
			shownFor = node;
			if (!b.matches(':popover-open')) b.showPopover();
			place(node, b, { side: 'bottom', align: 'center', gapPx: 6, ...placement });
		};
		const enter = (event: PointerEvent): void => {
			if (event.pointerType === 'touch') return;
			clearTimeout(timer);
			timer = setTimeout(show, REST_MS);
		};
		const leave = (): void => {
			clearTimeout(timer);
			if (shownFor === node) hide();
		};
		const focus = (): void => {
			if (node.matches(':focus-visible')) show();
		};
		const key = (event: KeyboardEvent): void => {
			if (event.key === 'Escape') leave();
		};
		node.addEventListener('pointerenter', enter);
		node.addEventListener('pointerleave', leave);
		node.addEventListener('pointerdown', leave);
		node.addEventListener('focus', focus);
		node.addEventListener('blur', leave);
		node.addEventListener('keydown', key);
		return () => {
			leave();
			node.removeEventListener('pointerenter', enter);
			node.removeEventListener('pointerleave', leave);
			node.removeEventListener('pointerdown', leave);
			node.removeEventListener('focus', focus);
			node.removeEventListener('blur', leave);
			node.removeEventListener('keydown', key);
		};
	};
}
