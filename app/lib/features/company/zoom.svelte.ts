/** How near the tree of departments stands: many names at a glance, or fewer with who heads them. Kept on this device. */

export const ZOOMS = ['compact', 'normal', 'wide'] as const;
export type ZoomLevel = (typeof ZOOMS)[number];

const KEY = 'atrium.structure.zoom';
const ROW_PX: Readonly<Record<ZoomLevel, number>> = { compact: 26, normal: 34, wide: 52 };
/** A finger's target is never smaller than 44. */
const TOUCH_ROW_PX: Readonly<Record<ZoomLevel, number>> = { compact: 44, normal: 46, wide: 60 };
/** A wheel turns in notches of about 100; a pinch on a touchpad comes as many small ones. */
const NOTCH = 60;
/** After this a turn begins anew. */
const TURN_MS = 300;

export class Zoom {
	#level = $state<ZoomLevel>(kept());
	#turned = 0;
	#turnedAt = 0;

	get level(): ZoomLevel {
		return this.#level;
	}
	get rowPx(): number {
		return ROW_PX[this.#level];
	}
	get touchRowPx(): number {
		return TOUCH_ROW_PX[this.#level];
	}

	to(level: ZoomLevel): void {
		this.#level = level;
		try {
			localStorage.setItem(KEY, level);
		} catch {
			// Storage is forbidden: it holds for this visit.
		}
	}
	by(steps: number): void {
		const at = Math.max(0, Math.min(ZOOMS.length - 1, ZOOMS.indexOf(this.#level) + steps));
		if (ZOOMS[at] !== this.#level) this.to(ZOOMS[at]!);
	}
	/** @param atMs the event's own time */
	wheel(deltaY: number, atMs: number): void {
		if (atMs - this.#turnedAt > TURN_MS || Math.sign(deltaY) !== Math.sign(this.#turned)) this.#turned = 0;
		this.#turnedAt = atMs;
		this.#turned += deltaY;
		if (Math.abs(this.#turned) < NOTCH) return;
		this.by(this.#turned > 0 ? -1 : 1);
		this.#turned = 0;
	}
}

function kept(): ZoomLevel {
	try {
		const level = localStorage.getItem(KEY);
		return ZOOMS.find((one) => one === level) ?? 'normal';
	} catch {
		return 'normal';
	}
}
