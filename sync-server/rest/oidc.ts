/**
 * Accounts at providers: the way there and back, to sign in or to link, and the links themselves.
 *
 * The way back ends in the app, which keeps on the device whom it shows: at `/sign-in?next=<path>#oidc=<portal id>` for whoever is in, `#oidc=<ticket>` where more is
 * asked for (`POST /sessions` with the ticket alone says what), else `#oidc=<problem code>`; for a link, at `/profile#oidc=linked` or `/profile#oidc=<problem code>`.
 * Tickets stand in the fragment, which no server sees, and a page goes on with one only in the browser that came back with it: else a link with somebody's ticket would sign
 * whoever follows it into that somebody's account.
 * Promises: nothing of a provider's answer reaches a log or an address of ours; an account that is linked with nobody signs nobody in, whatever address it has;
 * a link is made by whoever began it with their password, while that session lives.
 * Leaves to others: what is checked of the answer (`accounts/oidc.ts`); the second factor, which is still asked for (`signing-in.ts`).
 */
import * as v from 'valibot';
import { cookieValue, serialize } from '../accounts/cookie.ts';
import { type Cookie, sitePath } from '../accounts/oidc.ts';
import { everyone, members, route, type App, type Services } from './call.ts';
import { askPassword, ownersAlone, tellOwner } from './owner.ts';
import { problem } from './problem.ts';
import { moment, password, portalId } from './schemas.ts';
import { resumeCookie, signInOver } from './signing-in.ts';

const link = v.object({
	provider: v.string(),
	label: v.pipe(v.nullable(v.string()), v.description('The account\'s address or name')),
	linkedAt: moment,
	lastUsedAt: v.nullable(moment)
});

export const oidcRoutes = {
	start: route({
		method: 'get',
		path: '/api/v1/oidc/{provider}/start',
		summary: 'Go to a provider to sign in; for a browser\'s address, not for programs',
		signedIn: false,
		query: v.object({
			portal: v.optional(portalId),
			next: v.optional(v.pipe(v.string(), v.description('A path of this site; anything else is `/`'))),
			again: v.optional(v.pipe(v.string(), v.description('Not to be set: the relay\'s own mark that it has sent the browser to its public address')))
		}),
		answer: { status: 302, description: 'To the provider, or back to the app where it cannot be reached' },
		problems: [404, 429]
	}),
	callback: route({
		method: 'get',
		path: '/api/v1/oidc/{provider}/callback',
		summary: 'Where a provider sends the browser back to',
		signedIn: false,
		answer: { status: 302, description: 'To `/sign-in#oidc=` with the portal for whoever is in, a ticket where more is asked for (`POST /sessions` with it alone says what), or a problem code; for a link to `/profile#oidc=` with `linked` or a problem code' },
		problems: [404, 429]
	}),
	link: route({
		method: 'post',
		path: '/api/v1/me/links/{provider}',
		summary: 'Link an account at a provider, so that it signs me in; the browser then goes to `location`',
		signedIn: true,
		body: v.object({ password }),
		answer: { status: 200, description: 'Begun in this browser', schema: v.object({ location: v.string() }) },
		problems: [404, 429, 503]
	}),
	links: route({
		method: 'get',
		path: '/api/v1/me/links',
		summary: 'My linked accounts',
		signedIn: true,
		answer: { status: 200, description: 'One of each provider at most', schema: v.object({ links: v.array(link) }) }
	}),
	unlink: route({
		method: 'delete',
		path: '/api/v1/me/links/{provider}',
		summary: 'Unlink an account: it signs nobody in any more',
		signedIn: true,
		answer: { status: 204, description: 'Unlinked' },
		problems: [409]
	})
};

const SIGN_IN_PAGE = '/sign-in';
const PROFILE_PAGE = '/profile';

