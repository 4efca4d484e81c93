/**
 * Adding somebody directly, with a first password.
 *
 * Promises: only an administrator; the identity proves nothing until its owner answers a letter, must choose its own password at the first sign-in, and belongs to this portal alone; an
 * address that has an identity keeps it as it is and is invited instead.
 */
import type { PersonId } from '#crdt-model/ids.ts';
import type { Email } from '../accounts/email.ts';
import { parseEmail } from '../accounts/email.ts';
import type { Portal } from '../room/portal.ts';
import { members, route, type App, type Call, type Services } from './call.ts';
import { letterResult, sendInvitation } from './invitations.ts';
import { personAddedAnswer, personBody } from './joining-schemas.ts';
import { letIn, nameOf, personWith, type Placement, placementProblem } from './newcomers.ts';
import { badField, problem, refusalProblem, retryLater } from './problem.ts';
import { refusedProblem } from './sign-in.ts';

export const peopleRoutes = {
	add: route({
		method: 'post',
		path: '/api/v1/people',
		summary: 'Add somebody at once with a first password; for administrators. Where the address has an identity, an invitation goes instead',
		signedIn: true,
		body: personBody,
		answer: { status: 201, description: 'Added, or invited', schema: personAddedAnswer },
		problems: [402, 409, 429]
	})
};

export function mountPeople(app: App, services: Services): void {
	const { accounts } = services;

	members(app, services, peopleRoutes.add, async (call, { portal, person }) => {
		if (!portal.directory.isAdministrator(person)) return problem('denied', { detail: 'administrators add people' });
		const { body } = call;
		const placement = { department: body.department ?? null, groups: body.groups ?? [] };
		const misplaced = placementProblem(portal, person, placement);
		if (misplaced) return misplaced;
		const parsed = parseEmail(body.email);
		if (parsed.outcome === 'refused') return badField('email', 'not an e-mail address');
		const present = personWith(portal, parsed.email);
		if (present) return problem(present.active ? 'already-member' : 'dismissed', { extra: { employee: present.id } });
		return accounts.turns.run(`joining ${parsed.email}`, () => add(services, portal, person, parsed.email, body, placement));
	});
}

type Body = Call<{ firstName: string; lastName: string; password: string; login?: string | null | undefined; position?: string | null | undefined; language?: 'en' | 'ro' | undefined }>['body'];

async function add(services: Services, portal: Portal, by: PersonId, email: Email, body: Body, placement: Placement): Promise<Response> {
	const { accounts, letters } = services;
	const { firstName, lastName, password, login, position, language } = body;
	const added = await accounts.addIdentity({ email, password, name: `${firstName} ${lastName}`, login, portal: portal.id });
	if (added.outcome === 'refused') return refusedProblem(added.refusal);
	if (added.outcome === 'login-taken') return problem('login-taken');
	if (added.outcome === 'known') {
		const invited = await accounts.invite({ portal: portal.id, email, ...placement, invitedBy: by });
		if (invited.outcome !== 'invited') return badField('email', 'not an e-mail address');
		const sent = await sendInvitation(services, portal, invited);
		if (sent.outcome === 'limited') return retryLater('too-much', sent.retryAfterSeconds);
		return Response.json({ invited: true, letter: letterResult(sent) }, { status: 201 });
	}
	const joined = await letIn(services, portal, added.identity, { email, firstName, lastName, language, position, placement, mayReturn: false });
	if (!('employee' in joined)) {
		// No seat: the address is as free as before.
		await accounts.discardAdded(added.identity);
		return refusalProblem(joined);
	}
	const { company = '', language: own = 'en' } = portal.settings ?? {};
	const sent = await letters.send(email, { kind: 'added-directly', language: language ?? own, company, addedBy: nameOf(portal, by), name: firstName }, { portal: portal.id });
	return Response.json({ employee: joined.employee, letter: letterResult(sent) }, { status: 201 });
}
