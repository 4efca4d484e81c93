/**
 * The one place where a sign-in goes on and ends. Whoever has proved something (a password, a passkey, a provider, a code) comes here with what is known so
 * far, and gets either the next thing to prove, as a problem with a fresh ticket, or a session.
 *
 * The order, and why: the second factor first, because nothing is told of the portals before it; then the portal, of which the person must be a member and which says from
 * where it lets people in; then a password of one's own; last a second factor where the portal wants one and there is none, because its recovery codes are shown
 * once, with the answer that lets the person in.
 * Promises: a ticket is good for the step that it was issued for, once it is right, and for ten minutes; no other code starts a session for a person who comes with a password.
 */
import { createHash } from 'node:crypto';
import type { PersonId, PortalId, SessionId } from '#crdt-model/ids.ts';
import type { IdentityId } from '../accounts/accounts.ts';
import { cookieValue, serialize, sessionCookie, sessionCookieOf, tokensFromCookie } from '../accounts/cookie.ts';
import { type FactorDemand, graceEnd, isOverdue } from '../accounts/factor-demand.ts';
import { type AwaitedStep, SIGN_IN, SIGN_IN_MS, type SignIn } from '../accounts/sign-ins.ts';
import type { Portal } from '../room/portal.ts';
import { signedInBy, type Call, type Services } from './call.ts';
import { languageOf } from './owner.ts';
import { problem, retryLater, type ProblemCode } from './problem.ts';

type Caller = Pick<Call, 'ip' | 'header'>;

const CODE_OF: Record<AwaitedStep, ProblemCode> = {
	code: 'second-factor',
	portal: 'choose-portal',
	enrolment: 'must-enrol',
	password: 'must-change-password'
};

/** @param extra members of the answer beside the usual ones, also where it asks for more: recovery codes are shown once and must not be lost on the way */
export async function signInOver(services: Services, call: Caller, signIn: SignIn, extra: Record<string, unknown> = {}): Promise<Response> {
	const { accounts } = services;
	const { identity } = signIn;
	const hasFactor = await accounts.secondFactors.has(identity);
	if (hasFactor && !signIn.factorDone) return awaiting(services, signIn, 'code', extra);
	// At a portal's own domain one signs in there: a cookie of another would count for nothing.
	const door = accounts.domains.at(call.header('host'));
	const places = await placesOf(services, door === null ? signIn : { ...signIn, portal: door });
	const [place, ...others] = places;
	if (!place) return problem('not-a-member', { extra });
	if (others.length > 0) {
		const portals = places.map(({ portal }) => ({ portal: portal.id, company: portal.settings?.company ?? '' }));
		return awaiting(services, signIn, 'portal', { ...extra, portals });
	}
	if (!place.portal.mayEnter(place.employee, call.ip)) return problem('not-from-here', { extra });
	const known = { ...signIn, portal: place.portal.id };
	if (accounts.mustChangePassword(identity)) return awaiting(services, known, 'password', extra);
	// A passkey is as good as both, and leaves nothing to enrol.
	if (!hasFactor && !signIn.factorDone && isOverdue(demandOf(place.portal), place.joinedAt, services.now())) return awaiting(services, known, 'enrolment', extra);
	return signedInResponse(services, call, { identity, portal: place.portal.id, employee: place.employee, factorDone: signIn.factorDone }, extra);
}

/** What an answered ticket says, if it waits for this step (null: for any); it stays good until it is taken. Unknown ones weigh on the network that brings them. */
export async function signInOf({ accounts }: Services, call: Caller, ticket: string, step: AwaitedStep | null): Promise<SignIn | Response> {
	const found = await accounts.bySecret(call.ip, () => {
		const signIn = accounts.tickets.peek(SIGN_IN, ticket);
		return signIn && (step === null || signIn.awaits === step) ? signIn : null;
	});
	if (found.outcome !== 'judged') return retryLater('too-many-attempts', found.retryAfterSeconds);
	return found.value ?? problem('ticket-lapsed');
}

/** Says of a browser which ticket it was sent back with. */
const RESUME_COOKIE = 'atrium_resume';
const resumeValue = (ticket: string): string => createHash('sha256').update(`resume ${ticket}`).digest('base64url');

/** The `Set-Cookie` value beside a ticket that stands in an address. */
export function resumeCookie({ publicUrl }: Pick<Services, 'publicUrl'>, ticket: string): string {
	return serialize(RESUME_COOKIE, resumeValue(ticket), SIGN_IN_MS / 1000, publicUrl, '/api/v1/sessions');
}

/** Whether a ticket alone is a caller's to go on with. A page takes it from an address, which anybody writes; programs (no `Origin`) take it from an answer of their own. */
export function mayResume(call: Pick<Call, 'header'>, ticket: string): boolean {
	return call.header('origin') === undefined || cookieValue(call.header('cookie'), RESUME_COOKIE) === resumeValue(ticket);
}

/** Of several answers to one ticket at once, one goes on. */
export function goOn({ accounts }: Services, ticket: string): boolean {
	return accounts.tickets.take(SIGN_IN, ticket) !== null;
}

