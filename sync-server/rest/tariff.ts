/** The portal's tariff over REST: what `/sync` tells devices, and the table of all plans beside it. */
import * as v from 'valibot';
import { FEATURES, hasFeature, isBox, limitOf, PLAN_NAMES, seatsSold, type Limit, type PlanName } from '#crdt-model/tariff/plans.ts';
import { tariffSchema } from '#crdt-model/tariff/tariff.ts';
import { members, route, type App, type Services } from './call.ts';

const limit = v.pipe(v.nullable(v.number()), v.description('Null where there is no limit'));
export const tariffAnswer = v.object({
	...tariffSchema.entries,
	plans: v.array(
		v.object({
			name: v.picklist(PLAN_NAMES),
			where: v.picklist(['cloud', 'box']),
			people: limit,
			storageBytes: limit,
			seats: v.pipe(v.nullable(v.object({ fewest: v.number(), most: v.number() })), v.description('Of a box licence: how many seats it is sold with')),
			features: v.array(v.picklist(FEATURES))
		})
	)
});

export const tariffRoutes = {
	tariff: route({
		method: 'get',
		path: '/api/v1/tariff',
		summary: 'The plan that holds, its limits and what is used of them, and all plans to compare',
		signedIn: true,
		answer: { status: 200, description: 'The tariff', schema: tariffAnswer }
	})
};

export function mountTariff(app: App, services: Services): void {
	members(app, services, tariffRoutes.tariff, (_call, { portal }) => Response.json({ ...portal.tariff, plans: PLAN_NAMES.map(planRow) }));
}

function planRow(name: PlanName) {
	const most = (of: Limit): number | null => {
		const value = limitOf(name, of, { seats: seatsSold(name)?.most ?? 0 });
		return Number.isFinite(value) ? value : null;
	};
	return {
		name,
		where: isBox(name) ? 'box' : 'cloud',
		people: most('people'),
		storageBytes: most('storageBytes'),
		seats: seatsSold(name),
		features: FEATURES.filter((feature) => hasFeature(name, feature))
	};
}
