/**
 * The network cable of one device: everything its browser says goes through here (SOCKS 5), and can be pulled.
 *
 * A pulled cable does not close connections, it silences them, and new ones come to nothing; Chromium's own "offline" leaves open WebSockets
 * running. Plugged in again, the old connections are gone, as after a change of network.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const REFUSED = 5;

export class Cable {
	readonly #server: Server;
	readonly #ends = new Set<Socket>();
	#pulled = false;

	private constructor(server: Server) {
		this.#server = server;
	}

	static async lay(): Promise<Cable> {
		const server = createServer();
		const cable = new Cable(server);
		server.on('connection', (socket) => cable.#greet(socket));
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		return cable;
	}

	get proxy(): string {
		return `socks5://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
	}

	pull(): void {
		this.#pulled = true;
		for (const end of this.#ends) {
			end.unpipe();
			end.pause();
		}
	}
	plugIn(): void {
		this.#pulled = false;
		for (const end of this.#ends) end.destroy();
	}
	async remove(): Promise<void> {
		for (const end of this.#ends) end.destroy();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	#keep(socket: Socket): void {
		this.#ends.add(socket);
		socket.setNoDelay(true);
		socket.on('error', () => socket.destroy());
		socket.on('close', () => this.#ends.delete(socket));
	}

	#greet(browser: Socket): void {
		this.#keep(browser);
		browser.once('data', () => {
			browser.write(Uint8Array.of(VERSION, NO_AUTHENTICATION));
			browser.once('data', (asked) => this.#dial(browser, asked));
		});
	}

	#dial(browser: Socket, asked: Buffer): void {
		const answer = (code: number): boolean => browser.write(Uint8Array.of(VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0));
		const isName = asked[3] === 3;
		const addressEnd = isName ? 5 + asked[4]! : 8;
		const host = isName ? asked.toString('latin1', 5, addressEnd) : asked.subarray(4, 8).join('.');
		if (this.#pulled || (!isName && asked[3] !== 1)) {
			answer(REFUSED);
			browser.end();
			return;
		}
		// Every name below `localhost` is this machine (RFC 6761), which not every resolver knows.
		const relay = connect(asked.readUInt16BE(addressEnd), host.endsWith('.localhost') ? '127.0.0.1' : host);
		this.#keep(relay);
		relay.once('connect', () => {
			answer(0);
			if (this.#pulled) return;
			browser.pipe(relay);
			relay.pipe(browser);
		});
		relay.on('error', () => {
			answer(REFUSED);
			browser.end();
		});
		for (const [one, other] of [[browser, relay], [relay, browser]] as const) one.on('close', () => !this.#pulled && other.destroy());
	}
}
