/**
 * Founding a portal, signing in and out, and who one is.
 *
 * Promises: a password is judged by accounts/ alone, at the same cost whatever is wrong; the token goes to the caller and into the cookie and nowhere else.
 */
import type { PersonId, PortalId } from '#crdt-model/ids.ts';
import type { IdentityId, Registered } from '../accounts/accounts.ts';
import { clearedSessionCookie, originAllowed, sessionCookie } from '../accounts/cookie.ts';
import { EMAIL_MAX } from '../accounts/email.ts';
import { PASSWORD_MAX, PASSWORD_MIN } from '../accounts/password.ts';
import type { Portal } from '../room/portal.ts';
import { credentialsOf, everyone, finished, honoPath, mayFound, members, notSignedIn, route, type App, type Call, type Services } from './call.ts';
import { badField, problem, retryLater } from './problem.ts';
import { foundingBody, meAnswer, signedInAnswer, signInBody } from './schemas.ts';

export const signInRoutes = {
	found: route({
		method: 'post',
		path: '/api/v1/portals',
		summary: 'Found a portal; the caller becomes its administrator and is signed in',
		signedIn: false,
		body: foundingBody,
		answer: { status: 201, description: 'Founded', schema: signedInAnswer },
		problems: [401, 403, 429]
	}),
	signIn: route({
		method: 'post',
		path: '/api/v1/sessions',
		summary: 'Sign in',
		signedIn: false,
		body: signInBody,
		answer: { status: 201, description: 'Signed in', schema: signedInAnswer },
		problems: [401, 409, 429]
	}),
	signOut: route({
		method: 'delete',
		path: '/api/v1/sessions/current',
		summary: 'Sign out; open connections of the session are closed with 4401',
		signedIn: true,
		answer: { status: 204, description: 'Signed out' }
	}),
	me: route({
		method: 'get',
		path: '/api/v1/me',
		summary: 'Who I am, in which portal',
		signedIn: true,
		answer: { status: 200, description: 'The signed-in person', schema: meAnswer }
	})
};

const PASSWORD_WORDS = `at least ${PASSWORD_MIN} characters, at most ${PASSWORD_MAX}, and not the e-mail address`;

/** What a registration says when it does not let one in. */
export function registrationProblem(registered: Exclude<Registered, { outcome: 'created' | 'known' }>): Response {
	switch (registered.outcome) {
		case 'too-many-attempts':
			return retryLater('too-many-attempts', registered.retryAfterSeconds);
		case 'wrong-password':
			return problem('wrong-credentials', { detail: 'This address has an account already; its present password is needed.' });
		case 'refused': {
			const [field] = registered.refusal.split('-');
			if (field === 'password') return badField('password', PASSWORD_WORDS);
			if (field === 'email') return badField('email', `an e-mail address of at most ${EMAIL_MAX} characters`);
			return badField('firstName', 'one line of text');
		}
	}
}

/** Starts a session and says so, to programs in the body and to browsers by the cookie. */
export async function signedInResponse(
	services: Services,
	call: Pick<Call, 'ip' | 'header'>,
	who: { identity: IdentityId; portal: PortalId; employee: PersonId }
): Promise<Response> {
	const started = await services.accounts.startSession({ ...who, userAgent: call.header('user-agent') ?? null, ip: call.ip });
	if (started.outcome !== 'started') return problem('not-a-member');
	const cookie = sessionCookie(started.token, { expiresAt: started.expiresAt, now: services.now() }, services.publicUrl);
	return Response.json({ portal: who.portal, employee: who.employee, token: started.token }, { status: 201, headers: { 'set-cookie': cookie } });
}

export function mountSignIn(app: App, services: Services): void {
	const { accounts, portals, publicUrl } = services;

	everyone(app, services, signInRoutes.found, async (call) => {
		if (!mayFound(services)) return problem('founding-closed');
		const { company, firstName, lastName, email, password, language } = call.body;
		const registered = await accounts.registerIdentity({ email, password, name: `${firstName} ${lastName}`, ip: call.ip });
		if (registered.outcome !== 'created' && registered.outcome !== 'known') return registrationProblem(registered);
		const { identity } = registered;
		if (!mayFound(services)) return problem('founding-closed');
		// A crash before the membership leaves a portal that nobody can enter; the founder, who heard nothing, founds again.
		const { portal, administrator } = await portals.found({ company, language: language ?? 'en', firstName, lastName, email: registered.email });
		await accounts.addMembership({ identity, portal: portal.id, employee: administrator });
		return signedInResponse(services, call, { identity, portal: portal.id, employee: administrator });
	});

	everyone(app, services, signInRoutes.signIn, async (call) => {
		const signed = await accounts.signIn({ email: call.body.email, password: call.body.password, ip: call.ip });
		if (signed.outcome === 'too-many-attempts') return retryLater('too-many-attempts', signed.retryAfterSeconds);
		if (signed.outcome !== 'signed-in') return problem('wrong-credentials');
		const active: { portal: Portal; employee: PersonId }[] = [];
		for (const membership of signed.memberships) {
			if (call.body.portal !== undefined && membership.portal !== call.body.portal) continue;
			const portal = await portals.portal(membership.portal);
			if (portal?.actorOf(membership.employee)) active.push({ portal, employee: membership.employee });
		}
		const [only, ...others] = active;
		if (!only) return problem('not-a-member');
		if (others.length > 0) {
			const choices = active.map(({ portal }) => ({ portal: portal.id, company: portal.settings?.company ?? '' }));
			return problem('choose-portal', { detail: 'name one of the portals', extra: { portals: choices } });
		}
		return signedInResponse(services, call, { identity: signed.identity, portal: only.portal.id, employee: only.employee });
	});

	// Not by `members`: also the dismissed may sign out, and a browser whose session ended is freed of its cookie.
	app.on('DELETE', honoPath(signInRoutes.signOut.path), async (c) => {
		const cleared = { 'set-cookie': clearedSessionCookie(publicUrl) };
		const credentials = credentialsOf(c.req.header('authorization'), c.req.header('cookie'));
		if (!credentials || !accounts.resolveToken(credentials.token)) return finished(notSignedIn(cleared));
		if (credentials.byCookie && !originAllowed(c.req.header('origin'), publicUrl, c.req.header('host'))) return finished(problem('bad-origin'));
		await accounts.endSession(credentials.token);
		return finished(new Response(null, { status: 204, headers: cleared }));
	});

	members(app, services, signInRoutes.me, (_call, { portal, person, viewer }) => {
		const { firstName, lastName, email, language, administrator, departments } = portal.directory.person(person)!;
		const settings = portal.settings;
		return Response.json({
			portal: portal.id,
			company: settings?.company ?? '',
			currency: settings?.currency ?? 'EUR',
			employee: person,
			firstName,
			lastName,
			email,
			language: language ?? settings?.language ?? 'en',
			administrator,
			departments,
			...(viewer !== null && { viewer })
		});
	});
}