export function mountOidc(app: App, services: Services): void {
	const { accounts, oidc, publicUrl } = services;
	const ours = new URL(publicUrl);
	// Lax: the provider's page sends the browser back, which is another site's link; a form or a picture there brings nothing.
	const setCookie = ({ name, value, maxAgeSeconds }: Cookie): string => serialize(name, value, maxAgeSeconds, publicUrl, '/api/v1/oidc');
	const cleared = (name: string): string => setCookie({ name, value: '', maxAgeSeconds: 0 });

	everyone(app, services, oidcRoutes.start, async (call) => {
		const provider = call.param('provider');
		if (!oidc.has(provider)) return problem('no-such-path');
		// The provider sends back to the public address, and the cookie must be there by then.
		const isElsewhere = (call.header('host') ?? ours.host).toLowerCase() !== ours.host && call.query.again === undefined;
		const query = new URLSearchParams({ ...(call.query.portal && { portal: call.query.portal }), next: sitePath(call.query.next), again: '1' });
		if (isElsewhere) return toApp(`${publicUrl}/api/v1/oidc/${provider}/start?${query}`);
		const started = await oidc.start(provider, { kind: 'sign-in', portal: call.query.portal ?? null, next: sitePath(call.query.next) });
		if (started.outcome !== 'started') return toApp(`${SIGN_IN_PAGE}#oidc=oidc-unreachable`);
		return toApp(started.location, [setCookie(started.cookie)]);
	});

	everyone(app, services, oidcRoutes.callback, async (call) => {
		const provider = call.param('provider');
		if (!oidc.has(provider)) return problem('no-such-path');
		const answer = new URL(call.url).searchParams;
		const name = oidc.cookieOf(answer);
		const finished = await oidc.finish(provider, answer, name === null ? null : cookieValue(call.header('cookie'), name));
		const cookies = name === null ? [] : [cleared(name)];
		const { intent } = finished;
		if (finished.outcome === 'problem') return toApp(`${intent?.kind === 'link' ? PROFILE_PAGE : SIGN_IN_PAGE}#oidc=${finished.problem}`, cookies);
		if (finished.intent.kind === 'link') {
			const { identity, session } = finished.intent;
			if ((await accounts.sessionBeganAt(identity, session)) === null) return toApp(`${PROFILE_PAGE}#oidc=oidc-expired`, cookies);
			const { outcome } = await accounts.factors.links.link(identity, finished.word);
			if (outcome !== 'linked') return toApp(`${PROFILE_PAGE}#oidc=oidc-taken`, cookies);
			await tellOwner(services, identity, 'account-linked', null);
			return toApp(`${PROFILE_PAGE}#oidc=linked`, cookies);
		}
		const identity = await accounts.factors.links.recognise(finished.word);
		if (identity === null) return toApp(`${SIGN_IN_PAGE}#oidc=oidc-not-linked`, cookies);
		const signedIn = await signInOver(services, call, { identity, portal: finished.intent.portal, factorDone: false });
		const { portal, code, ticket } = (await signedIn.json()) as { portal?: string; code?: string; ticket?: string };
		const page = `${SIGN_IN_PAGE}?${new URLSearchParams({ next: finished.intent.next })}`;
		return toApp(`${page}#oidc=${portal ?? ticket ?? code}`, [...cookies, ...(ticket ? [resumeCookie(services, ticket)] : []), ...signedIn.headers.getSetCookie()]);
	});

	members(app, services, oidcRoutes.link, async (call, { signIn }) => {
		const provider = call.param('provider');
		if (!oidc.has(provider)) return problem('no-such-path');
		const refused = await askPassword(services, signIn, call.body.password, call.ip);
		if (refused) return refused;
		const started = await oidc.start(provider, { kind: 'link', identity: signIn.identity, session: signIn.session });
		if (started.outcome !== 'started') return problem('oidc-unreachable');
		return Response.json({ location: started.location }, { headers: { 'set-cookie': setCookie(started.cookie) } });
	});

	members(app, services, oidcRoutes.links, async (_call, { signIn, viewer }) => (viewer === null ? Response.json({ links: await accounts.factors.links.of(signIn.identity) }) : ownersAlone()));

	members(app, services, oidcRoutes.unlink, async (call, { signIn, portal }) => {
		const { identity } = signIn;
		if (!(await accounts.factors.links.unlink(identity, call.param('provider')))) return problem('oidc-not-linked');
		await tellOwner(services, identity, 'account-unlinked', portal.id);
		return new Response(null, { status: 204 });
	});
}

function toApp(location: string, cookies: readonly string[] = []): Response {
	// The address that a provider sent to holds its code: it goes to nobody as the page that one came from.
	const headers = new Headers({ location, 'referrer-policy': 'no-referrer' });
	for (const cookie of cookies) headers.append('set-cookie', cookie);
	return new Response(null, { status: 302, headers });
}
