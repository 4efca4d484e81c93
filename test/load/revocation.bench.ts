/**
 * How long after "sign out everywhere" the last of a person's connections is closed, and the last token refused; in all their portals. The promise that is held to is one second.
 * Reports, asserts nothing: that everything ends is a test (rest/strangers.test.ts).
 */
import WebSocket from 'ws';
import { PASSWORD, type SignedIn, TestRelay } from '../support/relay.ts';
import { table } from './report.ts';

const SIGN_INS = 100;
const SOCKETS_EACH = 10;

const relay = await TestRelay.start();
try {
	const ana = await relay.register();
	const signIn = async () => (await relay.api<SignedIn>('POST', '/sessions', { email: 'ana@acme.example', password: PASSWORD })).body;
	const signIns: SignedIn[] = [];
	for (let made = 0; made < SIGN_INS; made++) signIns.push(await signIn());
	const closings: Promise<number>[] = [];
	for (const { token } of signIns) {
		const opened = Array.from({ length: SOCKETS_EACH }, () => {
			const socket = new WebSocket(`${relay.socketUrl}/sync`, { headers: { authorization: `Bearer ${token}` } });
			closings.push(new Promise((resolve) => socket.on('close', () => resolve(performance.now()))));
			return new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
		});
		await Promise.all(opened);
	}
	const began = performance.now();
	const ended = await relay.api<{ ended: number }>('DELETE', '/sessions?all=true', undefined, ana.token);
	const answered = performance.now();
	const last = Math.max(...(await Promise.all(closings)));
	const statuses = await Promise.all(signIns.map(async ({ token }) => (await relay.api('GET', '/me', undefined, token)).status));
	table('Signing out everywhere', [
		['sign-ins ended', String(ended.body.ended)],
		['answered after, ms', (answered - began).toFixed(0)],
		[`the last of ${SIGN_INS * SOCKETS_EACH} connections closed after, ms`, (last - began).toFixed(0)],
		['tokens that were good for anything afterwards', String(statuses.filter((status) => status !== 401).length)]
	]);
} finally {
	await relay.remove();
}
