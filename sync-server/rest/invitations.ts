/**
 * Inviting people and accepting invitations.
 *
 * Promises: only an administrator invites, and an invitation works only while its sender is one; of any number of acceptances of one code exactly one
 * makes an employee; an acceptance that broke off half-way (a crash, a lost answer) is taken up by repeating it, and makes no second employee.
 * Leaves to others: the seat (the gate, in the transaction that makes the employee), the letter's words.
 */
import * as v from 'valibot';
import type { PersonId } from '#crdt-model/ids.ts';
import type { Accounts, IdentityId, InvitationClaim } from '../accounts/accounts.ts';
import { type Email, parseEmail } from '../accounts/email.ts';
import type { LetterSent } from '../accounts/letters.ts';
import type { Portal } from '../room/portal.ts';
import { everyone, members, route, type App, type Call, type Services } from './call.ts';
import { badField, problem, refusalProblem, retryLater } from './problem.ts';
import { acceptanceBody, codeBody, type INVITATION_RESULTS, invitationAnswer, invitationsAnswer, invitationsBody, type LETTER_RESULTS, signedInAnswer } from './schemas.ts';
import { registrationProblem } from './sign-in.ts';
import { signedInResponse, signInOver } from './signing-in.ts';

export const invitationRoutes = {
	invite: route({
		method: 'post',
		path: '/api/v1/invitations',
		summary: 'Invite people by letter; for administrators',
		signedIn: true,
		body: invitationsBody,
		answer: { status: 200, description: 'What became of each address', schema: invitationsAnswer }
	}),
	open: route({
		method: 'post',
		path: '/api/v1/invitations/open',
		summary: 'What the page behind the link shows',
		signedIn: false,
		body: codeBody,
		answer: { status: 200, description: 'An invitation that can be accepted', schema: invitationAnswer },
		problems: [404]
	}),
	accept: route({
		method: 'post',
		path: '/api/v1/invitations/acceptance',
		summary: 'Join the portal; an address that has an identity gives its present password',
		signedIn: false,
		body: v.object({ ...codeBody.entries, ...acceptanceBody.entries }),
		answer: { status: 201, description: 'Joined and signed in', schema: signedInAnswer },
		problems: [401, 402, 404, 409, 429]
	}),
	/** For programs: no browser of ours calls it, since an address with a code in it is written into logs. */
	acceptByPath: route({
		method: 'post',
		path: '/api/v1/invitations/{code}/acceptance',
		summary: 'The same with the code in the path, for programs of before',
		signedIn: false,
		body: acceptanceBody,
		answer: { status: 201, description: 'Joined and signed in', schema: signedInAnswer },
		problems: [401, 402, 404, 409, 429]
	})
};

/** An SMTP server takes a few letters at a time. */
const LETTERS_AT_ONCE = 4;

type InvitationResult = { address: string; result: (typeof INVITATION_RESULTS)[number]; letter?: (typeof LETTER_RESULTS)[number] };

export function mountInvitations(app: App, services: Services): void {
	const { accounts, portals } = services;

	members(app, services, invitationRoutes.invite, async ({ body }, { portal, person }) => {
		if (!portal.directory.isAdministrator(person)) return problem('denied', { detail: 'invitations are sent by administrators' });
		const department = body.department ?? null;
		if (department && portal.directory.department(department)?.deleted !== false) return badField('department', 'no such department');
		const results = await inviteAll(services, portal, person, body.addresses, department);
		return Response.json({ results });
	});

	everyone(app, services, invitationRoutes.open, async (call) => {
		const invitation = accounts.openInvitation(call.body.code);
		const portal = invitation && (await portals.portal(invitation.portal));
		if (!invitation || !portal || !portal.directory.isAdministrator(invitation.invitedBy)) return unknownCode();
		const { company = '', language = 'en' } = portal.settings ?? {};
		return Response.json({ company, email: invitation.email, language, expiresAt: invitation.expiresAt });
	});

	const accepted = async (call: Acceptance, code: string): Promise<Response> => {
		const claimed = accounts.claimInvitation(code);
		if (claimed.outcome === 'unknown') return unknownCode();
		if (claimed.outcome === 'being-accepted') return retryLater('being-accepted', claimed.retryAfterSeconds);
		try {
			return await accept(services, call, claimed.claim);
		} finally {
			// Of no effect after `finishInvitation`; otherwise the code is open again.
			accounts.releaseInvitation(claimed.claim);
		}
	};
	everyone(app, services, invitationRoutes.accept, (call) => accepted(call, call.body.code));
	everyone(app, services, invitationRoutes.acceptByPath, (call) => accepted(call, call.param('code')));
}

const unknownCode = (): Response => problem('not-found', { detail: 'this invitation is unknown, used, withdrawn or too old' });

