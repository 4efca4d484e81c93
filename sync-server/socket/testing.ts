/** A connection without a network for tests: a socket whose reader takes bytes when it is told to, and time that passes when it is told to. */
import { person } from '#crdt-model/testing/world.ts';
import type { PortalId } from '#crdt-model/ids.ts';
import { Lanes, type Lane } from '../budget/lanes.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Connection, type RawSocket } from './connection.ts';

export class Raw implements RawSocket {
	buffered = 0;
	said: string[] = [];
	outcome = 0;
	send(frame: Uint8Array, _isBinary: boolean, compress: boolean): number {
		this.buffered += frame.byteLength;
		this.said.push(`${compress ? 'deflated' : 'frame'} ${frame.byteLength}`);
		return this.outcome;
	}
	getBufferedAmount(): number {
		return this.buffered;
	}
	end(code: number, reason: string): void {
		this.said.push(`close ${code} ${reason}`);
	}
	close(): void {
		this.said.push('cut');
	}
}

export const sessionThat = (heard: string[], judged: () => Promise<void> | void = () => {}) => ({
	receive: (frame: Uint8Array) => {
		heard.push(`receive ${[...frame.subarray(0, 8)]}`);
		return judged();
	},
	drained: () => void heard.push('drained'),
	closed: () => void heard.push('closed')
});

export function bareConnection(options: { compress?: boolean; lane?: Lane; clock?: FakeClock } = {}) {
	const clock = options.clock ?? new FakeClock();
	const heard: string[] = [];
	const onFault = (fault: unknown) => void heard.push(String(fault));
	const lane = options.lane ?? new Lanes(clock, onFault).of('portal_00000000-0000-7000-8000-000000000001' as PortalId, person(1));
	const raw = new Raw();
	const connection = new Connection(raw, { compress: options.compress ?? false, lane, onFault });
	return { raw, heard, connection, lane, clock };
}

/** With a session that is at work on a frame for no time, until `settle`, or for ever. */
export function lineFor({ judged = 'at once', ...options }: { judged?: 'at once' | 'later' | 'never'; lane?: Lane; clock?: FakeClock } = {}) {
	const line = bareConnection(options);
	let finish: () => void = () => {};
	const work = () => (judged === 'at once' ? undefined : new Promise<void>((resolve) => (finish = judged === 'later' ? resolve : finish)));
	line.connection.attach(sessionThat(line.heard, work));
	return {
		...line,
		async settle() {
			finish();
			await Promise.resolve();
			await Promise.resolve();
		}
	};
}
