/**
 * The lease of a lost device: how long this device may go without reaching the relay before it locks, as an administrator chose (docs/operations.md, "A
 * lost device").
 *
 * Promises: only the relay's welcome unlocks; a clock that is set back gains nothing, because time counts from the highest that was ever seen and goes on
 * by the monotonic clock while the app is open; pending work stays and is sent when the relay is reached.
 * Leaves to others: asking it (engine.ts, workspace.svelte.ts), the lock screen. What it does not promise is secrecy: nothing on the device is encrypted.
 */
import type { Lease as LeaseName, SettingsRow } from '#crdt-model/kinds/company-structure.ts';
import { NO_CONTACT, type Contact, type ReplicaReads, type ReplicaTransaction } from '#storage/replica-contract.ts';
import type { Core } from './core.ts';

const HOUR_MS = 3_600_000;
export const LEASE_MS: Readonly<Record<LeaseName, number>> = { off: Infinity, '72h': 72 * HOUR_MS, '30d': 30 * 24 * HOUR_MS };
/** Open tabs look so often, so they lock within a minute. A contact is noted as often. */
export const LOOK_EVERY_MS = 60_000;

export class Lease {
	readonly #core: Core;
	readonly #steady: () => number;
	#lookedAt: number;
	#contactedAt = -Infinity;
	#isLocked = false;
	#since = 0;

	/** @param steady milliseconds that only go forward while the app is open */
	constructor(core: Core, steady: () => number) {
		this.#core = core;
		this.#steady = steady;
		this.#lookedAt = steady();
	}

	/** When the relay was last reached, by the device's clock, where the device is locked for it; else null. */
	get lockedSince(): number | null {
		return this.#isLocked ? this.#since : null;
	}

	/** Counts the time since the last look, and locks where it is over. Called at the start and once a minute. */
	async look(): Promise<void> {
		const steady = this.#steady();
		const passed = Math.max(0, steady - this.#lookedAt);
		this.#lookedAt = steady;
		await this.#core.transact(async (tx) => {
			const before = await tx.contact();
			// A clock that was set back is not asked any more: the time that passes here goes on from the highest.
			const now = this.#core.now();
			const highest = now >= before.highest ? now : before.highest + passed;
			// A device that never reached the relay holds nothing.
			if (before.at === 0) return;
			await tx.setContact({ ...before, highest });
			await this.#judge(tx, { ...before, highest });
		});
		this.#core.changed();
	}

	/** The relay has welcomed this device, or spoken to it since. */
	async contact(): Promise<void> {
		const now = this.#core.now();
		if (!this.#isLocked && this.#steady() - this.#contactedAt < LOOK_EVERY_MS) return;
		this.#contactedAt = this.#lookedAt = this.#steady();
		await this.#core.transact(async (tx) => {
			// Both anew: a clock that stood too far ahead once must not count against the device for ever.
			const contact = { at: now, highest: now };
			await tx.setContact(contact);
			await this.#judge(tx, contact);
		});
		this.#core.changed();
	}

	/** Another tab reached the relay. */
	async heard(): Promise<void> {
		await this.#core.read(async (reads) => this.#judge(reads, await reads.contact()));
		this.#core.changed();
	}

	async #judge(reads: ReplicaReads | ReplicaTransaction, { at, highest }: Contact): Promise<void> {
		const [settings] = (await reads.rowsOf('settings')) as unknown as SettingsRow[];
		this.#since = at;
		this.#isLocked = at !== NO_CONTACT.at && highest - at > LEASE_MS[settings?.lease ?? 'off'];
	}
}
