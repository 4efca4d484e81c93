/**
 * The gate's step quota (SPEC Q1–Q4): between access and apply, for a batch as a whole, on the counters as they would stand after it.
 *
 * Whoever stands behind a batch, its growth is counted and judged: an accepted invitation takes a seat like a rehired person. What is given
 * back in the same batch makes room for what grows in it.
 */
import type { BaseRow } from '#crdt-model/record/kind.ts';
import { isLockable, lockedFeature } from '#crdt-model/tariff/locks.ts';
import { FEATURES, hasFeature, planAt, type Feature, type PlanName, type Subscription } from '#crdt-model/tariff/plans.ts';
import { featureRefusal, growthRefusal } from '#crdt-model/tariff/tariff.ts';
import { isCounted, NOTHING_USED, plus, usageOf, type Usage } from '#crdt-model/tariff/usage.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';

/** What a portal may hold and holds, at the moment of judging. */
export interface Allowance {
	readonly subscription: Subscription;
	/** As counted with everything that was accepted, on disk or on its way there. */
	readonly used: Usage;
	readonly now: number;
}

/** One command of the batch, as far as the tariff is concerned. */
export interface Growth {
	readonly before: BaseRow | null;
	readonly row: BaseRow;
}

export interface OverQuota {
	/** Which of the steps is at fault. */
	readonly step: number;
	readonly refusal: Refusal;
}

export function judgeQuota(allowance: () => Allowance, steps: readonly Growth[]): OverQuota | null {
	let more = NOTHING_USED;
	let last = -1;
	let asked: Allowance | null = null;
	for (const [index, { before, row }] of steps.entries()) {
		// Everything else costs the gate nothing.
		if (!isCounted(row) && !isLockable(row)) continue;
		asked ??= allowance();
		const plan = planAt(asked.subscription, asked.now);
		const locked = lockedFeature(before, row, featuresOf(plan));
		if (locked) return { step: index, refusal: refuse('quota', locked, { rule: `tariff.${locked}`, who: ['admins'], tariff: featureRefusal(plan, locked) }) };
		const grown = plus(more, difference(usageOf(before), usageOf(row)));
		if (grown.people > more.people || grown.storageBytes > more.storageBytes) last = index;
		more = grown;
	}
	const tariff = asked && growthRefusal(asked.subscription, asked.used, more, asked.now);
	return tariff ? { step: last, refusal: refuse('quota', tariff.limit!, { rule: `tariff.${tariff.limit}`, who: ['admins'], tariff }) } : null;
}

export function difference(before: Usage, after: Usage): Usage {
	if (before === after) return NOTHING_USED;
	return { people: after.people - before.people, storageBytes: after.storageBytes - before.storageBytes };
}

const features = new Map<PlanName, readonly Feature[]>();
function featuresOf(plan: PlanName): readonly Feature[] {
	let own = features.get(plan);
	if (!own) features.set(plan, (own = FEATURES.filter((feature) => hasFeature(plan, feature))));
	return own;
}
