/**
 * The relay's process: configuration, wiring, ready line, drain.
 *
 * Order at the start: claim DATA_DIR (no second relay), take the port (it may be any free one, and letters and cookies need the address), secrets,
 * accounts, portals, then answer. Order at the end: stop listening and send sockets away, wait for running calls, portals (their last commit), accounts,
 * the claim. A fault that nobody expected ends the process with its stack: a supervisor starts it anew, and what was acknowledged is on disk.
 * `startRelay` is also how tests and the command line run a relay inside their own process.
 */
import { randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import { Accounts } from './accounts/accounts.ts';
import { Oidc } from './accounts/oidc.ts';
import { letterPortal } from './accounts/letter-look.ts';
import { Letters, type LettersOptions } from './accounts/letters.ts';
import { Addresses } from './budget/addresses.ts';
import { PROCESS_CLOCK } from './budget/clock.ts';
import { Lanes } from './budget/lanes.ts';
import { claimDataDir, type Config, ConfigProblem, ensureFolder, keptSecret, RESTORE_NOTE, publicUrlFor, readConfig, warningsFor } from './config.ts';
import { Blobs } from './files/blobs.ts';
import { Uploads } from './files/uploads.ts';
import { faultLine, type Log, remadeLine, stderrLog } from './ops/log.ts';
import { MAC_KEY } from './operator/mac-key.ts';
import { Metrics } from './ops/metrics.ts';
import { operatorCommands } from './ops/operator-commands.ts';
import { OperatorDoor } from './ops/operator.ts';
import { restApp } from './rest/app.ts';
import { forgetErased } from './rest/erased.ts';
import { fromOurPage, type Services, signedInBy } from './rest/call.ts';
import { endOverdueSessions } from './rest/overdue-sessions.ts';
import { Portals, type PortalsOptions } from './room/portals.ts';
import { Server } from './socket/server.ts';
import type { SocketDoor } from './socket/sockets.ts';
import { StaticApp } from './socket/static.ts';

/** Expired sign-ins end, and their sockets with them, within this. */
const SWEEP_MS = 60_000;

export interface Relay {
	/** What people open: PUBLIC_URL, or where it listens. */
	readonly address: string;
	readonly port: number;
	readonly services: Services;
	readonly warnings: readonly string[];
	/** Drains; a second call waits for the first. */
	close(): Promise<void>;
}

export interface RelayOptions {
	readonly log?: Log;
	readonly now?: () => number;
	/** Tests pass cheaper passwords and the like. */
	readonly accounts?: Partial<Parameters<typeof Accounts.open>[0]>;
}

/** Things to undo, last made first; a failure in one does not keep the others. */
class Undo {
	readonly #steps: (() => unknown)[] = [];
	add(step: () => unknown): void {
		this.#steps.push(step);
	}
	async run(onFault: (fault: unknown) => void): Promise<void> {
		for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
			try {
				await step();
			} catch (fault) {
				onFault(fault);
			}
		}
	}
}

/** @throws ConfigProblem for what the operator can mend */
export async function startRelay(config: Config, options: RelayOptions = {}): Promise<Relay> {
	const log = options.log ?? stderrLog;
	const now = options.now ?? Date.now;
	const onFault = (where: string) => (fault: unknown) => log(faultLine(where, fault));
	const undo = new Undo();
	try {
		const claim = claimDataDir(config.dataDir);
		undo.add(() => claim.release());
		if (existsSync(join(config.dataDir, RESTORE_NOTE))) {
			throw new ConfigProblem(`A restore into ${config.dataDir} was broken off: run it again with --replace. What was there before lies in its folders replaced-….`);
		}
		ensureFolder('STORAGE_URL', config.storageDir);
		const server = await Server.listen(config);
		undo.add(() => server.close());
		const publicUrl = publicUrlFor(config, server.port);
		const app = StaticApp.read(config.appDir, publicUrl);

		const accounts = await Accounts.open({ folder: config.dataDir, now, ...options.accounts });
		undo.add(() => accounts.close());
		const macKey = keptSecret(config.dataDir, MAC_KEY.file, MAC_KEY.bytes, (target) => randomFillSync(target));
		const store = await SqliteRelayStore.open(config.storageDir);
		const lanes = new Lanes(PROCESS_CLOCK, onFault('a turn'));
		const addresses = new Addresses(PROCESS_CLOCK.now);
		let portals: Portals;
		try {
			portals = await Portals.open({ store, macKey, now, lanes, subscriptions: accounts.subscriptions, domains: domainsOf(accounts, publicUrl), waitingIn: (id) => accounts.joins.countWaiting(id), clock: PROCESS_CLOCK, onRemade: (portal, remade) => log(remadeLine(portal, remade)), onFault: (portal, reason) => onFault(portal)(reason) });
		} catch (error) {
			await store.close();
			throw error;
		}
		undo.add(() => portals.close());
		const letters = lettersFor(config, {
			store: accounts.letters,
			publicUrl,
			now,
			onFault: onFault('a letter'),
			async portalOf(id) {
				const portal = await portals.portal(id);
				return portal && letterPortal(portal.settings, portal.tariff.people.used);
			}
		});
		undo.add(() => letters.close());
		await letters.start();

		const blobs = new Blobs(join(config.dataDir, 'files'));
		const oidc = new Oidc(config.oidc, { publicUrl, vault: accounts.vault, now, random: (target) => randomFillSync(target) });
		const services: Services = { onFault: onFault('a call'), accounts, portals, letters, lettersAreFiles: config.smtpUrl === null, oidc, blobs, uploads: new Uploads(blobs), addresses, publicUrl, now, founding: config.founding, operatorContact: config.operatorContact };
		const metrics = new Metrics({ portals, openSockets: () => server.openSockets, letters: () => letters.counts });
		undo.add(() => metrics.close());
		const operator = new OperatorDoor(config.dataDir, operatorCommands(services));
		const rest = restApp({ services, metrics, operator, operatorToken: config.operatorToken, onFault: onFault('a call') });
		const sweeper = setInterval(() => {
			lanes.sweep();
			void accounts.sweep().catch(onFault('the sweep of sign-ins'));
			void endOverdueSessions(services).catch(onFault('the sweep of second factors'));
			void forgetErased(services).catch(onFault('the sweep of erased people'));
			oidc.sweep();
			void accounts.letters.sweep().catch(onFault('the sweep of letters'));
			void blobs.sweep(now()).catch(onFault('the sweep of uploads'));
		}, SWEEP_MS);
		sweeper.unref();
		undo.add(() => clearInterval(sweeper));

		undo.add(() => server.drain());
		server.serve({ publicUrl, calls: (request, peer) => rest.fetch(request, peer), app, door: doorOf(services, lanes, onFault('a socket')), trustedProxies: config.trustedProxies, onFault: onFault('a call') });
		operator.open(localAddress(config, server.port));
		undo.add(() => operator.close());
		void app.compress().catch(onFault('compressing the app'));

		let closing: Promise<void> | null = null;
		return {
			address: publicUrl,
			port: server.port,
			services,
			warnings: warningsFor(config, publicUrl),
			close: () => (closing ??= undo.run(onFault('the drain')))
		};
	} catch (error) {
		await undo.run(onFault('the start'));
		throw error;
	}
}

