/**
 * The second factor: enrolling it, while signed in or on the way in where a portal demands it; new recovery codes; removing and resetting it.
 *
 * Promises: a person's own factor is begun with their password and removed with password and code; what one session or ticket began no other ends; an
 * administrator resets it for people of their own portal alone; each change is told to its owner by letter.
 * Leaves to others: signing in with a code (`sign-in.ts`), what is kept (`accounts/enrolled-factors.ts`).
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { PersonId } from '#crdt-model/ids.ts';
import type { Enrolled, EnrolmentBegun } from '../accounts/enrolled-factors.ts';
import { everyone, members, route, type App, type Services } from './call.ts';
import { askCode, askPassword, tellOwner } from './owner.ts';
import { problem } from './problem.ts';
import { password, personId, signedInAnswer, ticket, typedCode } from './schemas.ts';
import { goOn, signInOf, signInOver } from './signing-in.ts';

const begunAnswer = v.object({
	secret: v.pipe(v.string(), v.description('Base32, to be typed into an authenticator app')),
	uri: v.pipe(v.string(), v.description('`otpauth://totp/…`: what a QR code holds'))
});
const recoveryCodes = v.pipe(v.array(v.string()), v.description('Ten, each good once in place of a code; they are shown this once'));
const codesAnswer = v.object({ recoveryCodes });

export const secondFactorRoutes = {
	begin: route({
		method: 'post',
		path: '/api/v1/me/second-factor',
		summary: 'Begin to enrol an authenticator app; nothing holds before its first code came back',
		signedIn: true,
		body: v.object({ password }),
		answer: { status: 200, description: 'Begun; good for half an hour and for this session', schema: begunAnswer },
		problems: [409, 429]
	}),
	confirm: route({
		method: 'put',
		path: '/api/v1/me/second-factor',
		summary: 'Enrol: with the first code',
		signedIn: true,
		body: v.object({ code: typedCode }),
		answer: { status: 200, description: 'Enrolled', schema: codesAnswer },
		problems: [409]
	}),
	remove: route({
		method: 'delete',
		path: '/api/v1/me/second-factor',
		summary: 'Do without the second factor from now on',
		signedIn: true,
		body: v.object({ password, code: typedCode }),
		answer: { status: 204, description: 'Removed, and its recovery codes' },
		problems: [409, 429]
	}),
	renew: route({
		method: 'post',
		path: '/api/v1/me/second-factor/recovery-codes',
		summary: 'New recovery codes; the old ones are good for nothing from then on',
		signedIn: true,
		body: v.object({ password, code: typedCode }),
		answer: { status: 200, description: 'The new ones', schema: codesAnswer },
		problems: [409, 429]
	}),
	beginByTicket: route({
		method: 'post',
		path: '/api/v1/second-factor',
		summary: 'Begin to enrol on the way in, with the ticket of `must-enrol`',
		signedIn: false,
		body: v.object({ ticket }),
		answer: { status: 200, description: 'Begun; good for this ticket', schema: begunAnswer },
		problems: [401, 409, 429]
	}),
	confirmByTicket: route({
		method: 'put',
		path: '/api/v1/second-factor',
		summary: 'Enrol on the way in, and go on with it; whatever comes, `recoveryCodes` is a member of the answer',
		signedIn: false,
		body: v.object({ ticket, code: typedCode }),
		answer: { status: 201, description: 'Enrolled and signed in', schema: v.object({ ...signedInAnswer.entries, recoveryCodes }) },
		problems: [401, 403, 409, 429]
	}),
	without: route({
		method: 'get',
		path: '/api/v1/people/without-second-factor',
		summary: 'Who has no second factor yet; for administrators',
		signedIn: true,
		answer: { status: 200, description: 'Those of them who may sign in, and of how many people who may', schema: v.object({ people: v.array(personId), of: v.number() }) }
	}),
	reset: route({
		method: 'delete',
		path: '/api/v1/people/{person}/second-factor',
		summary: 'Reset the second factor of somebody who lost it, and end their sessions; for administrators, of people who belong to this portal alone',
		signedIn: true,
		answer: { status: 204, description: 'Reset' },
		problems: [404, 409]
	})
};

const begunResponse = (begun: EnrolmentBegun): Response =>
	begun.outcome === 'begun' ? Response.json({ secret: begun.secret, uri: begun.uri }) : problem('factor-enrolled');

const enrolmentProblem = ({ outcome }: Exclude<Enrolled, { outcome: 'enrolled' }>): Response =>
	problem(outcome === 'wrong-code' ? 'wrong-code' : outcome === 'not-begun' ? 'enrolment-lapsed' : 'factor-enrolled');

/** What an enrolment hangs on; the ticket itself is nobody's to keep. */
const holderOf = (ticketText: string): string => `ticket ${createHash('sha256').update(ticketText).digest('base64url')}`;

