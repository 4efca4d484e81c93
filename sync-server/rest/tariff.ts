/** The portal's plan, what it limits and what is used. Every portal of this version has the demo plan. */
import * as v from 'valibot';
import { FEATURES, hasFeature, limitOf, PLAN_NAMES, type Limit, type PlanName } from '#crdt-model/tariff/plans.ts';
import { members, route, type App, type Services } from './call.ts';

const PLAN: PlanName = 'demo';

const limit = v.pipe(v.nullable(v.number()), v.description('Null where there is no limit'));
export const tariffAnswer = v.object({
	plan: v.picklist(PLAN_NAMES),
	limits: v.object({ people: limit, storageBytes: limit }),
	used: v.object({ people: v.number() }),
	features: v.array(v.picklist(FEATURES))
});

export const tariffRoutes = {
	tariff: route({
		method: 'get',
		path: '/api/v1/tariff',
		summary: 'The plan, its limits and what is used',
		signedIn: true,
		answer: { status: 200, description: 'The plan', schema: tariffAnswer }
	})
};

export function mountTariff(app: App, services: Services): void {
	members(app, services, tariffRoutes.tariff, (_call, { portal }) => {
		let people = 0;
		for (const person of portal.directory.people) if (person.active) people++;
		return Response.json({
			plan: PLAN,
			limits: { people: finite('people'), storageBytes: finite('storageBytes') },
			used: { people },
			features: FEATURES.filter((feature) => hasFeature(PLAN, feature))
		});
	});
}

/** JSON has no infinity. */
function finite(name: Limit): number | null {
	const value = limitOf(PLAN, name);
	return Number.isFinite(value) ? value : null;
}