function lettersFor({ dataDir, smtpUrl }: Config, options: Omit<LettersOptions, 'dataDir' | 'smtpUrl'>): Letters {
	try {
		return new Letters({ ...options, dataDir, smtpUrl });
	} catch (error) {
		throw new ConfigProblem(`SMTP_URL cannot be used: ${(error as Error).message}`);
	}
}

/** The relay's own name is no portal's: all of them are reached by it. */
function domainsOf({ domains }: Accounts, publicUrl: string): NonNullable<PortalsOptions['domains']> {
	const { hostname } = new URL(publicUrl);
	return {
		isFree: (portal, domain) => domain !== hostname && domains.isFree(portal, domain),
		takes: (portal, domain) => domains.takes(portal, domain === hostname ? null : domain)
	};
}

/** Where the command line finds this relay, whatever PUBLIC_URL says. */
function localAddress({ host, tls }: Config, port: number): string {
	const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
	return `${tls ? 'https' : 'http'}://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

function doorOf({ accounts, portals, addresses, publicUrl }: Services, lanes: Lanes, onFault: (fault: unknown) => void): SocketDoor {
	return {
		signedIn({ cookie, authorization, portal, view, origin, host }) {
			const credentials = signedInBy(accounts, { authorization, cookie, portal, view });
			if (!credentials || (credentials.byCookie && !fromOurPage({ accounts, publicUrl }, { origin, host }, credentials.signIn.portal))) return null;
			if (!credentials.signIn.viewer) void accounts.noteSeen(credentials.signIn.session, null).catch(onFault);
			return credentials.signIn;
		},
		portal: (id) => portals.portal(id),
		onSessionsEnded: (listener) => accounts.onSessionsEnded(listener),
		lanes,
		addresses,
		onFault
	};
}

/** The process: everything above, and what only a process has. */
async function main(): Promise<void> {
	process.on('uncaughtException', (fault) => {
		stderrLog(faultLine('the relay, which ends', fault));
		process.exit(70); // EX_SOFTWARE: the supervisor starts it anew
	});
	let relay: Relay | null = null;
	let asked = false;
	let config: Config;
	// Before anything that takes time: whoever reads the ready line may send a signal at once.
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
		process.on(signal, () => {
			// Before the start has ended nothing was acknowledged; and the second time somebody is impatient, which costs nothing acknowledged either.
			if (asked || !relay) process.exit(asked ? 130 : 0);
			asked = true;
			void relay.close().then(() => process.exit(0));
		});
	}
	try {
		config = readConfig(process.env);
		relay = await startRelay(config);
	} catch (error) {
		if (!(error instanceof ConfigProblem)) throw error;
		stderrLog(`atrium: ${error.message}`);
		process.exit(1);
	}
	for (const warning of relay.warnings) stderrLog(`atrium: ${warning}`);
	console.log(`Atrium: ${relay.address}`);
	// The first thing that somebody new needs: the letter that confirms their company.
	if (config.smtpUrl === null) console.log(`Letters: files in ${join(config.dataDir, 'mail')}, until SMTP_URL is set`);
}

if (import.meta.main) await main();
