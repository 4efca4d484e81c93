/**
 * One device's part in healing a restored portal (SPEC H1–H8): it announces what it will hand back, hands it back piece by piece, and each piece is
 * answered in order, after the disk has what the answer speaks of. How the device goes on is its own matter: it says what it holds only
 * afterwards, so that nothing leaves it before it was handed back.
 */
import type { PersonId } from '#crdt-model/ids.ts';
import type { Down } from '#crdt-model/wire/down.ts';
import { REOFFER_WINDOW } from '#crdt-model/wire/limits.ts';
import type { Up } from '#crdt-model/wire/up.ts';
import type { Returns } from '../room/returns.ts';

export interface HealingHost {
	say(message: Down): void;
	/** More pieces under way than the window allows. */
	tooMuch(reason: string): void;
	guard(work: Promise<unknown>): Promise<void>;
	/** Begins the work when it is the person's turn, and charges them what it does at once (SPEC B1). */
	inTurn<T>(work: () => Promise<T>): Promise<T>;
}

export class Healing {
	readonly #returns: Returns;
	readonly #person: PersonId;
	readonly #host: HealingHost;
	#underWay = 0;
	#judging: Promise<void> = Promise.resolve();

	constructor(returns: Returns, person: PersonId, host: HealingHost) {
		this.#returns = returns;
		this.#person = person;
		this.#host = host;
	}

	receive({ documents, entries, last }: Extract<Up, { type: 'reoffer' }>): Promise<void> | void {
		if (++this.#underWay > REOFFER_WINDOW) return this.#host.tooMuch(`more than ${REOFFER_WINDOW} pieces under way`);
		this.#returns.announce(this, this.#person, documents);
		const judged = this.#judging.then(() => this.#host.inTurn(() => this.#returns.take(this.#person, entries)));
		return (this.#judging = this.#host.guard(
			judged.then(async ({ fates, durable }) => {
				await durable;
				this.#underWay--;
				if (last) this.end();
				this.#host.say({ type: 'reoffered', fates: [...fates] });
			})
		));
	}

	/** Nothing more comes on this connection: nobody waits for it. */
	end(): void {
		this.#returns.settle(this);
	}
}
