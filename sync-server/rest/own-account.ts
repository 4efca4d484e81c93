/**
 * A person's own account: who they are, their password, login and address, and the way back in when the password is forgotten.
 *
 * Promises: what changes how one signs in asks for the password again, or for a letter's code; whether an address is known is told to its mailbox alone; a new
 * address counts once its letter was answered, and the old one is told; a password that changes ends what was signed in by the old one.
 */
import * as v from 'valibot';
import type { PortalId } from '#crdt-model/ids.ts';
import type { IdentityId } from '../accounts/accounts.ts';
import { EMAIL_CHANGE, PASSWORD_RESET } from '../accounts/registrations.ts';
import type { Portal } from '../room/portal.ts';
import { changeEmail } from '../room/relay-acts.ts';
import { parseEmail } from '../accounts/email.ts';
import { everyone, members, route, type App, type Services } from './call.ts';
import { askPassword, languageOf } from './owner.ts';
import { badField, problem, retryLater } from './problem.ts';
import { unknownCode } from './registrations.ts';
import { codeBody, email, meAnswer, newPassword, password } from './schemas.ts';
import { passwordProblem, refusedProblem } from './sign-in.ts';
import { secondFactorShown } from './signing-in.ts';

const accepted = { status: 202, description: 'A letter is on its way, if there is anybody to write to', schema: v.object({}) } as const;

export const ownAccountRoutes = {
	me: route({
		method: 'get',
		path: '/api/v1/me',
		summary: 'Who I am, in which portal',
		signedIn: true,
		answer: { status: 200, description: 'The signed-in person', schema: meAnswer }
	}),
	password: route({
		method: 'put',
		path: '/api/v1/me/password',
		summary: 'Another password; all other sessions end',
		signedIn: true,
		body: v.object({ current: password, password: newPassword }),
		answer: { status: 204, description: 'Changed' },
		problems: [429]
	}),
	login: route({
		method: 'put',
		path: '/api/v1/me/login',
		summary: 'A name to sign in with, beside the address',
		signedIn: true,
		body: v.object({ login: v.string(), password }),
		answer: { status: 204, description: 'Changed' },
		problems: [409, 429]
	}),
	email: route({
		method: 'post',
		path: '/api/v1/me/email',
		summary: 'Ask for another address; the letter to it says how it goes on',
		signedIn: true,
		body: v.object({ email, password }),
		answer: accepted,
		problems: [429]
	}),
	confirmEmail: route({
		method: 'post',
		path: '/api/v1/email-confirmations',
		summary: 'The letter to a new address was answered: it counts from now on, in all portals',
		signedIn: false,
		body: codeBody,
		answer: { status: 204, description: 'Changed' },
		problems: [404, 409, 429]
	}),
	forgot: route({
		method: 'post',
		path: '/api/v1/password-resets',
		summary: 'Ask for a letter with which a password can be chosen anew',
		signedIn: false,
		body: v.object({ email: v.string() }),
		answer: accepted,
		problems: [429]
	}),
	reset: route({
		method: 'post',
		path: '/api/v1/password-resets/confirmation',
		summary: 'Choose a password, with the code of the letter; all sessions end',
		signedIn: false,
		body: v.object({ ...codeBody.entries, password: newPassword }),
		answer: { status: 204, description: 'Changed; sign in with it' },
		problems: [404, 429]
	})
};

