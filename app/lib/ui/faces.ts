/**
 * Where avatars get pictures and presence from, by their seed. The frame provides it once; without it every avatar shows initials, as in a test or before anybody
 * has signed in. Call `getFaces` while a component is set up; its answers are read in markup or `$derived`.
 */
import { getContext, setContext } from 'svelte';

export interface Faces {
	/** Names the picture of a seed; null where there is none. */
	faceOf(seed: string): string | null;
	/** The address of a named picture, once its bytes are here. */
	srcOf(face: string): string | undefined;
	/** Something shows the picture: its bytes are wanted. @returns how to let go */
	hold(face: string): () => void;
	/** Null where nobody can say. */
	isOnline(seed: string): boolean | null;
}

const KEY = Symbol('faces');

export function provideFaces(faces: Faces): void {
	setContext(KEY, faces);
}
export function getFaces(): Faces | undefined {
	return getContext<Faces | undefined>(KEY);
}
