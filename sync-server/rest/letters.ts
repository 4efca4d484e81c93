/**
 * Letters that did not go, for administrators.
 *
 * Promises: only of the own portal; never what a letter says, since a code in it is for its reader alone.
 */
import { members, route, type App, type Caller, type Services } from './call.ts';
import { problem } from './problem.ts';
import { letterAnswer, lettersAnswer } from './joining-schemas.ts';

export const letterRoutes = {
	list: route({
		method: 'get',
		path: '/api/v1/letters',
		summary: 'Letters of the portal that wait or failed, newest first; for administrators',
		signedIn: true,
		answer: { status: 200, description: 'What is known of each', schema: lettersAnswer }
	}),
	retry: route({
		method: 'post',
		path: '/api/v1/letters/{id}/retry',
		summary: 'Try a letter again now; for administrators',
		signedIn: true,
		answer: { status: 200, description: 'What became of it', schema: letterAnswer },
		problems: [404]
	}),
	remove: route({
		method: 'delete',
		path: '/api/v1/letters/{id}',
		summary: 'Do not send a letter any more; for administrators',
		signedIn: true,
		answer: { status: 204, description: 'It is gone' },
		problems: [404]
	})
};

const unknownLetter = (): Response => problem('not-found', { detail: 'there is no such letter, or it went' });

export function mountLetters(app: App, services: Services): void {
	const { letters } = services;
	const denied = ({ portal, person }: Caller): Response | null =>
		portal.directory.isAdministrator(person) ? null : problem('denied', { detail: 'letters are shown to administrators' });

	members(app, services, letterRoutes.list, async (_call, caller) => denied(caller) ?? Response.json({ through: letters.through, letters: await letters.shown(caller.portal.id) }));

	members(app, services, letterRoutes.retry, async (call, caller) => {
		const refused = denied(caller);
		if (refused) return refused;
		const sent = await letters.retry(caller.portal.id, call.param('id'));
		if (!sent) return unknownLetter();
		return Response.json({ letter: sent.outcome === 'given-up' ? 'failed' : sent.outcome, ...('reason' in sent && { reason: sent.reason }) });
	});

	members(app, services, letterRoutes.remove, async (call, caller) => {
		const refused = denied(caller);
		if (refused) return refused;
		return (await letters.remove(caller.portal.id, call.param('id'))) ? new Response(null, { status: 204 }) : unknownLetter();
	});
}