export function mountOwnAccount(app: App, services: Services): void {
	const { accounts, portals, letters, now } = services;

	members(app, services, ownAccountRoutes.me, async ({ ip }, { portal, person, viewer, signIn }) => {
		const { firstName, lastName, email: address, language, administrator, departments } = portal.directory.person(person)!;
		const settings = portal.settings;
		return Response.json({
			portal: portal.id,
			company: settings?.company ?? '',
			currency: settings?.currency ?? 'EUR',
			employee: person,
			firstName,
			lastName,
			email: address,
			language: language ?? settings?.language ?? 'en',
			administrator,
			departments,
			// Whoever looks on learns nothing of how the person signs in.
			...(viewer !== null ? { viewer } : await ownFacts(services, signIn.identity, portal, ip))
		});
	});

	members(app, services, ownAccountRoutes.password, async ({ body, ip }, { signIn, portal }) => {
		const refused = await askPassword(services, signIn, body.current, ip);
		if (refused) return refused;
		const set = await accounts.setPassword(signIn.identity, body.password);
		if (set.outcome === 'refused') return passwordProblem(set.refusal);
		await accounts.endAllSessions({ identity: signIn.identity }, signIn.session);
		await tellPasswordChanged(services, signIn.identity, portal.id);
		return new Response(null, { status: 204 });
	});

	members(app, services, ownAccountRoutes.login, async ({ body, ip }, { signIn }) => {
		const refused = await askPassword(services, signIn, body.password, ip);
		if (refused) return refused;
		const set = await accounts.setLogin(signIn.identity, body.login);
		if (set.outcome === 'refused') return refusedProblem(set.refusal);
		return set.outcome === 'set' ? new Response(null, { status: 204 }) : problem('login-taken');
	});

	members(app, services, ownAccountRoutes.email, async ({ body, ip }, { signIn, portal }) => {
		const refused = await askPassword(services, signIn, body.password, ip);
		if (refused) return refused;
		const parsed = parseEmail(body.email);
		if (parsed.outcome === 'refused') return badField('email', 'an e-mail address');
		const { email: to } = parsed;
		const wait = await accounts.mayAskLetter('email', to, ip);
		if (wait) return retryLater('too-many-attempts', wait.retryAfterSeconds);
		const issued = await accounts.codes.issue(EMAIL_CHANGE, to, { identity: signIn.identity, email: to, stamp: await accounts.passwordStamp(signIn.identity) });
		// An address that has an account of its own gets nothing, and nobody else learns that it has: it is looked up after the answer, whose time would tell.
		letters.afterwards(async () => {
			if (!(await accounts.identityByEmail(to))) await letters.send(to, { kind: 'email-change', language: await languageOf(services, signIn.identity, portal.id), ...issued }, { portal: portal.id, ip });
		});
		return Response.json({}, { status: 202 });
	});

	everyone(app, services, ownAccountRoutes.confirmEmail, async ({ body, ip }) => {
		const found = await accounts.bySecret(ip, () => accounts.codes.take(EMAIL_CHANGE, body.code));
		if (found.outcome !== 'judged') return retryLater('too-many-attempts', found.retryAfterSeconds);
		if (found.value === null) return unknownCode();
		const { identity, email: to, stamp } = found.value;
		const before = await accounts.identity(identity);
		if (!before || (await accounts.passwordStamp(identity)) !== stamp) return unknownCode();
		if (!(await accounts.changeEmail(identity, to))) return problem('address-known');
		// What was asked for at the old address opens nothing any more.
		await accounts.codes.drop(PASSWORD_RESET, before.email);
		for (const { portal: id, employee } of await accounts.membershipsOf(identity)) {
			const portal = await portals.portal(id);
			// What was erased stays so: the membership goes a moment later.
			if (portal?.directory.person(employee)?.erased) continue;
			const refused = portal && (await changeEmail(portal, employee, to));
			if (refused) throw new Error(`an address could not be changed in ${id}: ${refused.code} ${refused.detail}`);
		}
		await letters.send(before.email, { kind: 'email-changed', language: await languageOf(services, identity, null), at: now() });
		return new Response(null, { status: 204 });
	});

	everyone(app, services, ownAccountRoutes.forgot, async ({ body, ip }) => {
		const parsed = parseEmail(body.email);
		if (parsed.outcome === 'refused') return badField('email', 'an e-mail address');
		const { email: to } = parsed;
		const wait = await accounts.mayAskLetter('password', to, ip);
		if (wait) return retryLater('too-many-attempts', wait.retryAfterSeconds);
		// Answered before it is looked up whose address it is: the time of an answer would tell.
		letters.afterwards(async () => {
			const known = await accounts.identityByEmail(to);
			const issued = await accounts.codes.issue(PASSWORD_RESET, to, known && { identity: known.identity, stamp: await accounts.passwordStamp(known.identity) });
			if (known) await letters.send(to, { kind: 'password-reset', language: await languageOf(services, known.identity, null), ...issued }, { ip });
		});
		return Response.json({}, { status: 202 });
	});

	everyone(app, services, ownAccountRoutes.reset, async ({ body, ip }) => {
		const found = await accounts.bySecret(ip, () => accounts.codes.open(PASSWORD_RESET, body.code));
		if (found.outcome !== 'judged') return retryLater('too-many-attempts', found.retryAfterSeconds);
		const asked = found.value;
		const owner = asked && (await accounts.identity(asked.identity));
		if (!asked || !owner || (await accounts.passwordStamp(asked.identity)) !== asked.stamp) return unknownCode();
		const { identity } = asked;
		const set = await accounts.resetPassword(identity, body.password);
		// A password that may not stand does not use the code up.
		if (set.outcome === 'refused') return passwordProblem(set.refusal);
		await accounts.codes.drop(PASSWORD_RESET, owner.email);
		await tellPasswordChanged(services, identity, null);
		return new Response(null, { status: 204 });
	});
}

async function ownFacts(services: Services, identity: IdentityId, portal: Portal, ip: string | null) {
	const { accounts, portals } = services;
	const mine = [];
	for (const { portal: id, employee } of await accounts.membershipsOf(identity)) {
		const one = await portals.portal(id);
		if (one?.actorOf(employee)) mine.push({ portal: id, company: one.settings?.company ?? '', employee });
	}
	return {
		login: await accounts.loginOf(identity),
		hasPassword: await accounts.hasPassword(identity),
		portals: mine,
		secondFactor: await secondFactorShown(services, portal, identity),
		ip
	};
}

async function tellPasswordChanged(services: Services, identity: IdentityId, portal: PortalId | null): Promise<void> {
	const owner = await services.accounts.identity(identity);
	if (owner) await services.letters.send(owner.email, { kind: 'password-changed', language: await languageOf(services, identity, portal), at: services.now() }, { portal });
}
