/**
 * Founding a company: what somebody types is kept until they answer a letter; a person who is signed in founds another one at once.
 *
 * Promises: whether an address is known here is told to its mailbox alone: the answer, its cost and its haste are the same; a portal is founded by a code that comes back once,
 * or by a person whose address is proved; whoever asked in another person's name has chosen no password of theirs; who may found at all is the operator's to say.
 * Leaves to others: whose the portal then is (`portals.found` makes the administrator).
 */
import * as v from 'valibot';
import { confirmationBody, foundingBody, language, signedInAnswer } from './schemas.ts';
import { title } from '#crdt-model/record/parts.ts';
import { isAsker } from '../accounts/askers.ts';
import type { Email } from '../accounts/email.ts';
import { REGISTRATION } from '../accounts/registrations.ts';
import { everyone, mayFound, members, route, type App, type Call, type Services } from './call.ts';
import { problem, retryLater } from './problem.ts';
import { passwordProblem, refusedProblem } from './sign-in.ts';
import { signedInResponse, signInOver, worksSomewhere } from './signing-in.ts';
import type { IdentityId } from '../accounts/accounts.ts';
import type { Language } from '#crdt-model/kinds/company-structure.ts';

export const registrationRoutes = {
	register: route({
		method: 'post',
		path: '/api/v1/registrations',
		summary: 'Ask to found a company; a letter to the address says how it goes on',
		signedIn: false,
		body: foundingBody,
		answer: { status: 202, description: 'A letter is on its way, whatever the address is', schema: v.object({}) },
		problems: [403, 429]
	}),
	confirm: route({
		method: 'post',
		path: '/api/v1/registrations/confirmation',
		summary: 'Found the company, with the code of the letter; the caller becomes its administrator and is signed in. In another browser than the one that asked it wants a password first',
		signedIn: false,
		body: confirmationBody,
		answer: { status: 201, description: 'Founded', schema: signedInAnswer },
		problems: [403, 404, 409, 429]
	}),
	found: route({
		method: 'post',
		path: '/api/v1/portals',
		summary: 'Found another company with the account that is signed in',
		signedIn: true,
		body: v.object({ company: title, language: v.optional(language) }),
		answer: { status: 201, description: 'Founded, and signed in there beside the present sign-in', schema: signedInAnswer },
		problems: [403]
	})
};

/** Of a letter's code that cannot be used, for whatever reason. */
export const unknownCode = (): Response => problem('not-found', { detail: 'this link is unknown, used or too old' });

/**
 * The hash of the password that an answered letter makes an account with: of the one that comes with the answer, else of the one that was typed when the letter was asked for, if that
 * was in this browser. A stranger may have typed that one; the owner, who answers elsewhere, is asked to choose.
 */
export async function ownHash(
	{ accounts }: Services,
	call: Pick<Call<v.InferOutput<typeof confirmationBody>>, 'body' | 'header'>,
	asked: { readonly email: Email; readonly firstName: string; readonly lastName: string; readonly hash: string; readonly asker: string | null }
): Promise<string | Response> {
	const { password } = call.body;
	if (password === undefined) return isAsker(call.header('cookie'), asked.asker) ? asked.hash : problem('choose-password');
	const chosen = await accounts.hashChosen({ email: asked.email, name: `${asked.firstName} ${asked.lastName}`, password });
	if (chosen.outcome === 'hashed') return chosen.hash;
	return chosen.outcome === 'refused' ? passwordProblem(chosen.refusal) : retryLater('too-many-attempts', chosen.retryAfterSeconds);
}