async function inviteAll(
	services: Services,
	portal: Portal,
	invitedBy: PersonId,
	addresses: readonly string[],
	department: InvitationClaim['invitation']['department']
): Promise<InvitationResult[]> {
	const { accounts } = services;
	const memberEmails = new Set([...portal.directory.people].map((person) => person.email));
	const open = new Set((await accounts.openInvitationsOf(portal.id)).map(({ email }) => email));
	const seen = new Set<Email>();
	const results: InvitationResult[] = [];
	const toInvite: { at: number; address: string; email: Email }[] = [];
	for (const [at, address] of addresses.entries()) {
		const parsed = parseEmail(address);
		if (parsed.outcome === 'refused') results[at] = { address, result: 'invalid' };
		else if (seen.has(parsed.email)) results[at] = { address, result: 'repeated' };
		else if (memberEmails.has(parsed.email)) results[at] = { address, result: 'already-member' };
		else toInvite.push({ at, address, email: parsed.email });
		if (parsed.outcome === 'parsed') seen.add(parsed.email);
	}
	const queue = toInvite.values();
	const worker = async () => {
		for (const { at, address, email } of queue) {
			const invited = await accounts.invite({ portal: portal.id, email, department, invitedBy });
			if (invited.outcome !== 'invited') {
				results[at] = { address, result: 'invalid' };
				continue;
			}
			const letter = await sendInvitation(services, portal, invitedBy, email, invited);
			results[at] = { address, result: open.has(email) ? 'already-invited' : 'invited', letter };
		}
	};
	await Promise.all(Array.from({ length: LETTERS_AT_ONCE }, worker));
	return results;
}

async function sendInvitation(
	{ letters }: Services,
	portal: Portal,
	invitedBy: PersonId,
	email: Email,
	invited: { code: string; invitation: { expiresAt: number } }
): Promise<(typeof LETTER_RESULTS)[number]> {
	const { company = '', language = 'en' } = portal.settings ?? {};
	const inviter = portal.directory.person(invitedBy);
	const sent: LetterSent = await letters.send(email, {
		kind: 'invitation',
		language,
		company,
		invitedBy: inviter ? `${inviter.firstName} ${inviter.lastName}` : company,
		code: invited.code,
		expiresAt: invited.invitation.expiresAt
	}, { portal: portal.id });
	return sent.outcome === 'given-up' ? 'failed' : sent.outcome;
}

type Acceptance = Call<{ firstName: string; lastName: string; password: string }>;

async function accept(services: Services, call: Acceptance, claim: InvitationClaim): Promise<Response> {
	const { accounts, portals } = services;
	const { invitation } = claim;
	const portal = await portals.portal(invitation.portal);
	// A back door otherwise: whoever is dismissed could have invited themselves before.
	if (!portal || !portal.directory.isAdministrator(invitation.invitedBy)) return unknownCode();
	const { firstName, lastName, password } = call.body;
	const registered = await accounts.registerIdentity({ email: invitation.email, password, name: `${firstName} ${lastName}`, ip: call.ip });
	if (!('identity' in registered)) return registrationProblem(registered);
	const { identity } = registered;

	const found = (await accounts.membershipsOf(identity)).find((membership) => membership.portal === portal.id)?.employee;
	let employee = found ?? (await withoutIdentity(accounts, portal, invitation.email));
	if (employee === null) {
		const department = invitation.department ?? undefined;
		const added = await portal.addEmployee({ firstName, lastName, email: invitation.email, department, language: portal.settings?.language });
		if (!('employee' in added)) return refusalProblem(added);
		employee = added.employee;
	}
	if (!found) employee = await join(accounts, { identity, portal, employee });
	await accounts.finishInvitation(claim);
	if (!portal.actorOf(employee)) return problem('not-a-member');
	// A letter proves the address, not the second factor of an identity that has one.
	if (registered.outcome === 'known') return signInOver(services, call, { identity, portal: portal.id, factorDone: false });
	return signedInResponse(services, call, { identity, portal: portal.id, employee });
}

/** The employee that an acceptance made before it broke off, or whom an administrator entered by hand. */
async function withoutIdentity(accounts: Accounts, portal: Portal, email: Email): Promise<PersonId | null> {
	for (const person of portal.directory.people) {
		const id = person.id as PersonId;
		if (person.active && person.email === email && (await accounts.identityOf(portal.id, id)) === null) return id;
	}
	return null;
}

async function join(accounts: Accounts, who: { identity: IdentityId; portal: Portal; employee: PersonId }): Promise<PersonId> {
	const added = await accounts.addMembership({ identity: who.identity, portal: who.portal.id, employee: who.employee });
	if (added.outcome === 'employee-taken') throw new Error(`${who.employee} has an identity already, and the claim on the code should have kept others out`);
	return added.outcome === 'already-member' ? added.employee : who.employee;
}
