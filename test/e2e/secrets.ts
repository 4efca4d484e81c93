/**
 * What would open somebody's account, and where a browser might have kept it or said it aloud: "no secret in URLs or the browser's store" (FEATURES 1.1).
 *
 * Promises: everything that scripts of the page can read again later is read (local and session storage, every IndexedDB database whole, names in caches, cookies that
 * are no HttpOnly ones, the address and its state), and the address of every request and socket since the device was opened. Leaves to others: the relay's own files and
 * log (sync-server/rest/strangers.test.ts).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestRelay } from '../support/relay.ts';
import type { Device } from './browser.ts';

/** The codes of all letters that were written, and what signs this device in. */
export async function secretsOf(relay: TestRelay, device: Device): Promise<string[]> {
	const folder = join(relay.dataDir, 'mail');
	const letters = await Promise.all((await readdir(folder)).filter((name) => name.endsWith('.eml')).map((name) => readFile(join(folder, name), 'utf8')));
	const codes = letters.flatMap((letter) => [...letter.replace(/=\r?\n/g, '').replace(/=3D/g, '=').matchAll(/https?:\/\/[^\s"<]+#([\w-]{20,})/g)].map(([, code]) => code!));
	const cookies = (await device.context.cookies()).map(({ value }) => value).filter((value) => value.length >= 20);
	return [...new Set([...codes, ...cookies])];
}

/** All that the page's store holds, as one text. */
export function keptBy(device: Device): Promise<string> {
	return device.page.evaluate(async () => {
		const asText = async (value: unknown): Promise<string> => {
			if (value instanceof Blob) return new TextDecoder('latin1').decode(await value.arrayBuffer());
			if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return new TextDecoder('latin1').decode(value);
			if (typeof value !== 'object' || value === null) return String(value);
			const parts = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.entries(value).flat();
			return (await Promise.all(parts.map(asText))).join('\n');
		};
		const answered = <T>(request: IDBRequest<T>) => new Promise<T>((resolve, reject) => {
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => reject(request.error);
		});
		const kept: unknown[] = [{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state];
		for (const { name } of await indexedDB.databases()) {
			const database = await answered(indexedDB.open(name!));
			for (const store of database.objectStoreNames) {
				const content = database.transaction(store).objectStore(store);
				kept.push(await Promise.all([answered(content.getAllKeys()), answered(content.getAll())]));
			}
			database.close();
		}
		for (const name of await caches.keys()) kept.push((await (await caches.open(name)).keys()).map(({ url }) => url));
		return asText(kept);
	});
}
