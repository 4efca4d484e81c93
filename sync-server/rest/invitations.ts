/**
 * Inviting people and accepting invitations.
 *
 * Promises: whoever the settings let invites, and an invitation works only while its sender may; of any number of acceptances of one code exactly one
 * makes an employee; an acceptance that broke off half-way (a crash, a lost answer) is taken up by repeating it, and makes no second employee; one that found no seat
 * leaves the code good. Codes come in bodies, so that no address that is logged holds one.
 * Leaves to others: where newcomers may be put (newcomers.ts), the seat (the gate), signing in (signing-in.ts), the letter's words.
 */
import type { PersonId } from '#crdt-model/ids.ts';
import type { Invitation, InvitationClaim, Invited } from '../accounts/accounts.ts';
import { type Email, parseEmail } from '../accounts/email.ts';
import type { LetterSent } from '../accounts/letters.ts';
import type { Portal } from '../room/portal.ts';
import { everyone, members, route, type App, type Call, type Services } from './call.ts';
import { acceptanceBody, INVITATION_RESULTS, invitationAnswer, invitationListAnswer, invitationsAnswer, invitationsBody, letterAnswer } from './joining-schemas.ts';
import { bringsNobodyIn, letIn, mayBringIn, nameOf, personWith, type Placement, placementOfNow, placementProblem } from './newcomers.ts';
import { problem, refusalProblem, retryLater } from './problem.ts';
import { codeBody, LETTER_RESULTS, signedInAnswer } from './schemas.ts';
import { registrationProblem } from './sign-in.ts';
import { signInOver } from './signing-in.ts';

const accepted = { status: 201, description: 'Joined and signed in', schema: signedInAnswer };

export const invitationRoutes = {
	invite: route({
		method: 'post',
		path: '/api/v1/invitations',
		summary: 'Invite people by letter; for administrators and whom they named',
		signedIn: true,
		body: invitationsBody,
		answer: { status: 200, description: 'What became of each address', schema: invitationsAnswer }
	}),
	list: route({
		method: 'get',
		path: '/api/v1/invitations',
		summary: 'Open invitations, newest first: all of them for administrators, their own for others who invite',
		signedIn: true,
		answer: { status: 200, description: 'What was sent and is not answered', schema: invitationListAnswer }
	}),
	withdraw: route({
		method: 'delete',
		path: '/api/v1/invitations/{id}',
		summary: 'Withdraw an invitation: its link works no longer',
		signedIn: true,
		answer: { status: 204, description: 'Withdrawn' },
		problems: [404]
	}),
	resend: route({
		method: 'post',
		path: '/api/v1/invitations/{id}/letter',
		summary: 'Send an invitation again, with a new link; the older one works no longer',
		signedIn: true,
		answer: { status: 200, description: 'What became of the letter', schema: letterAnswer },
		problems: [404, 429]
	}),
	open: route({
		method: 'post',
		path: '/api/v1/invitations/open',
		summary: 'What the page behind the link shows',
		signedIn: false,
		body: codeBody,
		answer: { status: 200, description: 'An invitation that can be accepted', schema: invitationAnswer },
		problems: [404, 429]
	}),
	accept: route({
		method: 'post',
		path: '/api/v1/invitations/acceptance',
		summary: 'Join the portal; an address that has an identity gives its present password, and goes on like a sign-in',
		signedIn: false,
		body: acceptanceBody,
		answer: accepted,
		problems: [401, 402, 403, 404, 409, 429]
	})
};

/** An SMTP server takes a few letters at a time. */
const LETTERS_AT_ONCE = 4;

type LetterResult = (typeof LETTER_RESULTS)[number];
interface InvitationResult {
	address: string;
	result: (typeof INVITATION_RESULTS)[number];
	letter?: LetterResult;
	employee?: PersonId;
	retryAfterSeconds?: number;
}

