/**
 * The bytes of files over HTTP; their records are documents like any other. An upload is resumable: a piece says at which offset it goes on, and every
 * answer says where the upload stands. `GET` serves ranges.
 *
 * Promises: not there and not readable are answered alike; only the maker of the record uploads; what is served is a download and nothing that a browser
 * would run: attachment, nosniff, sandbox, and a type from a short list.
 * Leaves to others: what an upload must fulfil (files/uploads.ts).
 */
import { isIdOf, type PersonId } from '#crdt-model/ids.ts';
import { serviceRefusal } from '#crdt-model/access/services.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import { wantedOf, type Received } from '../files/uploads.ts';
import type { Portal } from '../room/portal.ts';
import { members, route, type App, type Services } from './call.ts';
import { problem, refusalProblem } from './problem.ts';

const PATH = '/api/v1/files/{id}';
const PIECE_TYPE = 'application/offset+octet-stream';

export const fileRoutes = {
	download: route({
		method: 'get',
		path: PATH,
		summary: 'The bytes of a file, or a range of them; the maker also learns by `Upload-Offset` how far an upload has come, best by HEAD',
		signedIn: true,
		answer: { status: 200, description: 'The bytes', type: 'application/octet-stream' },
		problems: [404, 409, 416, 503]
	}),
	append: route({
		method: 'patch',
		path: PATH,
		summary: 'A piece of a file that the caller has made, of at most 16 MiB, which goes on at `Upload-Offset`; the last one makes it arrive',
		signedIn: true,
		raw: PIECE_TYPE,
		answer: { status: 204, description: 'Kept; `Upload-Offset` says up to where' },
		problems: [400, 404, 409, 410, 413, 415, 422, 429, 503]
	}),
	upload: route({
		method: 'put',
		path: PATH,
		summary: 'A file that the caller has made, from its beginning, of at most 16 MiB; more follows by PATCH',
		signedIn: true,
		raw: PIECE_TYPE,
		answer: { status: 204, description: 'Kept; `Upload-Offset` says up to where' },
		problems: [404, 409, 410, 413, 415, 422, 429, 503]
	})
};

/** Types that a browser shows without running anything. Everything else is bytes: SVG, HTML and XML can carry scripts. */
const SHOWN_TYPES = /^(image\/(png|jpeg|gif|webp|avif|bmp)|audio\/[a-z0-9.+-]+|video\/[a-z0-9.+-]+|text\/plain|application\/pdf)$/;

export function mountFiles(app: App, services: Services): void {
	const { blobs, uploads } = services;

	members(app, services, fileRoutes.download, async (call, { portal, person }) => {
		const row = await rowOf(portal, person, call.param('id'));
		if (!row) return notThere();
		const off = portal.services.offServiceOf(row);
		if (off) return refusalProblem(serviceRefusal(off));
		const wanted = wantedOf(portal, row);
		// How far an upload has come is its maker's affair.
		const own: Record<string, string> = {};
		if (row.createdBy === person) {
			own['upload-length'] = String(row.size);
			own['upload-offset'] = String(row.arrived ? row.size : await blobs.offsetOf(wanted));
		}
		// No refusal where the maker asks how far it has come, which every upload begins with.
		if (!row.arrived && call.method === 'HEAD' && row.createdBy === person) return new Response(null, { status: 204, headers: own });
		if (!row.arrived) return problem('not-uploaded', { detail: 'the bytes have not come yet', headers: own });
		const headers: Record<string, string> = { ...headersOf(row), ...own };
		if (call.header('if-none-match') === headers['etag']) return new Response(null, { status: 304, headers });
		const range = rangeOf(call.header('range'), call.header('if-range'), row);
		if (range === 'unfit') return problem('no-such-range', { headers: { 'content-range': `bytes */${row.size}` } });
		const [from, to] = range ?? [0, row.size];
		if (call.method === 'HEAD') return (await blobs.has(wanted)) ? new Response(null, { headers: { ...headers, 'content-length': String(row.size) } }) : missing();
		const body = await blobs.read(wanted, from, to);
		if (!body) return missing();
		headers['content-length'] = String(to - from);
		if (range) headers['content-range'] = `bytes ${from}-${to - 1}/${row.size}`;
		return new Response(body, { status: range ? 206 : 200, headers });
	});

	members(app, services, fileRoutes.append, async (call, { portal, person }) => {
		const offset = /^\d{1,15}$/.test(call.header('upload-offset') ?? '') ? Number(call.header('upload-offset')) : null;
		if (offset === null) return problem('malformed', { detail: 'Upload-Offset says where the piece goes on' });
		return receive(portal, person, call.param('id'), call.header('content-type'), { offset, body: call.stream });
	});
	members(app, services, fileRoutes.upload, async (call, { portal, person }) =>
		receive(portal, person, call.param('id'), call.header('content-type'), { offset: 'restart', body: call.stream })
	);

	async function receive(portal: Portal, person: PersonId, id: string, type: string | undefined, piece: Parameters<typeof uploads.receive>[3]): Promise<Response> {
		// A type that no form of another site can send without asking first.
		if (type !== PIECE_TYPE) return problem('not-bytes', { detail: `content-type must be ${PIECE_TYPE}` });
		const row = await rowOf(portal, person, id);
		if (!row) return notThere();
		const off = portal.services.offServiceOf(row);
		if (off) return refusalProblem(serviceRefusal(off));
		if (row.createdBy !== person) return problem('denied', { detail: 'only who made the record brings its bytes', extra: { rule: 'file.maker-uploads', who: [`user:${row.createdBy}`] } });
		return answerOf(await uploads.receive(portal, person, row, piece));
	}
}

