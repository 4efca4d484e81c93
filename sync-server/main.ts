// The relay's process: configuration, wiring, drain. For now it serves the built app and its health.

import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { loadUws } from './socket/uws.ts';

const host = process.env.HOST ?? '127.0.0.1';
const port = Number(process.env.PORT ?? 8420);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
	console.error(`atrium: PORT is ${process.env.PORT}, which is no port number.`);
	process.exit(1);
}

const folder = join(import.meta.dirname, '..', 'build');
const types: Record<string, string> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.json': 'application/json',
	'.svg': 'image/svg+xml',
	'.png': 'image/png'
};

async function fileFor(path: string): Promise<{ readonly body: Buffer; readonly type: string }> {
	const inside = normalize(decodeURIComponent(path)).replace(/^(\.\.[/\\])+/, '');
	const wanted = extname(inside) === '' ? 'index.html' : inside;
	return { body: await readFile(join(folder, wanted)), type: types[extname(wanted)] ?? 'application/octet-stream' };
}

const uws = await loadUws();
const app = uws.App();
app.get('/healthz', (response) => void response.end('ok'));
app.get('/*', (response, request) => {
	const path = request.getUrl();
	let isGone = false;
	response.onAborted(() => (isGone = true));
	fileFor(path).then(
		({ body, type }) => {
			if (!isGone) response.cork(() => response.writeHeader('content-type', type).end(body));
		},
		() => {
			if (!isGone) response.cork(() => response.writeStatus('404 Not Found').end('Not found'));
		}
	);
});

app.listen(host, port, (token) => {
	if (!token) {
		console.error(`atrium: ${host}:${port} cannot be listened on; is another relay running there?`);
		process.exit(1);
	}
	console.log(`Atrium: http://${host}:${uws.us_socket_local_port(token)}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.on(signal, () => {
		app.close();
		process.exit(0);
	});
}
