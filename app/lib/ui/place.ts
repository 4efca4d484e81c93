/** Puts a floating element beside its anchor, flipped and clamped so that it stays inside the window. */

export type Side = 'top' | 'bottom' | 'left' | 'right';
export type Align = 'start' | 'center' | 'end';
export interface Placement {
	side?: Side;
	align?: Align;
	gapPx?: number;
	/** Make the floating element at least as wide as the anchor. */
	matchWidth?: boolean;
}

const EDGE_PX = 8;
const opposite: Record<Side, Side> = { top: 'bottom', bottom: 'top', left: 'right', right: 'left' };

/** The element must be shown and `position: fixed`, or its size is not known. */
export function place(anchor: Element, floating: HTMLElement, placement: Placement = {}): void {
	const { side = 'bottom', align = 'start', gapPx = 4, matchWidth = false } = placement;
	const a = anchor.getBoundingClientRect();
	if (matchWidth) floating.style.minWidth = `${a.width}px`;
	floating.style.maxHeight = '';
	const width = floating.offsetWidth;
	const height = floating.offsetHeight;
	const room: Record<Side, number> = {
		top: a.top - gapPx - EDGE_PX,
		bottom: window.innerHeight - a.bottom - gapPx - EDGE_PX,
		left: a.left - gapPx - EDGE_PX,
		right: window.innerWidth - a.right - gapPx - EDGE_PX
	};
	const upright = side === 'top' || side === 'bottom';
	const need = upright ? height : width;
	const chosen = room[side] < need && room[opposite[side]] > room[side] ? opposite[side] : side;

	let left: number;
	let top: number;
	if (upright) {
		// A list longer than the room scrolls inside itself rather than leave the window.
		if (height > room[chosen]) floating.style.maxHeight = `${Math.max(120, room[chosen])}px`;
		const shown = Math.min(height, Math.max(120, room[chosen]));
		top = chosen === 'bottom' ? a.bottom + gapPx : a.top - gapPx - shown;
		left = align === 'start' ? a.left : align === 'end' ? a.right - width : a.left + (a.width - width) / 2;
	} else {
		left = chosen === 'right' ? a.right + gapPx : a.left - gapPx - width;
		top = align === 'start' ? a.top : align === 'end' ? a.bottom - height : a.top + (a.height - height) / 2;
	}
	left = Math.max(EDGE_PX, Math.min(left, window.innerWidth - width - EDGE_PX));
	top = Math.max(EDGE_PX, Math.min(top, window.innerHeight - Math.min(height, window.innerHeight) - EDGE_PX));
	floating.style.left = `${Math.round(left)}px`;
	floating.style.top = `${Math.round(top)}px`;
}

/** Places now and again whenever the window scrolls or changes size; returns the way to stop. */
export function keepPlaced(anchor: Element, floating: HTMLElement, placement: Placement = {}): () => void {
	const again = (): void => place(anchor, floating, placement);
	again();
	const observer = new ResizeObserver(again);
	observer.observe(floating);
	window.addEventListener('resize', again);
	window.addEventListener('scroll', again, { capture: true, passive: true });
	return () => {
		observer.disconnect();
		window.removeEventListener('resize', again);
		window.removeEventListener('scroll', again, { capture: true });
	};
}
