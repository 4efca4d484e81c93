/** The tariff in words: names of plans and features, and a refusal as a sentence with the number, who can mend it and the way out. */
import type { Feature, PlanName } from '#crdt-model/tariff/plans.ts';
import type { TariffRefusal } from '#crdt-model/tariff/tariff.ts';
import { m } from '#lib/paraglide/messages.js';
import { formatList, formatNumber, formatSize } from '#lib/shell/formats.svelte.ts';

const plans: Readonly<Record<PlanName, () => string>> = {
	project: m.aside_plan_project,
	projectPlus: m.aside_plan_projectPlus,
	team: m.aside_plan_team,
	company: m.aside_plan_company,
	demo: m.aside_plan_demo,
	boxCrm: m.aside_plan_boxCrm,
	boxPortal: m.aside_plan_boxPortal,
	boxBusiness: m.aside_plan_boxBusiness
};
export const planName = (plan: PlanName): string => plans[plan]();

const features: Readonly<Record<Feature, () => string>> = {
	time: m.aside_feature_time,
	reports: m.aside_feature_reports,
	processes: m.aside_feature_processes,
	extranet: m.aside_feature_extranet,
	workingHours: m.aside_feature_workingHours,
	ownDomain: m.aside_feature_ownDomain
};
export const featureName = (feature: Feature): string => features[feature]();

export function tariffReason({ plan: name, limit, feature, used = 0, most = 0, more = 0, ways: others }: TariffRefusal): string {
	const plan = planName(name);
	const ways = formatList(others.map(planName), 'disjunction');
	if (limit === 'people') {
		// The same edition with more seats is the shortest way.
		const way = others.includes(name) ? m.aside_way_people_seats() : ways ? m.aside_way_people({ ways }) : m.aside_way_people_none();
		return m.aside_why_quota_people({ plan, most: formatNumber(most), used: formatNumber(used), way });
	}
	if (limit === 'storageBytes') {
		const way = ways ? m.aside_way_storage({ ways }) : m.aside_way_storage_none();
		return m.aside_why_quota_storage({ plan, more: formatSize(more), most: formatSize(most), used: formatSize(used), way });
	}
	if (feature) return m.aside_why_quota_feature({ plan, feature: featureName(feature), way: ways ? m.aside_way_feature({ ways }) : '' }).trim();
	return m.aside_why_quota();
}

/** The rule book's `tariff.extranet`, as a sentence. */
export function lockedReason(rule: string): string | null {
	const feature = rule.slice('tariff.'.length);
	return rule.startsWith('tariff.') && Object.hasOwn(features, feature) ? m.aside_rule_feature({ feature: featureName(feature as Feature) }) : null;
}
