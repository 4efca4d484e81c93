/**
 * An administrator looks on as another person (SPEC E1–E5): read only, for an hour at most, and never without a record of it.
 *
 * Promises: the portal's log says who looked on as whom before anything is shown; the token that begins here opens nothing for writing, and a page has it as a cookie
 * that no script reads.
 */
import * as v from 'valibot';
import { clearedViewCookie, viewCookie } from '../accounts/cookie.ts';
import { recordView } from '../room/relay-acts.ts';
import { members, route, type App, type Services } from './call.ts';
import { badField, problem, refusalProblem } from './problem.ts';
import { moment, personId } from './schemas.ts';
import { isForPage } from './signing-in.ts';

const viewBody = v.object({ person: personId });
const viewAnswer = v.object({
	person: personId,
	view: v.pipe(v.string(), v.description('Names the view: a page, which has its token as a cookie, says `X-Atrium-View: <view>`, and on a socket subprotocol `atrium.view.<view>`')),
	token: v.optional(v.pipe(v.string(), v.description('For programs alone, as `Authorization: Bearer`; reads as the person reads, writes nothing'))),
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

	members(app, services, viewRoutes.begin, async (call, { portal, person: viewer, signIn }) => {
		const { person } = call.body;
		if (!portal.directory.isAdministrator(viewer)) {
			return problem('denied', { detail: 'administrators look on as others', extra: { rule: 'view.administrators', who: ['admins'] } });
		}
		if (person === viewer || !portal.actorOf(person)) return badField('person', 'somebody else who works here now');
		const recorded = await recordView(portal, viewer, person);
		if (recorded !== null) return refusalProblem(recorded);
		// Rights may have gone while the disk was waited for.
		if (!portal.seated({ person, viewer })) return problem('denied', { detail: 'administrators look on as others' });
		const { view, token, expiresAt } = accounts.startView(signIn, person);
		const headers = { 'set-cookie': viewCookie(view, token, { expiresAt, now: services.now() }, services.publicUrl) };
		return Response.json({ person, view, expiresAt, ...(!isForPage(services, call) && { token }) }, { status: 201, headers });
	});

	members(app, services, viewRoutes.end, async (_call, { signIn, token, viewer }) => {
		if (viewer === null) {
			accounts.endViewsUnder(signIn.session);
			return new Response(null, { status: 204 });
		}
		await accounts.endSession(token);
		return new Response(null, { status: 204, headers: { 'set-cookie': clearedViewCookie(signIn.session, services.publicUrl) } });
	});
}
