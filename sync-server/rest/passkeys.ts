/**
 * Passkeys: adding, listing and removing one's own, and the challenge to sign in with one (`POST /sessions` takes the answer).
 *
 * Leaves to others: what is checked of an answer (`accounts/passkeys.ts`).
 */
import * as v from 'valibot';
import { PASSKEY_NAME_MAX, type PasskeyAdded, registrationResponse } from '../accounts/passkeys.ts';
import { relyingParty, type RelyingParty } from '../accounts/relying-party.ts';
import { everyone, members, route, type App, type Call, type Services } from './call.ts';
import { askPassword, ownersAlone, tellOwner } from './owner.ts';
import { problem } from './problem.ts';
import { moment, password, ticket } from './schemas.ts';

const optionsAnswer = v.object({
	ticket: v.pipe(v.string(), v.description('Comes back with what the browser answers; good once, for five minutes')),
	options: v.pipe(v.looseObject({}), v.description('For `navigator.credentials`, as JSON (WebAuthn 3)'))
});
const passkey = v.object({ id: v.string(), name: v.string(), createdAt: moment, lastUsedAt: v.nullable(moment) });
const name = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(PASSKEY_NAME_MAX), v.regex(/^\P{Cc}*$/u, 'one line of text'));

export const passkeyRoutes = {
	begin: route({
		method: 'post',
		path: '/api/v1/me/passkeys/options',
		summary: 'Begin to add a passkey',
		signedIn: true,
		body: v.object({ password }),
		answer: { status: 200, description: 'What the browser needs', schema: optionsAnswer },
		problems: [409, 429]
	}),
	add: route({
		method: 'post',
		path: '/api/v1/me/passkeys',
		summary: 'Add the passkey that the browser made',
		signedIn: true,
		body: v.object({ ticket, response: registrationResponse, name }),
		answer: { status: 201, description: 'Added', schema: passkey },
		problems: [401, 409]
	}),
	list: route({
		method: 'get',
		path: '/api/v1/me/passkeys',
		summary: 'My passkeys',
		signedIn: true,
		answer: { status: 200, description: 'All of them, oldest first', schema: v.object({ passkeys: v.array(passkey) }) }
	}),
	remove: route({
		method: 'delete',
		path: '/api/v1/me/passkeys/{id}',
		summary: 'Remove a passkey',
		signedIn: true,
		body: v.object({ password }),
		answer: { status: 204, description: 'It signs nobody in any more' },
		problems: [404, 429]
	}),
	signIn: route({
		method: 'post',
		path: '/api/v1/passkeys/options',
		summary: 'Begin to sign in with a passkey: a challenge for whichever the browser finds',
		signedIn: false,
		body: v.object({}),
		answer: { status: 200, description: 'What the browser needs', schema: optionsAnswer },
		problems: [409, 429]
	})
};

const PROBLEMS = {
	'unknown-ticket': 'ticket-lapsed',
	refused: 'passkey-refused',
	'already-added': 'passkey-known',
	'too-many': 'too-many-passkeys'
} as const satisfies Record<Exclude<PasskeyAdded['outcome'], 'added'>, string>;

export function mountPasskeys(app: App, services: Services): void {
	const { accounts, publicUrl } = services;
	const partyOf = (call: Pick<Call, 'header'>): RelyingParty | null => relyingParty(publicUrl, { origin: call.header('origin'), host: call.header('host') });

	members(app, services, passkeyRoutes.begin, async (call, { signIn }) => {
		const party = partyOf(call);
		if (!party) return problem('no-passkeys-here');
		const refused = await askPassword(services, signIn, call.body.password, call.ip);
		if (refused) return refused;
		return Response.json(await accounts.factors.passkeys.registration((await accounts.identity(signIn.identity))!, party));
	});

	members(app, services, passkeyRoutes.add, async ({ body }, { signIn, portal }) => {
		const added = await accounts.factors.passkeys.add(signIn.identity, body.ticket, body.response, body.name);
		if (added.outcome !== 'added') return problem(PROBLEMS[added.outcome]);
		await tellOwner(services, signIn.identity, 'passkey-added', portal.id);
		return Response.json(added.passkey, { status: 201 });
	});

	members(app, services, passkeyRoutes.list, async (_call, { signIn, viewer }) => (viewer === null ? Response.json({ passkeys: await accounts.factors.passkeys.of(signIn.identity) }) : ownersAlone()));

	members(app, services, passkeyRoutes.remove, async (call, { signIn, portal }) => {
		const refused = await askPassword(services, signIn, call.body.password, call.ip);
		if (refused) return refused;
		if (!(await accounts.factors.passkeys.remove(signIn.identity, call.param('id')))) return problem('not-found');
		await tellOwner(services, signIn.identity, 'passkey-removed', portal.id);
		return new Response(null, { status: 204 });
	});

	everyone(app, services, passkeyRoutes.signIn, async (call) => {
		const party = partyOf(call);
		return party ? Response.json(await accounts.factors.passkeys.signIn(party, call.isLocal ? null : call.ip)) : problem('no-passkeys-here');
	});
}
