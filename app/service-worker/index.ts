/**
 * The app's files on the device: after one visit every screen opens without a network, from a cold start of the browser.
 *
 * Promises: all files of one version come from one cache, never mixed with another's; a navigation is answered with the app itself, whatever its
 * address; the relay's answers (/api, /sync, /live, /files) pass by untouched and are never kept; a new version waits until a page asks for it.
 * Leaves to others: data (lib/sync), offering the new version (lib/shell/appUpdate.svelte.ts).
 */
import { version } from '$app/env';
import { assets, immutable, prerendered } from '$app/manifest';
import { self } from '$app/service-worker';

const PREFIX = 'atrium:';
const CACHE = `${PREFIX}${version}`;
/** The one page; it is no prerendered one to Kit, so it is named here. */
const SHELL = '/';
const FILES = [...new Set([...immutable, ...assets, ...prerendered].map(({ path }) => new URL(path, self.location.origin).pathname))].filter((path) => path !== SHELL);
const RELAY = /^\/(?:api|sync|live|files|healthz|metrics)(?:\/|$)/;

self.addEventListener('install', (event) => event.waitUntil(keep()));
self.addEventListener('activate', (event) => event.waitUntil(takeOver()));
self.addEventListener('message', (event) => {
	if ((event.data as { type?: unknown } | null)?.type === 'skip-waiting') void self.skipWaiting();
});
self.addEventListener('fetch', (event) => {
	const { request } = event;
	const url = new URL(request.url);
	if (request.method !== 'GET' || url.origin !== self.location.origin || RELAY.test(url.pathname)) return;
	if (request.mode === 'navigate') event.respondWith(shell(request));
	else if (KNOWN.has(url.pathname)) event.respondWith(file(request, url.pathname));
});

const KNOWN = new Set(FILES);

/** All or nothing: a version with a hole in it is not installed. */
async function keep(): Promise<void> {
	const cache = await caches.open(CACHE);
	// Names with a hash may come from the browser's cache; the others might be an older version's there.
	const hashed = new Set(immutable.map(({ path }) => new URL(path, self.location.origin).pathname));
	await cache.addAll([SHELL, ...FILES].map((path) => new Request(path, { cache: hashed.has(path) ? 'default' : 'reload' })));
}

async function takeOver(): Promise<void> {
	for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
	// The first visit works offline from now on, without a second one.
	await self.clients.claim();
}

async function shell(request: Request): Promise<Response> {
	const cache = await caches.open(CACHE);
	// The browser may have thrown the cache away under pressure.
	return (await cache.match(SHELL)) ?? fetch(request);
}

async function file(request: Request, path: string): Promise<Response> {
	const cache = await caches.open(CACHE);
	return (await cache.match(path)) ?? fetch(request);
}
