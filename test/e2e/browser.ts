/**
 * One person's device for a test: a real Chromium with a profile of its own on disk, so that it can be closed (or killed) and started again with
 * what it kept: IndexedDB, the service worker, the session's cookie.
 *
 * Promises: `cut` is a pulled cable (cable.ts), and the browser knows that it is offline; whatever the browser reports as an error is collected, and `complaints` says it less a
 * named allow-list. Leaves to others: what the screens are called (screens.ts).
 */
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium, type BrowserContext, type CDPSession, type Page } from 'playwright-core';
import { TestRelay, until } from '../support/relay.ts';
import { Cable } from './cable.ts';

/** Wide: only a broken app reaches it, however busy the machine is. */
export const CEILING_MS = Number(process.env.ATRIUM_E2E_CEILING_MS ?? 45_000);

const FLAGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	// Without these a window that another one covers gets its timers throttled, and the test measures the window manager.
	'--disable-backgrounding-occluded-windows',
	'--disable-renderer-backgrounding',
	'--disable-background-timer-throttling'
];

/** What a browser says without anything being wrong with the app. */
const ALLOWED: readonly { readonly name: string; readonly text: RegExp; readonly whenCut?: true }[] = [
	{ name: 'a request or socket without a network', text: /net::ERR_(INTERNET_DISCONNECTED|SOCKS_CONNECTION_FAILED|PROXY_CONNECTION_FAILED|TIMED_OUT|CONNECTION_(REFUSED|RESET|CLOSED)|NETWORK_CHANGED|EMPTY_RESPONSE|FAILED|SOCKET_NOT_CONNECTED)|WebSocket connection to .* failed/i, whenCut: true },
	{ name: 'an invitation that was used before', text: /status of 404 .*\/api\/v1\/invitations\/(open|acceptance)\b/ },
	{ name: 'the worker asked for a newer one without a network', text: /Failed to update a ServiceWorker|An unknown error occurred when fetching the script/i, whenCut: true }
];

export function findChromium(): string {
	const chosen = process.env.CHROMIUM_PATH;
	if (chosen) return chosen;
	const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/bin', '/usr/local/bin', '/snap/bin'];
	for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']) {
		for (const folder of folders) {
			const file = join(folder, name);
			try {
				accessSync(file, constants.X_OK);
				return file;
			} catch {
				// Not here: the next folder.
			}
		}
	}
	throw new Error('The browser tests need Chromium or Chrome: install it, or name it in CHROMIUM_PATH.');
}

export interface DeviceOptions {
	readonly width?: number;
	readonly height?: number;
	readonly locale?: string;
	readonly theme?: 'light' | 'dark';
	readonly touch?: boolean;
	/** Sees the tour, as everybody does who is new; it would stand before every other story. */
	readonly newcomer?: boolean;
}

export class Device {
	readonly name: string;
	readonly relay: TestRelay;
	readonly #options: DeviceOptions;
	/** Of every request and socket since it was opened, as servers on the way see them. */
	readonly addresses = new Set<string>();
	readonly #errors: { readonly text: string; readonly cut: boolean }[] = [];
	#folder = '';
	#cable: Cable | null = null;
	#context: BrowserContext | null = null;
	#page: Page | null = null;
	#cut = false;
	/** A cut shows in the console a little after it ended, too. */
	#wasCut = false;

	private constructor(name: string, relay: TestRelay, options: DeviceOptions) {
		this.name = name;
		this.relay = relay;
		this.#options = options;
	}

	static async open(name: string, relay: TestRelay, options: DeviceOptions = {}): Promise<Device> {
		const device = new Device(name, relay, options);
		device.#cable = await Cable.lay();
		device.#folder = await mkdtemp(join(tmpdir(), `atrium-${name}-`));
		await device.start();
		return device;
	}

