/**
 * The one thread in which SQLite works, so that the disk never blocks the relay's event loop. Requests are answered in the order in which they
 * came. A failed request is answered with its sentence; anything that is thrown outside of a request ends the thread, and
 * relay-store.ts tells every caller.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Packer, type FlatCommit } from './flat.ts';
import { OpenDatabases } from './open-databases.ts';
import type { Reply, Request, WorkerSettings } from './messages.ts';

const IDLE_SWEEP_MS = 60_000;

const port = parentPort!;
const { folder, maxOpenDatabases } = workerData as WorkerSettings;
const databases = new OpenDatabases(folder, maxOpenDatabases);
const sweep = setInterval(() => databases.closeIdle(performance.now()), IDLE_SWEEP_MS);

port.on('message', (request: Request) => {
	const out = new Packer();
	let reply: Reply;
	try {
		const value = answer(request, out);
		reply = { id: request.id, ok: true, value, packed: out.packed() };
	} catch (error) {
		reply = { id: request.id, ok: false, problem: error instanceof Error ? error.message : String(error) };
	}
	port.postMessage(reply, reply.ok ? [reply.packed.buffer] : []);
	if (request.op === 'closeAll') {
		clearInterval(sweep);
		port.close();
	}
});

function answer(request: Request, out: Packer): unknown {
	switch (request.op) {
		case 'closeAll':
			return databases.closeAll();
		case 'release':
			return databases.close(request.portal);
		case 'open':
			return databases.use(request.portal, performance.now(), () => null);
		case 'commit':
			return databases.use(request.portal, performance.now(), (database) => {
				database.commit(request.input as FlatCommit, request.packed!);
			});
		default: {
			const { op } = request;
			return databases.use(request.portal, performance.now(), (database) =>
				// Sender and receiver are typed by the same table (messages.ts), so the input fits the method.
				(database[op] as (input: unknown, out: Packer) => unknown).call(database, request.input, out)
			);
		}
	}
}
