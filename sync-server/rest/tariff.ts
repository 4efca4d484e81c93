/** The portal's tariff over REST: what `/sync` tells devices, and the table of all plans beside it. */
import * as v from 'valibot';
import { FEATURES, hasFeature, isBox, limitOf, PLAN_NAMES, seatsSold, type Limit, type PlanName } from '#crdt-model/tariff/plans.ts';
import { tariffSchema } from '#crdt-model/tariff/tariff.ts';
import { tariffCommand } from '../operator/tariff-command.ts';
import { members, route, type App, type Services } from './call.ts';
import { problem } from './problem.ts';

const limit = v.pipe(v.nullable(v.number()), v.description('Null where there is no limit'));
export const tariffAnswer = v.object({
	...tariffSchema.entries,
	operatorContact: v.pipe(v.nullable(v.string()), v.description('Who changes the tariff: an e-mail address, a web address or a line of text')),
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
	}),
	demo: route({
		method: 'post',
		path: '/api/v1/tariff/demo',
		summary: 'Begin the demo month: all features and no limits for thirty days, once per portal, under cloud plans; for administrators',
		signedIn: true,
		answer: { status: 201, description: 'Begun; open devices are told over /sync', schema: tariffSchema },
		problems: [409]
	})
};

export function mountTariff(app: App, services: Services): void {
	members(app, services, tariffRoutes.tariff, (_call, { portal }) =>
		Response.json({ ...portal.tariff, operatorContact: services.operatorContact, plans: PLAN_NAMES.map(planRow) })
	);

	members(app, services, tariffRoutes.demo, async (_call, { portal, person }) => {
		if (!portal.directory.isAdministrator(person)) {
			return problem('denied', { detail: 'administrators begin the demo', extra: { rule: 'tariff.administrators', who: ['admins'] } });
		}
		const answer = await tariffCommand({ portals: services.portals, now: services.now }, { portal: portal.id, demo: 'start' });
		if ('problem' in answer) return problem('no-demo', { detail: answer.problem });
		return Response.json(answer.portals[0]!.tariff, { status: 201 });
	});
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
