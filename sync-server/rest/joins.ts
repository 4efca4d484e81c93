/**
 * Asking to join: by an invitation link, or by registering oneself where the portal lets people. And deciding about those who asked.
 *
 * Promises: nobody learns here whether an address is known: asking is answered alike, at the cost of a hash, and a letter tells its reader the rest; nothing is made
 * before the code of that letter comes back; nobody who asks chooses a department, a workgroup or a right for themselves; what closed the door meanwhile (the setting, the link, the
 * right of whoever made it) holds at the confirmation too; of any number of confirmations and decisions at once one makes an employee.
 * Leaves to others: the seat (the gate): a request that found none stays as it was.
 */
import type { PersonId } from '#crdt-model/ids.ts';
import type { IdentityId } from '../accounts/accounts.ts';
import type { Email } from '../accounts/email.ts';
import type { InvitationLink } from '../accounts/invitation-links.ts';
import { JOIN_MS, type JoinClaim, type JoinClaimed, type JoinRequest } from '../accounts/joins.ts';
import type { Portal } from '../room/portal.ts';
import { everyone, members, route, type App, type Caller, type Services } from './call.ts';
import { approvalBody, approvedAnswer, askedAnswer, joinBody, joinedAnswer, joinRequestsAnswer, refusalBody } from './joining-schemas.ts';
import { openLink } from './invitation-links.ts';
import { letIn, mayBringIn, personWith, type Placement, placementOfNow, placementProblem } from './newcomers.ts';
import { problem, refusalProblem, retryLater } from './problem.ts';
import { ownHash } from './registrations.ts';
import { confirmationBody } from './schemas.ts';
import { registrationProblem } from './sign-in.ts';
import { signInOver } from './signing-in.ts';

export const joinRoutes = {
	ask: route({
		method: 'post',
		path: '/api/v1/joins',
		summary: 'Ask to join, by an invitation link or by registering oneself; a letter goes on',
		signedIn: false,
		body: joinBody,
		answer: { status: 202, description: 'Heard', schema: askedAnswer },
		problems: [403, 404, 409, 429]
	}),
	confirm: route({
		method: 'post',
		path: '/api/v1/joins/confirmation',
		summary: 'Answer the letter: 201 is signed in like a sign-in; 202 waits for an administrator, or signs in with the password that the address has. In another browser than the one that asked a new account wants a password first',
		signedIn: false,
		body: confirmationBody,
		answer: { status: 202, description: 'Confirmed', schema: joinedAnswer },
		problems: [401, 402, 403, 404, 409, 429]
	}),
	list: route({
		method: 'get',
		path: '/api/v1/join-requests',
		summary: 'Who asks to be let in, oldest first; for administrators',
		signedIn: true,
		answer: { status: 200, description: 'People who answered their letter', schema: joinRequestsAnswer }
	}),
	approve: route({
		method: 'post',
		path: '/api/v1/join-requests/{id}/approval',
		summary: 'Let somebody in; without a department or workgroups those of their link hold. For administrators',
		signedIn: true,
		body: approvalBody,
		answer: { status: 200, description: 'The person is in, and was told by letter', schema: approvedAnswer },
		problems: [402, 404, 409]
	}),
	refuse: route({
		method: 'post',
		path: '/api/v1/join-requests/{id}/refusal',
		summary: 'Do not let somebody in; for administrators',
		signedIn: true,
		body: refusalBody,
		answer: { status: 204, description: 'Refused, and told by letter' },
		problems: [404, 409]
	})
};

/** How somebody came: what it was that let them ask, as it stands now. */
interface Door {
	readonly portal: Portal;
	readonly link: InvitationLink | null;
}

