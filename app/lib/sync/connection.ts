/** `/sync` over a browser's WebSocket. The cookie of the portal that the address names signs in; no token stands in an address. */
import type { Transport } from './link.ts';

/**
 * @param url of `/sync`, as ws: or wss:
 * @param protocols of an administrator who looks on: the token of the view, which then speaks in place of the cookie
 */
export function webSocketTransport(url: string, protocols: string[] = []): Transport {
	return (events) => {
		const socket = new WebSocket(url, protocols);
		socket.binaryType = 'arraybuffer';
		socket.onopen = () => events.opened();
		socket.onmessage = ({ data }) => {
			// The relay sends binary frames only; a text frame is somebody else's and is left unread.
			if (data instanceof ArrayBuffer) events.frame(new Uint8Array(data));
		};
		socket.onclose = ({ code, reason }) => events.closed(code, reason);
		return {
			send(frame) {
				if (socket.readyState === WebSocket.OPEN) socket.send(frame as Uint8Array<ArrayBuffer>);
			},
			close() {
				socket.onopen = socket.onmessage = socket.onclose = null;
				socket.close();
			}
		};
	};
}

/** The relay's address as a WebSocket's: the app is served by the relay itself. */
export function relayAddress(path: string, origin: string = location.origin): string {
	return origin.replace(/^http/, 'ws') + path;
}
