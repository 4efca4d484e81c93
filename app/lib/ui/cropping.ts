/**
 * The square that is cut out of a picture, and its bytes.
 *
 * Promises: whatever is moved or enlarged, the square lies wholly inside the picture; the point under the fingers stays under them. Pure but for `cutOut`.
 */

export interface Size {
	readonly width: number;
	readonly height: number;
}
/** Middle of the square in pixels of the picture; `zoom` 1 is the largest square that there is. */
export interface Cut {
	readonly x: number;
	readonly y: number;
	readonly zoom: number;
}

/** Four times closer than whole: beyond it a usual photo has no pixels to show. */
export const MAX_ZOOM = 4;

export const sideOf = ({ width, height }: Size, zoom: number): number => Math.min(width, height) / zoom;

export function centred({ width, height }: Size): Cut {
	return { x: width / 2, y: height / 2, zoom: 1 };
}

export function clamped(picture: Size, { x, y, zoom }: Cut): Cut {
	const fitting = Math.min(MAX_ZOOM, Math.max(1, zoom));
	const half = sideOf(picture, fitting) / 2;
	const between = (value: number, most: number): number => Math.min(most - half, Math.max(half, value));
	return { x: between(x, picture.width), y: between(y, picture.height), zoom: fitting };
}

/** @param dx as a share of the square's side: 0.1 moves the picture a tenth of the view to the right */
export function moved(picture: Size, cut: Cut, dx: number, dy: number): Cut {
	const side = sideOf(picture, cut.zoom);
	return clamped(picture, { ...cut, x: cut.x - dx * side, y: cut.y - dy * side });
}

/** @param at the point that stays where it is, as shares of the view from its middle (-0.5 … 0.5) */
export function zoomed(picture: Size, cut: Cut, zoom: number, at: { readonly x: number; readonly y: number } = { x: 0, y: 0 }): Cut {
	const to = Math.min(MAX_ZOOM, Math.max(1, zoom));
	const shrink = sideOf(picture, cut.zoom) - sideOf(picture, to);
	return clamped(picture, { x: cut.x + at.x * shrink, y: cut.y + at.y * shrink, zoom: to });
}

/** Tried in turn until the bytes fit. */
const QUALITIES = [0.9, 0.8, 0.65, 0.5, 0.3] as const;

/**
 * The square as WebP of `pixels` × `pixels`; as JPEG where the browser writes no WebP.
 * @returns null where the browser cannot, or where nothing fits into `mostBytes`
 */
export async function cutOut(picture: CanvasImageSource, size: Size, cut: Cut, { pixels, mostBytes }: { pixels: number; mostBytes: number }): Promise<Blob | null> {
	const canvas = document.createElement('canvas');
	canvas.width = canvas.height = pixels;
	const context = canvas.getContext('2d');
	if (!context) return null;
	const side = sideOf(size, cut.zoom);
	const draw = (): void => {
		context.imageSmoothingQuality = 'high';
		context.drawImage(picture, cut.x - side / 2, cut.y - side / 2, side, side, 0, 0, pixels, pixels);
	};
	draw();
	const written = (type: string, quality: number): Promise<Blob | null> => new Promise((done) => canvas.toBlob(done, type, quality));
	// Asked for what it cannot write, a browser writes PNG.
	const type = (await written('image/webp', 0.5))?.type === 'image/webp' ? 'image/webp' : 'image/jpeg';
	if (type === 'image/jpeg') {
		// What shines through would come out black.
		context.fillStyle = '#ffffff';
		context.fillRect(0, 0, pixels, pixels);
		draw();
	}
	for (const quality of QUALITIES) {
		const bytes = await written(type, quality);
		if (bytes && bytes.size <= mostBytes) return bytes;
	}
	return null;
}
