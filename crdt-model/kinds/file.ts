/** Files: what is known of a blob that lies beside the log. The bytes are named by their digest and never change; another version is another file. */
import * as v from 'valibot';
import { command, defineKind, type BaseRow, type Effect } from '../record/kind.ts';
import { commonFields, count, deleteAndRestore, field, given, setter, title } from '../record/parts.ts';
import { valueAt } from '../record/state.ts';
import { grantCommands, grantMap, grantsOf, placedPrincipals, type Grants } from './grants.ts';

/** `company`: every employee's. `mine`: its maker's and the administrators'. `face`: what is shown of a person or of the company, to every employee. */
export const FILE_PLACES = ['company', 'mine', 'face'] as const;
export type FilePlace = (typeof FILE_PLACES)[number];

export interface FileRow extends BaseRow {
	readonly kind: 'file';
	readonly name: string;
	/** In bytes. */
	readonly size: number;
	/** `image/png`. */
	readonly mime: string;
	/** SHA-256 of the bytes, in hexadecimal. */
	readonly digest: string;
	readonly place: FilePlace;
	readonly grants: Grants;
	/** Whether the relay holds the bytes: said by the relay alone, after it has checked them and they are on disk. */
	readonly arrived: boolean;
}

/** A browser reads a file into one buffer to take its digest, and those end here. */
export const MAX_FILE_BYTES = 2_147_483_647;

/** In bytes. A face is shown small, and on every screen. */
export const MAX_FACE_BYTES = 256 * 1024;
/** What every browser shows and no script hides in. */
export const FACE_TYPES = ['image/webp', 'image/png', 'image/jpeg'] as const;
const isFaceType = (mime: string): boolean => (FACE_TYPES as readonly string[]).includes(mime);

const size = v.pipe(count, v.maxValue(MAX_FILE_BYTES));

const mime = v.pipe(v.string(), v.maxLength(127), v.regex(/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/));
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const place = v.picklist(FILE_PLACES);
/** A face stays one, and no document becomes one. */
const ownPlace = v.picklist(['company', 'mine']);

export const file = defineKind<FileRow>({
	kind: 'file',
	rowVersion: 2,
	fields: { ...commonFields, name: field(title), size: field(size), mime: field(mime), digest: field(digest), place: field(place), arrived: field(v.literal(true)) },
	sets: {},
	maps: grantMap,
	lists: {},
	commands: {
		create: command(
			v.pipe(
				v.strictObject({ name: title, size, mime, digest, place: v.optional(place) }),
				v.check((args) => args.place !== 'face' || (args.size <= MAX_FACE_BYTES && isFaceType(args.mime)), `a face is a picture of at most ${MAX_FACE_BYTES} bytes`)
			),
			(_state, args): Effect[] => [['created', true], ['place', args.place ?? 'mine'], ...given(args, ['name', 'size', 'mime', 'digest'])],
			'new'
		),
		/** The relay's own word (SPEC A4). */
		arrive: command(v.strictObject({}), () => [['arrived', true]]),
		setName: setter('name', title),
		setPlace: setter('place', ownPlace),
		...grantCommands,
		...deleteAndRestore
	},
	row: (base, state): FileRow => ({
		...base,
		kind: 'file',
		name: valueAt(state, 'name') as string,
		size: valueAt(state, 'size') as number,
		mime: valueAt(state, 'mime') as string,
		digest: valueAt(state, 'digest') as string,
		place: valueAt(state, 'place') as FilePlace,
		grants: grantsOf(state),
		arrived: valueAt(state, 'arrived') === true
	}),
	audience: (row) => (row.place === 'face' ? ['all', `user:${row.createdBy}`] : placedPrincipals(row))
});
