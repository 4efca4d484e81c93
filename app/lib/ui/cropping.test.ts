// The square never leaves the picture, and what is under the fingers stays there.
import { expect, test } from 'vitest';
import { centred, clamped, MAX_ZOOM, moved, sideOf, zoomed } from './cropping.ts';

const wide = { width: 1200, height: 800 };

function isInside(cut: { x: number; y: number; zoom: number }): boolean {
	const half = sideOf(wide, cut.zoom) / 2;
	return cut.x - half >= -1e-6 && cut.x + half <= wide.width + 1e-6 && cut.y - half >= -1e-6 && cut.y + half <= wide.height + 1e-6;
}

test('it begins in the middle, as large as it can be', () => {
	expect(centred(wide)).toEqual({ x: 600, y: 400, zoom: 1 });
	expect(sideOf(wide, 1)).toBe(800);
});

test('moving stops at the edges', () => {
	expect(moved(wide, centred(wide), 10, 10)).toEqual({ x: 400, y: 400, zoom: 1 });
	expect(moved(wide, centred(wide), -10, 0)).toEqual({ x: 800, y: 400, zoom: 1 });
	const close = zoomed(wide, centred(wide), 2);
	expect(moved(wide, close, 0.5, -0.25)).toEqual({ x: 400, y: 500, zoom: 2 });
});

test('enlarging keeps the point under the fingers, and ends at its bounds', () => {
	const at = { x: 0.25, y: -0.25 };
	const before = centred(wide);
	const after = zoomed(wide, before, 2, at);
	const point = (cut: typeof before) => [cut.x + at.x * sideOf(wide, cut.zoom), cut.y + at.y * sideOf(wide, cut.zoom)];
	expect(point(after)).toEqual(point(before));
	expect(zoomed(wide, before, 99).zoom).toBe(MAX_ZOOM);
	expect(zoomed(wide, after, 0.1)).toEqual({ x: expect.any(Number), y: 400, zoom: 1 });
});

test('wherever it is pushed, it is inside', () => {
	for (let x = -2000; x <= 2000; x += 250) {
		for (let y = -2000; y <= 2000; y += 250) for (const zoom of [0.5, 1, 1.7, 4, 9]) expect(isInside(clamped(wide, { x, y, zoom })), `${x} ${y} ${zoom}`).toBe(true);
	}
});
