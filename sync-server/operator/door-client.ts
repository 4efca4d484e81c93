/**
 * Asks a running relay at its operator's door. Says `absent` where none answers there, so that the caller can do without it.
 * No time limit: a command takes as long as it takes, and a relay that dies closes the connection.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { readOperatorNote, type OperatorNote } from '../ops/operator.ts';
import { Problem } from './problem.ts';

export type DoorAnswer = { readonly from: 'relay'; readonly result: unknown } | { readonly from: 'absent' };

/** An answer is a list of people and a summary. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export async function askRelay(dataDir: string, command: string, args: unknown): Promise<DoorAnswer> {
	let note: OperatorNote | null;
	try {
		note = readOperatorNote(dataDir);
	} catch (error) {
		throw new Problem(`operator.json in ${dataDir} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): run this as the relay's own user.`);
	}
	if (note === null) return { from: 'absent' };
	const answer = await post(note, command, JSON.stringify(args));
	// A relay that was killed leaves its note, and something else may listen there by now.
	if (answer === null || answer.status === 404) return { from: 'absent' };
	let body: unknown;
	try {
		body = JSON.parse(answer.body);
	} catch {
		return { from: 'absent' };
	}
	if (answer.status !== 200) throw new Problem(`The relay failed at ${command} (status ${answer.status}): its log says why.`);
	return { from: 'relay', result: (body as { result?: unknown }).result };
}

/** Null where nobody listens. */
function post({ address, token }: OperatorNote, command: string, body: string): Promise<{ status: number; body: string } | null> {
	const url = new URL(`/api/operator/${command}`, address);
	const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
	const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
	return new Promise((resolve, reject) => {
		// The certificate is made out to the public name, and this is the same machine by its loopback address.
		const sent = request(url, { method: 'POST', headers, agent: false, rejectUnauthorized: false }, (response) => {
			const parts: Buffer[] = [];
			let size = 0;
			response.on('data', (part: Buffer) => {
				size += part.byteLength;
				if (size > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'));
				else parts.push(part);
			});
			response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }));
			response.on('error', broken);
		});
		const broken = (error: Error) => reject(new Problem(`The relay broke off at ${command} (${(error as NodeJS.ErrnoException).code ?? error.message}): its log says why.`));
		sent.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? resolve(null) : broken(error)));
		sent.end(body);
	});
}
