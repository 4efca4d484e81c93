/**
 * Where somebody is signed in: their own list over all their portals, an administrator's list of one person in one portal; ending what is there; and
 * changing to another portal of the same account.
 *
 * Promises: nobody sees or ends a session that is neither their own nor of a person in the portal that they administer; what ended closes its sockets at once; a change of
 * portal asks for whatever that portal demands, and leaves the present sign-in as it is; it sets up no second factor: for that one signs in there.
 */
import * as v from 'valibot';
import type { ListedSession } from '../accounts/sessions.ts';
import { members, route, type App, type Services } from './call.ts';
import { problem } from './problem.ts';
import { moment, personId, portalId, signedInAnswer } from './schemas.ts';
import { signInOver } from './signing-in.ts';

const listed = {
	id: v.string(),
	createdAt: moment,
	lastSeenAt: v.pipe(moment, v.description('To ten minutes')),
	ip: v.nullable(v.string()),
	userAgent: v.nullable(v.string())
};
const ownAnswer = v.object({ sessions: v.array(v.object({ ...listed, portal: portalId, company: v.string(), current: v.boolean() })) });
const theirsAnswer = v.object({ sessions: v.array(v.object({ ...listed, current: v.boolean() })) });
const ended = v.object({ ended: v.number() });

export const sessionRoutes = {
	switch: route({
		method: 'post',
		path: '/api/v1/sessions/switch',
		summary: 'Sign in to another portal of the same account, beside this one',
		signedIn: true,
		body: v.object({ portal: portalId }),
		answer: { status: 201, description: 'Signed in there', schema: signedInAnswer },
		problems: [401, 403]
	}),
	own: route({
		method: 'get',
		path: '/api/v1/sessions',
		summary: 'Where I am signed in, in all my portals, newest first',
		signedIn: true,
		answer: { status: 200, description: 'My sessions', schema: ownAnswer }
	}),
	endOthers: route({
		method: 'delete',
		path: '/api/v1/sessions',
		summary: 'End all my sessions in all portals but this one',
		signedIn: true,
		query: v.object({ all: v.optional(v.pipe(v.picklist(['true', 'false']), v.description('`true`: this one too'))) }),
		answer: { status: 200, description: 'Ended', schema: ended }
	}),
	endOne: route({
		method: 'delete',
		path: '/api/v1/sessions/{id}',
		summary: 'End one of my sessions',
		signedIn: true,
		answer: { status: 204, description: 'Ended' },
		problems: [404]
	}),
	theirs: route({
		method: 'get',
		path: '/api/v1/people/{person}/sessions',
		summary: 'Where a person is signed in to this portal; for administrators',
		signedIn: true,
		answer: { status: 200, description: 'Their sessions', schema: theirsAnswer },
		problems: [404]
	}),
	endTheirs: route({
		method: 'delete',
		path: '/api/v1/people/{person}/sessions',
		summary: 'End all sessions of a person in this portal; for administrators',
		signedIn: true,
		answer: { status: 200, description: 'Ended', schema: ended },
		problems: [404]
	})
};

const shown = ({ session, createdAt, lastSeenAt, ip, userAgent }: ListedSession) => ({ id: session, createdAt, lastSeenAt, ip, userAgent });

export function mountSessions(app: App, services: Services): void {
	const { accounts, portals } = services;

	members(app, services, sessionRoutes.switch, async (call, { signIn }) => {
		// A session of before the factor was enrolled proved none.
		const factorDone = await accounts.factors.hasProved(signIn.session);
		return signInOver(services, call, { identity: signIn.identity, portal: call.body.portal, factorDone, bySession: true });
	});

	members(app, services, sessionRoutes.own, async (_call, { signIn, viewer }) => {
		// Where the administrator is signed in is not the business of whom they look on as.
		if (viewer !== null) return problem('denied', { detail: 'sessions are their person’s to see' });
		const sessions = [];
		for (const one of await accounts.sessionsOf({ identity: signIn.identity })) {
			const company = (await portals.portal(one.portal))?.settings?.company ?? '';
			sessions.push({ ...shown(one), portal: one.portal, company, current: one.session === signIn.session });
		}
		return Response.json({ sessions });
	});

	members(app, services, sessionRoutes.endOthers, async ({ query }, { signIn }) =>
		Response.json({ ended: await accounts.endAllSessions({ identity: signIn.identity }, query.all === 'true' ? undefined : signIn.session) })
	);

	members(app, services, sessionRoutes.endOne, async (call, { signIn }) => {
		const isOver = await accounts.endOwnSession(signIn.identity, call.param('id'));
		return isOver ? new Response(null, { status: 204 }) : problem('not-found');
	});

	members(app, services, sessionRoutes.theirs, async (call, { portal, person: caller, signIn }) => {
		if (!portal.directory.isAdministrator(caller)) return problem('denied', { detail: 'administrators see where others are signed in', extra: { who: ['admins'] } });
		const person = call.param('person');
		if (!v.is(personId, person) || !portal.directory.person(person)) return problem('not-found');
		const sessions = await accounts.sessionsOf({ portal: portal.id, employee: person });
		return Response.json({ sessions: sessions.map((one) => ({ ...shown(one), current: one.session === signIn.session })) });
	});

	members(app, services, sessionRoutes.endTheirs, async (call, { portal, person: caller }) => {
		if (!portal.directory.isAdministrator(caller)) return problem('denied', { detail: 'administrators end others’ sessions', extra: { who: ['admins'] } });
		const person = call.param('person');
		if (!v.is(personId, person) || !portal.directory.person(person)) return problem('not-found');
		return Response.json({ ended: await accounts.endAllSessions({ portal: portal.id, employee: person }) });
	});
}
