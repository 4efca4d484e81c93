/**
 * The REST application: every route of it, and what is said about the others.
 *
 * Promises: a fault in a handler is a 500 that says nothing, and is logged whole; an unknown path or method is a problem like any other.
 */
import { Hono } from 'hono';
import type { Metrics } from '../ops/metrics.ts';
import type { OperatorDoor } from '../ops/operator.ts';
import { mountOperatorRest } from '../ops/operator-rest.ts';
import { finished, honoPath, type App, type Bindings, type RouteSpec, type Services } from './call.ts';
import { documentRoutes, mountDocuments } from './documents.ts';
import { entranceRoutes, mountEntrance } from './entrance.ts';
import { farewellRoutes, mountFarewell } from './farewell.ts';
import { fileRoutes, mountFiles } from './files.ts';
import { invitationRoutes, mountInvitations } from './invitations.ts';
import { linkRoutes, mountInvitationLinks } from './invitation-links.ts';
import { joinRoutes, mountJoins } from './joins.ts';
import { letterRoutes, mountLetters } from './letters.ts';
import { openApiOf } from './openapi.ts';
import { mountPeople, peopleRoutes } from './people.ts';
import { problem } from './problem.ts';
import { mountOidc, oidcRoutes } from './oidc.ts';
import { mountPasskeys, passkeyRoutes } from './passkeys.ts';
import { mountOwnAccount, ownAccountRoutes } from './own-account.ts';
import { mountRegistrations, registrationRoutes } from './registrations.ts';
import { mountSecondFactor, secondFactorRoutes } from './second-factor.ts';
import { mountSessions, sessionRoutes } from './sessions.ts';
import { mountSignIn, signInRoutes } from './sign-in.ts';
import { mountTariff, tariffRoutes } from './tariff.ts';
import { mountViewAs, viewRoutes } from './view-as.ts';

const plainRoutes: readonly RouteSpec[] = [
	{ method: 'get', path: '/healthz', summary: 'Whether the relay is ready', signedIn: false, answer: { status: 200, description: 'Ready', type: 'text/plain' } },
	{ method: 'get', path: '/metrics', summary: 'Numbers for Prometheus', signedIn: false, answer: { status: 200, description: 'Prometheus text', type: 'text/plain' } },
	{ method: 'get', path: '/api/openapi.json', summary: 'This file', signedIn: false, answer: { status: 200, description: 'OpenAPI 3.1', type: 'application/json' } }
];
export const routes: readonly RouteSpec[] = [
	...Object.values(entranceRoutes),
	...Object.values(registrationRoutes),
	...Object.values(signInRoutes),
	...Object.values(sessionRoutes),
	...Object.values(ownAccountRoutes),
	...Object.values(secondFactorRoutes),
	...Object.values(passkeyRoutes),
	...Object.values(oidcRoutes),
	...Object.values(invitationRoutes),
	...Object.values(linkRoutes),
	...Object.values(joinRoutes),
	...Object.values(peopleRoutes),
	...Object.values(letterRoutes),
	...Object.values(documentRoutes),
	...Object.values(fileRoutes),
	...Object.values(tariffRoutes),
	...Object.values(viewRoutes),
	...Object.values(farewellRoutes),
	...plainRoutes
] as readonly RouteSpec[];

export interface RestOptions {
	readonly services: Services;
	readonly metrics: Pick<Metrics, 'called' | 'contentType' | 'text'>;
	readonly operator: Pick<OperatorDoor, 'mount'>;
	/** Opens the operator's REST. */
	readonly operatorToken: string | null;
	onFault(fault: unknown): void;
}

export function restApp({ services, metrics, operator, operatorToken, onFault }: RestOptions): App {
	const app: App = new Hono<Bindings>();
	const openApi = JSON.stringify(openApiOf(routes, services.publicUrl));
	app.use(async (c, next) => {
		await next();
		metrics.called(c.req.method, c.res.status);
	});
	app.get('/healthz', () => finished(new Response('ok\n', { headers: { 'content-type': 'text/plain; charset=utf-8' } })));
	app.get('/metrics', async () => finished(new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } })));
	app.get('/api/openapi.json', () => finished(new Response(openApi, { headers: { 'content-type': 'application/json' } })));
	mountEntrance(app, services);
	mountRegistrations(app, services);
	mountSignIn(app, services);
	mountSessions(app, services);
	mountOwnAccount(app, services);
	mountSecondFactor(app, services);
	mountPasskeys(app, services);
	mountOidc(app, services);
	mountInvitations(app, services);
	mountInvitationLinks(app, services);
	mountJoins(app, services);
	mountPeople(app, services);
	mountLetters(app, services);
	mountDocuments(app, services);
	mountFiles(app, services);
	mountTariff(app, services);
	mountViewAs(app, services);
	mountFarewell(app, services);
	mountOperatorRest(app, services, operatorToken);
	operator.mount(app);
	for (const path of new Set(routes.map((route) => route.path))) {
		const allow = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase()).join(', ');
		app.all(honoPath(path), () => finished(problem('no-such-method', { headers: { allow } })));
	}
	app.notFound(() => finished(problem('no-such-path')));
	app.onError((fault) => {
		onFault(fault);
		return finished(problem('fault'));
	});
	return app;
}
