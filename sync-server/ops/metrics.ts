/**
 * Numbers for Prometheus: the process (memory, lag of the event loop), sockets, sessions, commits, refusals. Read when somebody asks; nothing is
 * counted on the path of a keystroke that is not counted there anyway. Names no person, portal or document.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Portals } from '../room/portals.ts';

export interface MetricsSources {
	readonly portals: Pick<Portals, 'opened' | 'ids'>;
	openSockets(): { readonly sync: number; readonly live: number };
	letters(): { readonly waiting: number; readonly failed: number };
}

export class Metrics {
	readonly #registry = new Registry();
	readonly #calls: Counter<'method' | 'status'>;
	readonly #countPortals: () => void;

	constructor({ portals, openSockets, letters }: MetricsSources) {
		const registers = [this.#registry];
		collectDefaultMetrics({ register: this.#registry });
		this.#calls = new Counter({ name: 'atrium_http_calls_total', help: 'REST calls answered', labelNames: ['method', 'status'], registers });
		new Gauge({
			name: 'atrium_sockets',
			help: 'Open WebSockets by path',
			labelNames: ['path'],
			registers,
			collect() {
				for (const [path, count] of Object.entries(openSockets())) this.set({ path }, count);
			}
		});
		new Gauge({
			name: 'atrium_letters_waiting',
			help: 'Letters that the mail server did not take yet',
			registers,
			collect() {
				this.set(letters().waiting);
			}
		});
		new Gauge({
			name: 'atrium_letters_failed',
			help: 'Letters that were given up and are shown to administrators',
			registers,
			collect() {
				this.set(letters().failed);
			}
		});
		const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
		const known = gauge('atrium_portals', 'Portals of this relay');
		const inMemory = gauge('atrium_portals_open', 'Portals in memory');
		const sessions = gauge('atrium_sessions', 'Attached sessions of /sync and /live');
		const documents = gauge('atrium_documents_open', 'Documents in memory');
		const entries = gauge('atrium_log_entries', 'Entries on disk in the logs of the portals in memory');
		const people = gauge('atrium_people', 'People of the portals in memory, as their tariffs count them');
		const storage = gauge('atrium_storage_bytes', 'Bytes of files of the portals in memory, as their tariffs count them');
		const refusals = new Gauge({ name: 'atrium_refusals', help: 'Refused changes of the portals in memory, by code', labelNames: ['code'], registers });
		this.#countPortals = () => {
			const opened = portals.opened();
			const totals = { sessions: 0, rooms: 0, seq: 0, people: 0, storageBytes: 0 };
			refusals.reset();
			for (const portal of opened) {
				const numbers = portal.metrics();
				totals.sessions += numbers.sessions;
				totals.rooms += numbers.rooms;
				totals.seq += numbers.seq;
				totals.people += portal.tariff.people.used;
				totals.storageBytes += portal.tariff.storageBytes.used;
				for (const [code, count] of Object.entries(numbers.refusals)) refusals.inc({ code }, count);
			}
			known.set([...portals.ids].length);
			inMemory.set(opened.length);
			sessions.set(totals.sessions);
			documents.set(totals.rooms);
			entries.set(totals.seq);
			people.set(totals.people);
			storage.set(totals.storageBytes);
		};
	}

	called(method: string, status: number): void {
		this.#calls.inc({ method, status });
	}

	get contentType(): string {
		return this.#registry.contentType;
	}

	async text(): Promise<string> {
		// Before and not by the gauges themselves, which are read side by side: one pass over the portals serves five of them.
		this.#countPortals();
		return this.#registry.metrics();
	}

	close(): void {
		this.#registry.clear();
	}
}