function answerOf(received: Received): Response {
	switch (received.kind) {
		case 'received':
			return new Response(null, { status: 204, headers: { 'upload-offset': String(received.offset), 'upload-complete': received.complete ? '?1' : '?0' } });
		case 'elsewhere':
			return problem('offset-mismatch', { detail: 'the upload stands elsewhere', headers: { 'upload-offset': String(received.offset) } });
		case 'too-long':
			return problem('too-large', { detail: 'more bytes than the record says', headers: { 'upload-offset': String(received.offset) } });
		case 'broke-off':
			return problem('malformed', { detail: 'the piece broke off', headers: { 'upload-offset': String(received.offset) } });
		case 'other-bytes':
			return problem('bad-value', { detail: 'the bytes do not have the digest that the record says', headers: { 'upload-offset': '0' } });
		case 'busy':
			return problem('being-uploaded', { headers: { 'retry-after': '1' } });
		case 'too-much':
			return problem('too-much', { headers: { 'retry-after': '1' } });
		case 'disk-full':
			return problem('unavailable', { detail: 'the relay’s disk is full', headers: { 'retry-after': '60' } });
		case 'refused':
			return refusalProblem(received.refusal);
	}
}

async function rowOf(portal: Portal, person: PersonId, id: string): Promise<FileRow | null> {
	if (!isIdOf('file', id)) return null;
	return ((await portal.read(person, id))?.row as FileRow | undefined) ?? null;
}

const notThere = (): Response => problem('not-found', { detail: 'not there, or not readable' });
/** A log that was restored without its files. */
const missing = (): Response => problem('unavailable', { detail: 'the bytes are not on the relay’s disk', headers: { 'retry-after': '60' } });

function headersOf({ name, mime, digest }: FileRow): Record<string, string> {
	return {
		'content-type': SHOWN_TYPES.test(mime) ? (mime === 'text/plain' ? 'text/plain; charset=utf-8' : mime) : 'application/octet-stream',
		'content-disposition': `attachment; filename*=UTF-8''${encoded(name)}`,
		'content-security-policy': "default-src 'none'; sandbox",
		'cross-origin-resource-policy': 'same-origin',
		'accept-ranges': 'bytes',
		etag: `"${digest}"`
	};
}

/** RFC 5987: what `encodeURIComponent` leaves and the header does not take is encoded as well. */
function encoded(name: string): string {
	return encodeURIComponent(name.replace(/[\p{Cc}/\\]+/gu, ' ')).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** One range of bytes. Several, and other units, are answered whole, as the standard lets us. */
function rangeOf(range: string | undefined, ifRange: string | undefined, { size, digest }: FileRow): [from: number, to: number] | null | 'unfit' {
	if (!range || (ifRange !== undefined && ifRange !== `"${digest}"`)) return null;
	const parts = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range);
	if (!parts || (parts[1] === '' && parts[2] === '')) return null;
	const [, first, last] = parts as unknown as [string, string, string];
	const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
	const to = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
	return from < to ? [from, to] : 'unfit';
}