export function mountJoins(app: App, services: Services): void {
	const { accounts, portals, letters } = services;
	const { joins } = accounts;

	everyone(app, services, joinRoutes.ask, async (call) => {
		const { body } = call;
		const door = 'code' in body ? await openLink(services, call.ip, body.code) : await selfRegistration(services, body.portal);
		if (door instanceof Response) return door;
		const { portal, link } = door;
		const { firstName, lastName, password, login } = body;
		const hashed = await accounts.hashForLater({ letter: 'joining', email: body.email, password, name: `${firstName} ${lastName}`, login, ip: call.ip });
		if (hashed.outcome !== 'hashed') return registrationProblem(hashed);
		const { email, login: wished, hash } = hashed;
		const reader = body.language ?? portal.settings?.language ?? 'en';
		const { cookie, asker } = accounts.askers.mark(JOIN_MS, services.publicUrl);
		// Answered before it is looked up whose address it is: the time of an answer would tell.
		letters.afterwards(() => ask({ portal, link, ip: call.ip }, { email, firstName, lastName, login: wished, language: reader, hash, asker }));
		return Response.json({}, { status: 202, headers: { 'set-cookie': cookie } });
	});

	everyone(app, services, joinRoutes.confirm, async (call) => {
		const found = await accounts.bySecret(call.ip, async () => {
			const claimed = await joins.claimByCode(call.body.code);
			return claimed.outcome === 'unknown' ? null : claimed;
		});
		if (found.outcome !== 'judged') return retryLater('too-many-attempts', found.retryAfterSeconds);
		return withClaim(services, found.value ?? { outcome: 'unknown' }, async (claimed) => {
			const door = await doorOf(services, claimed.request);
			if (!door) return unknownRequest();
			// Whoever has an account keeps its password, and nothing becomes of the one that was typed: also not when the account is gone by the time of a decision.
			const isKnown = (await accounts.identityByEmail(claimed.request.email))?.emailConfirmed === true;
			const hash = isKnown ? accounts.nobodysHash : await ownHash(services, call, claimed.request);
			if (hash instanceof Response) return hash;
			const claim: JoinClaim = { ...claimed, request: { ...claimed.request, hash } };
			const { portal, link } = door;
			if (needsApproval(door, claim.request) || (await isReturning(services, claim.request))) return wait(services, portal, claim);
			const joined = await admit(services, portal, claim, placementOf(door));
			if (joined instanceof Response) return joined;
			if (link) await accounts.invitationLinks.used(link.id);
			// A letter proves the address, not the password or the second factor of an identity that was here before.
			if (joined.wasKnown) return Response.json({ waiting: false }, { status: 202 });
			return signInOver(services, call, { identity: joined.identity, portal: portal.id, factorDone: false });
		});
	});

	members(app, services, joinRoutes.list, async (_call, caller) => {
		const { portal } = caller;
		if (!decides(caller)) return decidesNothing();
		const requests = [];
		for (const request of await joins.waiting(portal.id)) {
			const { hash: _hash, asker: _asker, portal: _portal, ...shown } = request;
			const link = request.link && (await accounts.invitationLinks.get(request.link));
			const present = personWith(portal, request.email);
			requests.push({ ...shown, ...placementOf({ portal, link: link || null }), dismissed: present && !present.active ? present.id : null });
		}
		return Response.json({ requests });
	});

	members(app, services, joinRoutes.approve, async (call, caller) => {
		const { portal, person } = caller;
		if (!decides(caller)) return decidesNothing();
		return withClaim(services, await joins.claimWaiting(portal.id, call.param('id')), async (claim) => {
			const { request } = claim;
			const link = request.link && (await accounts.invitationLinks.get(request.link));
			const wished = placementOf({ portal, link: link || null });
			const placement = { department: call.body.department === undefined ? wished.department : call.body.department, groups: call.body.groups ?? wished.groups };
			const misplaced = placementProblem(portal, person, placement);
			if (misplaced) return misplaced;
			const joined = await admit(services, portal, claim, placement);
			if (joined instanceof Response) return joined;
			if (link) await accounts.invitationLinks.used(link.id);
			tell(services, portal);
			const { company = '' } = portal.settings ?? {};
			await letters.send(request.email, { kind: 'join-approved', language: request.language, company, name: request.firstName }, { portal: portal.id });
			return Response.json({ employee: joined.employee });
		});
	});

	members(app, services, joinRoutes.refuse, async (call, caller) => {
		const { portal } = caller;
		if (!decides(caller)) return decidesNothing();
		return withClaim(services, await joins.claimWaiting(portal.id, call.param('id')), async (claim) => {
			await joins.finish(claim);
			tell(services, portal);
			const { email, language, firstName } = claim.request;
			const { company = '' } = portal.settings ?? {};
			await letters.send(email, { kind: 'join-refused', language, company, name: firstName }, { portal: portal.id });
			return new Response(null, { status: 204 });
		});
	});

	async function ask({ portal, link, ip }: Door & { ip: string | null }, asking: Asking): Promise<void> {
		const { company = '' } = portal.settings ?? {};
		const { email, firstName, language } = asking;
		const from = { portal: portal.id, ip };
		if (personWith(portal, email)?.active) {
			await letters.send(email, { kind: 'join-known', language, company, confirm: null }, from);
			return;
		}
		const confirm = await joins.ask({ portal: portal.id, link: link?.id ?? null, ...asking });
		const isKnown = (await accounts.identityByEmail(email))?.emailConfirmed === true;
		await letters.send(email, isKnown ? { kind: 'join-known', language, company, confirm } : { kind: 'join-confirmation', language, company, name: firstName, ...confirm }, from);
	}
}

type Asking = Pick<JoinRequest, 'email' | 'firstName' | 'lastName' | 'login' | 'language' | 'hash' | 'asker'>;

const unknownRequest = (): Response => problem('not-found', { detail: 'this is unknown, used, decided or too old' });
const decides = ({ portal, person }: Caller): boolean => portal.directory.isAdministrator(person);
const decidesNothing = (): Response => problem('denied', { detail: 'administrators decide who is let in' });

async function selfRegistration({ portals }: Services, id: Portal['id']): Promise<Door | Response> {
	const portal = await portals.portal(id);
	// Not there and closed are told alike: ids of portals are nobody's business.
	return portal && isOpen(portal) ? { portal, link: null } : problem('registration-closed', { detail: 'people do not register themselves here; ask for an invitation' });
}