export function mountSecondFactor(app: App, services: Services): void {
	const { accounts } = services;

	members(app, services, secondFactorRoutes.begin, async ({ body, ip }, { signIn }) => {
		const refused = await askPassword(services, signIn, body.password, ip);
		if (refused) return refused;
		const { email } = (await accounts.identity(signIn.identity))!;
		return begunResponse(await accounts.factors.codes.begin(signIn.identity, signIn.session, email));
	});

	members(app, services, secondFactorRoutes.confirm, async ({ body }, { signIn, portal }) => {
		const enrolled = await accounts.factors.codes.confirm(signIn.identity, signIn.session, body.code);
		if (enrolled.outcome !== 'enrolled') return enrolmentProblem(enrolled);
		await accounts.factors.noteProved(signIn.session);
		await tellOwner(services, signIn.identity, 'switched-on', portal.id);
		return Response.json({ recoveryCodes: enrolled.recoveryCodes });
	});

	members(app, services, secondFactorRoutes.remove, async ({ body, ip }, { signIn, portal }) => {
		const refused = (await askPassword(services, signIn, body.password, ip)) ?? (await askCode(services, signIn.identity, body.code, ip));
		if (refused) return refused;
		await accounts.factors.codes.remove(signIn.identity);
		await tellOwner(services, signIn.identity, 'switched-off', portal.id);
		return new Response(null, { status: 204 });
	});

	members(app, services, secondFactorRoutes.renew, async ({ body, ip }, { signIn, portal }) => {
		const refused = (await askPassword(services, signIn, body.password, ip)) ?? (await askCode(services, signIn.identity, body.code, ip));
		if (refused) return refused;
		const renewed = await accounts.factors.codes.renewRecoveryCodes(signIn.identity);
		if (!renewed) return problem('no-second-factor');
		await tellOwner(services, signIn.identity, 'recovery-codes', portal.id);
		return Response.json({ recoveryCodes: renewed });
	});

	everyone(app, services, secondFactorRoutes.beginByTicket, async (call) => {
		const signIn = await signInOf(services, call, call.body.ticket, 'enrolment');
		if (signIn instanceof Response) return signIn;
		const { email } = (await accounts.identity(signIn.identity))!;
		return begunResponse(await accounts.factors.codes.begin(signIn.identity, holderOf(call.body.ticket), email));
	});

	everyone(app, services, secondFactorRoutes.confirmByTicket, async (call) => {
		const { ticket: text, code } = call.body;
		const signIn = await signInOf(services, call, text, 'enrolment');
		if (signIn instanceof Response) return signIn;
		const enrolled = await accounts.factors.codes.confirm(signIn.identity, holderOf(text), code);
		if (enrolled.outcome !== 'enrolled') return enrolmentProblem(enrolled);
		await tellOwner(services, signIn.identity, 'switched-on', signIn.portal);
		const { recoveryCodes: shown } = enrolled;
		if (!goOn(services, text)) return problem('ticket-lapsed', { extra: { recoveryCodes: shown } });
		return signInOver(services, call, { ...signIn, factorDone: true }, { recoveryCodes: shown });
	});

	members(app, services, secondFactorRoutes.without, async (_call, { portal, person }) => {
		if (!portal.directory.isAdministrator(person)) return problem('denied', { detail: 'administrators see who has a second factor', extra: { who: ['admins'] } });
		const active = [...portal.directory.people].filter(({ id }) => portal.actorOf(id as PersonId));
		const without = new Set(await accounts.factors.peopleWithout(portal.id));
		return Response.json({ people: active.map(({ id }) => id).filter((id) => without.has(id as PersonId)), of: active.length });
	});

	members(app, services, secondFactorRoutes.reset, async (call, { portal, person: caller }) => {
		if (!portal.directory.isAdministrator(caller)) return problem('denied', { detail: 'administrators reset second factors', extra: { who: ['admins'] } });
		const person = call.param('person');
		if (!v.is(personId, person)) return problem('not-found');
		// With the password and a code of one's own: else a browser that was left open is enough for an administrator's.
		if (person === caller) return problem('denied', { detail: 'your own is removed with your password and a code' });
		const identity = await accounts.identityOf(portal.id, person);
		if (!identity) return problem('not-found');
		if ((await accounts.membershipsOf(identity)).some((membership) => membership.portal !== portal.id)) return problem('belongs-elsewhere');
		if (!(await accounts.resetSecondFactor(identity))) return problem('no-second-factor');
		await tellOwner(services, identity, 'reset', portal.id);
		return new Response(null, { status: 204 });
	});
}