export function mountRegistrations(app: App, services: Services): void {
	const { accounts, letters } = services;

	everyone(app, services, registrationRoutes.register, async (call) => {
		if (!mayFound(services)) return problem('founding-closed');
		const { company, firstName, lastName, email, password, language: chosen = 'en' } = call.body;
		const prepared = await accounts.hashForLater({ letter: 'registration', email, password, name: `${firstName} ${lastName}`, ip: call.ip });
		if (prepared.outcome === 'too-many-attempts') return retryLater('too-many-attempts', prepared.retryAfterSeconds);
		if (prepared.outcome === 'refused') return refusedProblem(prepared.refusal);
		if (prepared.outcome === 'login-taken') throw new Error('a login was taken that nobody chose');
		// Kept in either case, so that both cost a write; for a known address nobody is told the code.
		const { email: to, hash } = prepared;
		const { cookie, asker } = accounts.askers.mark(REGISTRATION.lifetimeMs, services.publicUrl);
		const issued = await accounts.codes.issue(REGISTRATION, to, { email: to, firstName, lastName, company, language: chosen, hash, asker });
		// After the answer: whether the address is known is looked up behind it, and its haste tells nothing.
		letters.afterwards(async () => {
			const present = await accounts.identityByEmail(to);
			// Who works nowhere any more cannot sign in to found another company: they begin as everybody does.
			const known = present?.emailConfirmed === true && (await worksSomewhere(services, present.identity));
			const letter = known
				? ({ kind: 'registration-known', language: chosen, company } as const)
				: ({ kind: 'registration', language: chosen, company, name: firstName, ...issued } as const);
			await letters.send(to, letter, { ip: call.ip });
		});
		return Response.json({}, { status: 202, headers: { 'set-cookie': cookie } });
	});

	everyone(app, services, registrationRoutes.confirm, async (call) => {
		if (!mayFound(services)) return problem('founding-closed');
		const found = await accounts.bySecret(call.ip, () => accounts.codes.open(REGISTRATION, call.body.code));
		if (found.outcome !== 'judged') return retryLater('too-many-attempts', found.retryAfterSeconds);
		if (found.value === null) return unknownCode();
		const { email, firstName, lastName, company, language: chosen } = found.value;
		// Asked before a password is: an account that is used keeps its own.
		const before = await accounts.identityByEmail(email);
		const isInUse = before?.emailConfirmed === true && (await worksSomewhere(services, before.identity));
		const hash = isInUse ? found.value.hash : await ownHash(services, call, found.value);
		if (hash instanceof Response) return hash;
		// Of several who bring the code at once, one goes on.
		if ((await accounts.codes.take(REGISTRATION, call.body.code)) === null) return unknownCode();
		if (isInUse) return problem('address-known');
		const registered = await accounts.registerHashed({ email, name: `${firstName} ${lastName}`, hash, login: null });
		const founder = { email, firstName, lastName, company, language: chosen };
		if (registered !== null) {
			await accounts.codes.drop(REGISTRATION, email);
			return foundBy(services, call, { identity: registered.identity, ...founder });
		}
		const present = await accounts.identityByEmail(email);
		if (!present || (await worksSomewhere(services, present.identity))) return problem('address-known');
		// As a letter that resets the password does; a second factor is asked for all the same.
		await accounts.adoptPassword(present.identity, hash);
		await accounts.codes.drop(REGISTRATION, email);
		return foundBy(services, call, { identity: present.identity, ...founder });
	});

	members(app, services, registrationRoutes.found, async (call, { signIn, portal, person }) => {
		if (!mayFound(services)) return problem('founding-closed');
		const { identity } = signIn;
		const owner = await accounts.identity(identity);
		const row = portal.directory.person(person);
		// Somebody else entered the address: it has proved nothing, and belongs to that portal alone.
		if (!owner?.emailConfirmed || !row) return problem('address-unproved');
		const { firstName, lastName } = row;
		return foundBy(services, call, { identity, email: owner.email, firstName, lastName, company: call.body.company, language: call.body.language ?? portal.settings?.language ?? 'en' }, true);
	});
}

interface Founder {
	readonly identity: IdentityId;
	readonly email: string;
	readonly firstName: string;
	readonly lastName: string;
	readonly company: string;
	readonly language: Language;
}

/** Asked once more in the turn in which it is founded: of two who found the first, one comes too late. */
async function foundBy(services: Services, call: Pick<Call, 'ip' | 'header'>, { identity, ...founding }: Founder, isSignedIn = false): Promise<Response> {
	if (!mayFound(services)) return problem('founding-closed');
	// A crash before the membership leaves a portal that nobody can enter; the founder, who heard nothing, founds again.
	const { portal, administrator } = await services.portals.found(founding);
	await services.accounts.addMembership({ identity, portal: portal.id, employee: administrator });
	if (!isSignedIn) return signInOver(services, call, { identity, portal: portal.id, factorDone: false });
	return signedInResponse(services, call, { identity, portal: portal.id, employee: administrator });
}
