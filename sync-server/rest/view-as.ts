/**
 * An administrator looks on as another person (SPEC E1–E5): read only, for an hour at most, and never without a record of it.
 *
 * Promises: the portal's log says who looked on as whom before anything is shown; the token that begins here opens nothing for writing.
 */
import * as v from 'valibot';
import { members, route, type App, type Services } from './call.ts';
import { badField, problem, refusalProblem } from './problem.ts';
import { moment, personId } from './schemas.ts';

const viewBody = v.object({ person: personId });
const viewAnswer = v.object({
	person: personId,
	token: v.pipe(v.string(), v.description('For `Authorization: Bearer`, or on a socket as subprotocol `atrium.view.<token>`; reads as the person reads, writes nothing')),
	expiresAt: moment
});

export const viewRoutes = {
	begin: route({
		method: 'post',
		path: '/api/v1/view-as',
		summary: 'Look on as another person, read only and recorded; for administrators',
		signedIn: true,
		body: viewBody,
		answer: { status: 201, description: 'Recorded and begun', schema: viewAnswer }
	}),
	end: route({
		method: 'delete',
		path: '/api/v1/view-as',
		summary: 'End this view; with an administrator\'s own sign-in, all views of it',
		signedIn: true,
		alsoViewing: true,
		answer: { status: 204, description: 'Ended; its connections are closed with 4401' }
	})
};

export function mountViewAs(app: App, services: Services): void {
	const { accounts } = services;

	members(app, services, viewRoutes.begin, async ({ body: { person } }, { portal, person: viewer, signIn }) => {
		if (!portal.directory.isAdministrator(viewer)) {
			return problem('denied', { detail: 'administrators look on as others', extra: { rule: 'view.administrators', who: ['admins'] } });
		}
		if (person === viewer || !portal.actorOf(person)) return badField('person', 'somebody else who works here now');
		const recorded = await portal.recordView(viewer, person);
		if (recorded !== null) return refusalProblem(recorded);
		// Rights may have gone while the disk was waited for.
		if (!portal.seated({ person, viewer })) return problem('denied', { detail: 'administrators look on as others' });
		return Response.json({ person, ...accounts.startView(signIn, person) }, { status: 201 });
	});

	members(app, services, viewRoutes.end, async (_call, { signIn, token, viewer }) => {
		if (viewer === null) accounts.endViewsUnder(signIn.session);
		else await accounts.endSession(token);
		return new Response(null, { status: 204 });
	});
}
