/**
 * Invitation links: made, listed and withdrawn by those who invite. Who uses one asks to join (joins.ts).
 *
 * Promises: the code is shown once and comes back in bodies only; a link works only while whoever made it may invite.
 */
import type { PersonId } from '#crdt-model/ids.ts';
import { isLinkCode, type InvitationLink } from '../accounts/invitation-links.ts';
import type { Portal } from '../room/portal.ts';
import { everyone, members, route, type App, type Services } from './call.ts';
import { linkBody, linkMadeAnswer, linksAnswer, linkShownAnswer } from './joining-schemas.ts';
import { bringsNobodyIn, mayBringIn, placementProblem } from './newcomers.ts';
import { problem, retryLater } from './problem.ts';
import { codeBody } from './schemas.ts';

export const linkRoutes = {
	make: route({
		method: 'post',
		path: '/api/v1/invitation-links',
		summary: 'Make a link with which anybody who has it may ask to join',
		signedIn: true,
		body: linkBody,
		answer: { status: 201, description: 'The link, and its code this once', schema: linkMadeAnswer },
		problems: [409]
	}),
	list: route({
		method: 'get',
		path: '/api/v1/invitation-links',
		summary: 'Links that still work, newest first: all of them for administrators, their own for others who invite',
		signedIn: true,
		answer: { status: 200, description: 'Without codes', schema: linksAnswer }
	}),
	withdraw: route({
		method: 'delete',
		path: '/api/v1/invitation-links/{id}',
		summary: 'Withdraw a link: it works no longer',
		signedIn: true,
		answer: { status: 204, description: 'Withdrawn' },
		problems: [404]
	}),
	open: route({
		method: 'post',
		path: '/api/v1/invitation-links/open',
		summary: 'What the page behind the link shows',
		signedIn: false,
		body: codeBody,
		answer: { status: 200, description: 'A link that works', schema: linkShownAnswer },
		problems: [404, 429]
	})
};

const DAY_MS = 24 * 3_600_000;

export function mountInvitationLinks(app: App, services: Services): void {
	const { accounts, now } = services;
	const links = accounts.invitationLinks;

	members(app, services, linkRoutes.make, async ({ body }, { portal, person }) => {
		if (!mayBringIn(portal, person)) return bringsNobodyIn();
		const placement = { department: body.department ?? null, groups: body.groups ?? [] };
		const misplaced = placementProblem(portal, person, placement);
		if (misplaced) return misplaced;
		const made = await links.make({ portal: portal.id, ...placement, approval: body.approval, createdBy: person, expiresAt: now() + body.expiresInDays * DAY_MS });
		if (!made) return problem('too-many', { detail: 'the portal has as many links as it may: withdraw one first' });
		return Response.json({ ...shown(made.link), code: made.code }, { status: 201 });
	});

	members(app, services, linkRoutes.list, async (_call, { portal, person }) => {
		if (!mayBringIn(portal, person)) return bringsNobodyIn();
		const mine = (await links.openOf(portal.id)).filter((link) => handles(portal, person, link));
		return Response.json({ links: mine.map((link) => ({ ...shown(link), valid: mayBringIn(portal, link.createdBy) })) });
	});

	members(app, services, linkRoutes.withdraw, async (call, { portal, person }) => {
		if (!mayBringIn(portal, person)) return bringsNobodyIn();
		const link = (await links.openOf(portal.id)).find(({ id }) => id === call.param('id'));
		if (!link || !handles(portal, person, link) || !(await links.withdraw(portal.id, link.id))) return problem('not-found', { detail: 'there is no such link, or it ended' });
		return new Response(null, { status: 204 });
	});

	everyone(app, services, linkRoutes.open, async (call) => {
		const found = await openLink(services, call.ip, call.body.code);
		if (found instanceof Response) return found;
		const { link, portal } = found;
		const { company = '', language = 'en', accent = null } = portal.settings ?? {};
		return Response.json({ portal: portal.id, company, accent, language, approval: link.approval, expiresAt: link.expiresAt });
	});
}

/** A link that works now, by its code; unknown ones weigh on the network that brings them. */
export async function openLink({ accounts, portals }: Services, ip: string | null, code: string): Promise<{ link: InvitationLink; portal: Portal } | Response> {
	// The page behind the link cannot tell the code of a letter from this one and asks here first: what is no code of a link was no guess either.
	if (!isLinkCode(code)) return unknownLink();
	const found = await accounts.bySecret(ip, () => accounts.invitationLinks.open(code));
	if (found.outcome !== 'judged') return retryLater('too-many-attempts', found.retryAfterSeconds);
	const portal = found.value && (await portals.portal(found.value.portal));
	return found.value && portal && mayBringIn(portal, found.value.createdBy) ? { link: found.value, portal } : unknownLink();
}

const unknownLink = (): Response => problem('not-found', { detail: 'this link is unknown, withdrawn or too old' });

const handles = (portal: Portal, person: PersonId, { createdBy }: InvitationLink): boolean => portal.directory.isAdministrator(person) || createdBy === person;

const shown = ({ portal: _portal, ...link }: InvitationLink) => link;
