/**
 * Which services of a portal are switched off, as the disk has it, and since when a device may lack something because of that (SPEC V1–V6).
 *
 * What is off is sent to nobody, while cursors move on. So a device whose cursor is older than the last time that a service came back may have gone past
 * what it was not shown: it is compared by inventory. That moment is a counter of the log, so that it is on disk with the switch itself.
 */
import { isWithheld, offServiceOf } from '#crdt-model/access/services.ts';
import type { DocumentId } from '#crdt-model/ids.ts';
import type { ServiceId } from '#crdt-model/kinds/services.ts';
import type { SettingsRow } from '#crdt-model/kinds/settings.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { PortalStore } from '#storage/contract.ts';
import type { PortalLog } from '../log/portal-log.ts';

/** The seq at which a service last came back; 0 where none ever did. Beside the numbers of kinds, of which none has a colon in its name. */
export const BACK_COUNTER = 'services:back';

export class Services {
	readonly #log: PortalLog;
	readonly #store: PortalStore;
	/** As the last entry says it, on disk or not. */
	#decided: readonly ServiceId[] = [];
	#onDisk: readonly ServiceId[] = [];

	constructor(log: PortalLog, store: PortalStore) {
		this.#log = log;
		this.#store = store;
	}

	/** What is on disk when the portal opens. */
	adopt({ servicesOff }: SettingsRow): void {
		this.#decided = this.#onDisk = servicesOff;
	}

	/** Whether these settings switch otherwise than the ones before. */
	switches({ servicesOff }: SettingsRow): boolean {
		return servicesOff.join() !== this.#decided.join();
	}
	/** An entry of the settings got its seq, in the same turn. */
	appended({ servicesOff }: SettingsRow, seq: number): void {
		const isBack = this.#decided.some((service) => !servicesOff.includes(service));
		this.#decided = servicesOff;
		if (isBack) this.#log.count(BACK_COUNTER, seq - this.#log.counted(BACK_COUNTER));
	}
	/** The settings are on disk, and what is told from now on follows them. Returns whether a service came back. */
	committed({ servicesOff }: SettingsRow): boolean {
		const isBack = this.#onDisk.some((service) => !servicesOff.includes(service));
		if (servicesOff.join() !== this.#onDisk.join()) this.#onDisk = servicesOff;
		return isBack;
	}

	/** What is off as anybody may be told it: the same array until that changes. */
	get off(): readonly ServiceId[] {
		return this.#onDisk;
	}
	/** Whether a device that stands at this seq may have been moved past something that was off then and is on now. */
	mayLack(seq: number): boolean {
		return seq < this.#log.countedOnDisk(BACK_COUNTER);
	}
	/** The service of a record that may not be shown now; null where it may. */
	offServiceOf(row: BaseRow): ServiceId | null {
		return offServiceOf(row, this.#onDisk);
	}
	isWithheld(row: BaseRow): boolean {
		return isWithheld(row, this.#onDisk);
	}
	/** Those of the documents that may not be sent now, as they were when the store answered. */
	async withheldOf(documents: readonly DocumentId[]): Promise<ReadonlySet<DocumentId>> {
		if (this.#onDisk.length === 0 || documents.length === 0) return new Set();
		const heads = await this.#store.heads([...new Set(documents)]);
		return new Set(heads.filter(({ row }) => this.isWithheld(row)).map(({ id }) => id));
	}
}