export function mountInvitations(app: App, services: Services): void {
	const { accounts, portals } = services;

	members(app, services, invitationRoutes.invite, async ({ body }, { portal, person }) => {
		if (!mayBringIn(portal, person)) return bringsNobodyIn();
		const placement = { department: body.department ?? null, groups: body.groups ?? [] };
		const misplaced = placementProblem(portal, person, placement);
		if (misplaced) return misplaced;
		return Response.json({ results: await inviteAll(services, portal, person, body.addresses, placement) });
	});

	members(app, services, invitationRoutes.list, async (_call, { portal, person }) => {
		if (!mayBringIn(portal, person)) return bringsNobodyIn();
		const mine = (await accounts.openInvitationsOf(portal.id)).filter((one) => handles(portal, person, one));
		const shown = mine.map(({ portal: _portal, ...one }) => ({ ...one, valid: mayBringIn(portal, one.invitedBy) }));
		return Response.json({ invitations: shown });
	});

	members(app, services, invitationRoutes.withdraw, async (call, { portal, person }) => {
		if (!mayBringIn(portal, person)) return bringsNobodyIn();
		const id = call.param('id');
		if (!(await isTheirs(services, portal, person, id)) || !(await accounts.withdrawInvitation(portal.id, id))) return unknownInvitation();
		return new Response(null, { status: 204 });
	});

	members(app, services, invitationRoutes.resend, async (call, { portal, person }) => {
		if (!mayBringIn(portal, person)) return bringsNobodyIn();
		const id = call.param('id');
		const invited = (await isTheirs(services, portal, person, id)) ? await accounts.renewInvitation(portal.id, id, person) : null;
		if (!invited) return unknownInvitation();
		const sent = await sendInvitation(services, portal, invited);
		if (sent.outcome === 'limited') return retryLater('too-much', sent.retryAfterSeconds);
		return Response.json({ letter: letterResult(sent), ...('reason' in sent && { reason: sent.reason }) });
	});

	everyone(app, services, invitationRoutes.open, async (call) => {
		const found = await accounts.bySecret(call.ip, () => accounts.openInvitation(call.body.code));
		if (found.outcome !== 'judged') return retryLater('too-many-attempts', found.retryAfterSeconds);
		const invitation = found.value;
		const portal = invitation && (await portals.portal(invitation.portal));
		if (!invitation || !portal || !mayBringIn(portal, invitation.invitedBy)) return unknownCode();
		const { company = '', language = 'en', accent = null } = portal.settings ?? {};
		// Whoever has the code has read the address's letters: to them it is no news.
		const known = (await accounts.identityByEmail(invitation.email))?.emailConfirmed === true;
		return Response.json({ portal: portal.id, company, accent, email: invitation.email, known, invitedBy: nameOf(portal, invitation.invitedBy), language, expiresAt: invitation.expiresAt });
	});

	everyone(app, services, invitationRoutes.accept, async (call) => {
		const { code } = call.body;
		const found = await accounts.bySecret(call.ip, () => accounts.openInvitation(code));
		if (found.outcome !== 'judged') return retryLater('too-many-attempts', found.retryAfterSeconds);
		const claimed = accounts.claimInvitation(code);
		if (claimed.outcome === 'unknown') return unknownCode();
		if (claimed.outcome === 'being-accepted') return retryLater('being-accepted', claimed.retryAfterSeconds);
		try {
			return await accept(services, call, claimed.claim);
		} finally {
			// Of no effect after `finishInvitation`; otherwise the code is open again.
			accounts.releaseInvitation(claimed.claim);
		}
	});
}

const unknownCode = (): Response => problem('not-found', { detail: 'this invitation is unknown, used, withdrawn or too old' });
const unknownInvitation = (): Response => problem('not-found', { detail: 'there is no such invitation, or it was answered' });

/** Whose invitations one sees, withdraws and sends again. */
const handles = (portal: Portal, person: PersonId, { invitedBy }: Pick<Invitation, 'invitedBy'>): boolean =>
	portal.directory.isAdministrator(person) || invitedBy === person;

async function isTheirs({ accounts }: Services, portal: Portal, person: PersonId, id: string): Promise<boolean> {
	const invitation = (await accounts.openInvitationsOf(portal.id)).find((one) => one.id === id);
	return invitation !== undefined && handles(portal, person, invitation);
}

