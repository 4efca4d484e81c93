/**
 * The last call of a dismissed person's device: its own unsent work. The sign-in is good for this and for nothing else, and this ends it, so that each device
 * says it once.
 */
import * as v from 'valibot';
import { IdMaker, isDocumentId, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { isJson } from '#crdt-model/record/parts.ts';
import type { Json } from '#crdt-model/record/state.ts';
import { refuse } from '#crdt-model/wire/refusal.ts';
import { takeFarewell } from '../room/farewell.ts';
import { everyone, fromOurPage, notSignedIn, route, signedInBy, type App, type Services } from './call.ts';
import { problem, refusalProblem } from './problem.ts';

/** What one device may leave: a tray of a long holiday. A call's body ends at 256 KiB anyway. */
export const MAX_FAREWELL_ITEMS = 50;
/** Devices of one person that are heard, for as long as this relay runs. */
export const MAX_FAREWELLS = 8;

const documentId = v.custom<DocumentId>(isDocumentId, 'not a document id');
const command = v.strictObject({ document: documentId, name: v.pipe(v.string(), v.maxLength(64)), args: v.custom<Json>(isJson, 'not plain data') });
export const farewellBody = v.strictObject({
	items: v.pipe(
		v.array(v.strictObject({ document: documentId, commands: v.optional(v.pipe(v.array(command), v.maxLength(20))), text: v.optional(v.pipe(v.string(), v.maxLength(10_000))) })),
		v.maxLength(MAX_FAREWELL_ITEMS)
	)
});
export const farewellAnswer = v.object({ proposed: v.number(), leftOut: v.number() });

export const farewellRoutes = {
	farewell: route({
		method: 'post',
		path: '/api/v1/farewell',
		summary: 'The last call of a dismissed person: their own unsent work goes to their head as proposals, and the sign-in ends',
		signedIn: false,
		body: farewellBody,
		answer: { status: 200, description: 'Taken', schema: farewellAnswer },
		problems: [401, 403, 429]
	})
};

export function mountFarewell(app: App, services: Services): void {
	const { accounts, portals, publicUrl, now } = services;
	const ids = new IdMaker(now);
	const heard = new Map<PersonId, number>();
	everyone(app, services, farewellRoutes.farewell, async (call) => {
		const credentials = signedInBy(accounts, call.presented);
		if (!credentials || credentials.signIn.viewer) return notSignedIn();
		const { signIn } = credentials;
		if (credentials.byCookie && !fromOurPage(services, { origin: call.header('origin'), host: call.header('host') }, signIn.portal)) return problem('bad-origin');
		const portal = await portals.portal(signIn.portal);
		const person = portal?.directory.person(signIn.employee);
		if (!portal || !person) return notSignedIn();
		if (person.active) return refusalProblem(refuse('denied', 'you still belong to this portal'));
		const times = heard.get(signIn.employee) ?? 0;
		if (times >= MAX_FAREWELLS) return problem('too-many-attempts');
		heard.set(signIn.employee, times + 1);
		const { proposed, leftOut } = (await takeFarewell(portal, signIn.employee, call.body.items, ids)) ?? { proposed: 0, leftOut: call.body.items.length };
		await accounts.endSession(credentials.token);
		return Response.json({ proposed, leftOut });
	});
}