	get page(): Page {
		if (!this.#page) throw new Error(`${this.name}'s browser is closed.`);
		return this.#page;
	}
	get context(): BrowserContext {
		if (!this.#context) throw new Error(`${this.name}'s browser is closed.`);
		return this.#context;
	}

	/** Starts the browser on what its profile holds; where the network was cut it stays cut. */
	async start(): Promise<void> {
		const { width = 1440, height = 900, locale = 'en-GB', theme = 'light', touch = false, newcomer = false } = this.#options;
		const context = await chromium.launchPersistentContext(this.#folder, {
			executablePath: findChromium(),
			args: FLAGS,
			proxy: { server: this.#cable!.proxy },
			headless: true,
			viewport: { width, height },
			locale,
			timezoneId: 'Europe/Bucharest',
			colorScheme: theme,
			reducedMotion: 'reduce',
			hasTouch: touch,
			isMobile: touch
		});
		this.#context = context;
		if (!newcomer) await context.addInitScript(() => void (location.protocol.startsWith('http') && localStorage.setItem('atrium.tour', 'seen')));
		context.setDefaultTimeout(CEILING_MS);
		context.setDefaultNavigationTimeout(CEILING_MS);
		context.on('console', (message) => {
			if (message.type() === 'error') this.#note(`${message.text()} (${message.location().url})`);
		});
		context.on('request', (request) => void this.addresses.add(request.url().split('#')[0]!));
		context.on('page', (page) => page.on('websocket', (socket) => void this.addresses.add(socket.url())));
		for (const page of context.pages()) page.on('websocket', (socket) => void this.addresses.add(socket.url()));
		context.on('weberror', (error) => this.#note(`thrown: ${error.error().stack ?? error.error().message}`));
		if (this.#cut) await context.setOffline(true);
		this.#page = context.pages()[0] ?? (await context.newPage());
	}

	/** Closes the browser as a person does. */
	async quit(): Promise<void> {
		const context = this.#context;
		this.#context = null;
		this.#page = null;
		await context?.close();
	}

	async cut(): Promise<void> {
		this.#cut = true;
		this.#wasCut = true;
		this.#cable!.pull();
		await this.context.setOffline(true);
	}
	async mend(): Promise<void> {
		this.#cable!.plugIn();
		await this.context.setOffline(false);
		this.#cut = false;
	}
	/** The relay goes away under a device that still has a network. */
	expectOutage(): void {
		this.#wasCut = true;
	}

	async goto(path: string): Promise<Page> {
		await this.page.goto(`${this.relay.url}${path}`);
		return this.page;
	}

	/** Until the app's files are on the device and its worker answers for them. */
	async keepsTheApp(): Promise<void> {
		await this.page.evaluate(async () => {
			await navigator.serviceWorker.ready;
			if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }));
		});
	}

	cdp(): Promise<CDPSession> {
		return this.context.newCDPSession(this.page);
	}

	/** Errors that no rule of the allow-list explains. */
	complaints(): string[] {
		return this.#errors.filter(({ text, cut }) => !ALLOWED.some((rule) => rule.text.test(text) && (!rule.whenCut || cut || this.#wasCut))).map(({ text }) => text);
	}

	async remove(): Promise<void> {
		await this.quit().catch(() => {});
		await this.#cable?.remove();
		await rm(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
	}

	#note(text: string): void {
		this.#errors.push({ text, cut: this.#cut });
	}
}

/** Waits for a value to be what is wanted, and says what it was if it never is. */
export async function eventually<T>(what: string, ask: () => Promise<T>, fits: (value: T) => boolean, ceilingMs = CEILING_MS): Promise<T> {
	let last: T | undefined;
	let fault: unknown;
	try {
		await until(async () => {
			try {
				last = await ask();
				fault = undefined;
			} catch (thrown) {
				fault = thrown;
				return false;
			}
			return fits(last);
		}, ceilingMs);
	} catch {
		throw new Error(`${what}: it never came about; the last was ${fault ? String(fault) : JSON.stringify(last)}`);
	}
	return last!;
}

/** What a person would have seen when it failed: without it a lost element says nothing. Call it in `afterEach`. */
export async function tellIfFailed(context: { readonly task: { readonly name: string; readonly result?: { readonly state?: string } | undefined } }, devices: readonly (Device | undefined)[]): Promise<void> {
	if (context.task.result?.state !== 'fail') return;
	for (const device of devices) {
		if (!device) continue;
		try {
			console.log(`--- ${device.name} at ${device.page.url()} when “${context.task.name}” failed\n${await device.page.locator('body').ariaSnapshot({ timeout: 5_000 })}`);
			const complaints = device.complaints();
			if (complaints.length > 0) console.log(complaints.join('\n'));
		} catch {
			// The browser is closed at that point of the story.
		}
	}
}