async function inviteAll(services: Services, portal: Portal, invitedBy: PersonId, addresses: readonly string[], placement: Placement): Promise<InvitationResult[]> {
	const { accounts } = services;
	const open = new Set((await accounts.openInvitationsOf(portal.id)).map(({ email }) => email));
	const seen = new Set<Email>();
	const results: InvitationResult[] = [];
	const toInvite: { at: number; address: string; email: Email }[] = [];
	const people = new Map([...portal.directory.people].map((person) => [person.email, person]));
	for (const [at, address] of addresses.entries()) {
		const parsed = parseEmail(address);
		if (parsed.outcome === 'refused') {
			results[at] = { address, result: 'invalid' };
			continue;
		}
		const { email } = parsed;
		const present = people.has(email) ? personWith(portal, email) : null;
		if (seen.has(email)) results[at] = { address, result: 'repeated' };
		else if (present) results[at] = { address, result: present.active ? 'already-member' : 'dismissed', employee: present.id as PersonId };
		else toInvite.push({ at, address, email });
		seen.add(email);
	}
	const queue = toInvite.values();
	const worker = async () => {
		for (const { at, address, email } of queue) {
			const invited = await accounts.invite({ portal: portal.id, email, ...placement, invitedBy });
			if (invited.outcome !== 'invited') {
				results[at] = { address, result: 'invalid' };
				continue;
			}
			const sent = await sendInvitation(services, portal, invited);
			results[at] =
				sent.outcome === 'limited'
					? { address, result: 'limited', retryAfterSeconds: sent.retryAfterSeconds }
					: { address, result: open.has(email) ? 'already-invited' : 'invited', letter: letterResult(sent) };
		}
	};
	await Promise.all(Array.from({ length: LETTERS_AT_ONCE }, worker));
	return results;
}

export const letterResult = (sent: LetterSent): LetterResult => (sent.outcome === 'given-up' ? 'failed' : sent.outcome);

/** Where no letter may go, the invitation is as it was before. */
export async function sendInvitation({ letters }: Services, portal: Portal, invited: Extract<Invited, { outcome: 'invited' }>): Promise<LetterSent> {
	const { company = '', language = 'en' } = portal.settings ?? {};
	const { email, invitedBy, expiresAt } = invited.invitation;
	const sent = await letters.send(email, { kind: 'invitation', language, company, invitedBy: nameOf(portal, invitedBy), code: invited.code, expiresAt }, { portal: portal.id });
	if (sent.outcome === 'limited') await invited.undo();
	return sent;
}

type Acceptance = Pick<Call, 'ip' | 'header'> & { readonly body: { firstName: string; lastName: string; password: string; login?: string | null | undefined; language?: 'en' | 'ro' | undefined } };

async function accept(services: Services, call: Acceptance, claim: InvitationClaim): Promise<Response> {
	const { accounts, portals } = services;
	const { invitation } = claim;
	const portal = await portals.portal(invitation.portal);
	// A back door otherwise: whoever is dismissed could have invited themselves before.
	if (!portal || !mayBringIn(portal, invitation.invitedBy)) return unknownCode();
	const { firstName, lastName, password, login, language } = call.body;
	const { email } = invitation;
	const registered = await accounts.registerIdentity({ email, password, name: `${firstName} ${lastName}`, login, ip: call.ip });
	if (!('identity' in registered)) return registrationProblem(registered);
	const { identity } = registered;
	const placement = placementOfNow(portal, invitation.invitedBy, invitation);
	const joined = await letIn(services, portal, identity, { email, firstName, lastName, language, placement, mayReturn: false });
	if (!('employee' in joined)) return refusalProblem(joined);
	await accounts.finishInvitation(claim);
	if (!portal.actorOf(joined.employee)) return problem('not-a-member');
	// A letter proves the address, not the second factor of an identity that has one.
	return signInOver(services, call, { identity, portal: portal.id, factorDone: false });
}