function awaiting({ accounts }: Services, signIn: SignIn, awaits: AwaitedStep, extra: Record<string, unknown> = {}): Response {
	// Without a ticket: whoever wants in there signs in there, and enrols then.
	if (signIn.bySession && (awaits === 'enrolment' || awaits === 'password')) return problem(CODE_OF[awaits], { extra });
	const ticket = accounts.tickets.issue(SIGN_IN, { ...signIn, awaits }, SIGN_IN_MS, signIn.identity);
	return problem(CODE_OF[awaits], { extra: { ticket, ...extra } });
}

interface Place {
	readonly portal: Portal;
	readonly employee: PersonId;
	/** Milliseconds since 1970. */
	readonly joinedAt: number;
}

/** Whether there is a portal that would take this identity in, whatever else it demanded. */
export async function worksSomewhere(services: Services, identity: IdentityId): Promise<boolean> {
	return (await placesOf(services, { identity, portal: null })).length > 0;
}

/** Where the person works now; of these the one that was named, where one was. */
async function placesOf({ accounts, portals }: Services, { identity, portal: named }: Pick<SignIn, 'identity' | 'portal'>): Promise<Place[]> {
	const places: Place[] = [];
	for (const { portal: id, employee, joinedAt } of await accounts.membershipsOf(identity)) {
		if (named !== null && id !== named) continue;
		const portal = await portals.portal(id);
		if (portal?.actorOf(employee)) places.push({ portal, employee, joinedAt });
	}
	return places;
}

const demandOf = ({ settings }: Portal): FactorDemand => settings?.secondFactor ?? null;

/** What a person is told of their second factor: whether they have one, whether this portal wants one, and until when it waits. */
export async function secondFactorShown({ accounts }: Services, portal: Portal, identity: IdentityId): Promise<{ enrolled: boolean; required: boolean; graceUntil: number | null }> {
	const joined = (await accounts.membershipsOf(identity)).find((membership) => membership.portal === portal.id);
	const graceUntil = joined ? graceEnd(demandOf(portal), joined.joinedAt) : null;
	return { enrolled: await accounts.secondFactors.has(identity), required: graceUntil !== null, graceUntil };
}

/**
 * Whether a script on a page would read the answer: browsers send `Origin` with whatever changes something. Whoever holds a token already may have another; a header that is none
 * does not make a page a program.
 */
export function isForPage({ accounts }: Pick<Services, 'accounts'>, call: Pick<Call, 'header'>): boolean {
	return call.header('origin') !== undefined && signedInBy(accounts, { authorization: call.header('authorization') }) === null;
}

/** The sign-in of this very person in the cookie that is about to be overwritten: nothing could use it any more, and it would stand in the list of devices for a month. */
function replacedBy({ accounts }: Services, call: Caller, { identity, portal }: { identity: IdentityId; portal: PortalId }): SessionId | null {
	const token = tokensFromCookie(call.header('cookie')).get(sessionCookieOf(portal));
	const held = token === undefined ? null : accounts.resolveToken(token);
	return held && held.viewer === undefined && held.portal === portal && held.identity === identity ? held.session : null;
}

/** Starts a session and says so, to programs in the body and to browsers by the cookie alone. */
export async function signedInResponse(
	services: Services,
	call: Caller,
	who: { identity: IdentityId; portal: PortalId; employee: PersonId; factorDone?: boolean },
	extra: Record<string, unknown> = {}
): Promise<Response> {
	const portal = await services.portals.portal(who.portal);
	// Also for those who come with an invitation and prove nothing else.
	if (!portal?.mayEnter(who.employee, call.ip)) return problem('not-from-here', { extra });
	const from = { ip: call.ip, userAgent: call.header('user-agent') ?? null };
	const isUnfamiliar = await services.accounts.isUnfamiliar(who.identity, from);
	const replaces = replacedBy(services, call, who);
	const started = await services.accounts.startSession({ ...who, ...from, ...(replaces && { replaces }) });
	if (started.outcome !== 'started') return problem('not-a-member');
	if (who.factorDone) await services.accounts.factors.noteProved(started.session);
	if (isUnfamiliar) await tellUnfamiliar(services, who.identity, portal, from);
	const cookie = sessionCookie(who.portal, started.token, { expiresAt: started.expiresAt, now: services.now() }, services.publicUrl);
	const token = isForPage(services, call) ? {} : { token: started.token };
	return Response.json({ portal: who.portal, employee: who.employee, ...token, ...extra }, { status: 201, headers: { 'set-cookie': cookie } });
}

/** Whoever it was, the owner of the account hears of it. */
async function tellUnfamiliar(services: Services, identity: IdentityId, portal: Portal, from: { ip: string | null; userAgent: string | null }): Promise<void> {
	const owner = await services.accounts.identity(identity);
	if (!owner) return;
	const language = await languageOf(services, identity, portal.id);
	await services.letters.send(owner.email, { kind: 'new-sign-in', language, company: portal.settings?.company ?? null, at: services.now(), ...from }, { portal: portal.id });
}