const isOpen = (portal: Portal): boolean => (portal.settings?.selfRegistration.mode ?? 'off') !== 'off';

/** Null where what let them ask is over. */
async function doorOf({ accounts, portals }: Services, { portal: id, link: linkId }: JoinRequest): Promise<Door | null> {
	const portal = await portals.portal(id);
	if (!portal) return null;
	if (linkId === null) return isOpen(portal) ? { portal, link: null } : null;
	const link = await accounts.invitationLinks.get(linkId);
	return link && mayBringIn(portal, link.createdBy) ? { portal, link } : null;
}

/** Always, unless the link says not, everybody may, or the address is in a domain of the company; and always about whoever was dismissed. */
function needsApproval({ portal, link }: Door, { email }: JoinRequest): boolean {
	if (personWith(portal, email)?.active === false) return true;
	const { mode = 'off', domains = [] } = portal.settings?.selfRegistration ?? {};
	if (domains.includes(email.slice(email.lastIndexOf('@') + 1))) return false;
	return link ? link.approval : mode !== 'open';
}

/** Whether the address's account was somebody here who was dismissed, also where their record knows the address no more (erased). */
async function isReturning({ accounts, portals }: Services, { portal: id, email }: JoinRequest): Promise<boolean> {
	const known = await accounts.identityByEmail(email);
	const member = known && (await accounts.membershipsOf(known.identity)).find((membership) => membership.portal === id);
	return Boolean(member && !(await portals.portal(id))?.actorOf(member.employee));
}

/** Where whoever made the link may put people by now; nowhere for those who registered themselves. */
const placementOf = ({ portal, link }: Door): Placement => (link ? placementOfNow(portal, link.createdBy, link) : { department: null, groups: [] });

async function withClaim({ accounts }: Services, claimed: JoinClaimed, decide: (claim: JoinClaim) => Promise<Response>): Promise<Response> {
	if (claimed.outcome === 'unknown') return unknownRequest();
	if (claimed.outcome === 'being-decided') return retryLater('being-accepted', claimed.retryAfterSeconds);
	try {
		return await decide(claimed.claim);
	} finally {
		// Of no effect once it is finished or waits.
		accounts.joins.release(claimed.claim);
	}
}

type Admitted = { readonly employee: PersonId; readonly identity: IdentityId; readonly wasKnown: boolean };

/** Makes the identity, where the address has none, and the employee. The request is over only once the person is in. */
async function admit(services: Services, portal: Portal, claim: JoinClaim, placement: Placement): Promise<Admitted | Response> {
	const { accounts } = services;
	const { email, firstName, lastName, login, language, hash } = claim.request;
	const seat = await accounts.turns.run(`joining ${email}`, async () => {
		const registered = await accounts.registerHashed({ email, name: `${firstName} ${lastName}`, hash, login });
		const identity = registered?.identity ?? (await identityOf(services, email));
		const joined = await letIn(services, portal, identity, { email, firstName, lastName, language, placement, mayReturn: true });
		return { joined, identity, wasKnown: registered === null };
	});
	if (!('employee' in seat.joined)) return refusalProblem(seat.joined);
	await accounts.joins.finish(claim);
	return { employee: seat.joined.employee, identity: seat.identity, wasKnown: seat.wasKnown };
}

async function identityOf({ accounts }: Services, email: Email): Promise<IdentityId> {
	const known = await accounts.identityByEmail(email);
	if (!known) throw new Error('An address had an identity a moment ago, and nothing deletes confirmed ones.');
	return known.identity;
}

async function wait(services: Services, portal: Portal, claim: JoinClaim): Promise<Response> {
	const became = await services.accounts.joins.wait(claim);
	if (became === 'lapsed') return unknownRequest();
	if (became === 'full') return problem('too-many', { detail: 'too many people wait to be let in; an administrator has to decide about them first' });
	tell(services, portal);
	await tellAdministrators(services, portal);
	return Response.json({ waiting: true }, { status: 202 });
}

function tell({ accounts }: Services, portal: Portal): void {
	portal.tellWaiting(accounts.joins.countWaiting(portal.id));
}

/** Administrators of a large company who get a letter; all see it in the portal. */
const ADMINISTRATORS_TOLD = 10;

/** At most one letter an hour, however many ask. */
async function tellAdministrators({ accounts, letters }: Services, portal: Portal): Promise<void> {
	if (await accounts.letters.wentWithinTheHour(portal.id, 'join-asked')) return;
	const { company = '', language = 'en' } = portal.settings ?? {};
	const people = accounts.joins.countWaiting(portal.id);
	const administrators = [...portal.directory.people].filter(({ id }) => portal.directory.isAdministrator(id as PersonId)).slice(0, ADMINISTRATORS_TOLD);
	for (const { email, language: own } of administrators) await letters.send(email as Email, { kind: 'join-asked', language: own ?? language, company, people }, { portal: portal.id });
}
