/**
 * The operator's REST (`/api/operator/v1`): what portals there are and what they have bought, for the operator's own programs, from anywhere. The rest of
 * the operator's work is done on the machine (operator.ts).
 *
 * Promises: to whoever does not know OPERATOR_TOKEN there is no such path, and where none is set there is none at all; the comparison takes the same time
 * whatever is wrong; a network that guesses is answered no more for a while; a change is judged and made by the same function as the command line's.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import * as v from 'valibot';
import { isPortalId, type PortalId } from '#crdt-model/ids.ts';
import { AttemptWindow, networkOf } from '../accounts/attempts.ts';
import { tariffChange, tariffCommand, type PortalTariff } from '../operator/tariff-command.ts';
import { finished, readJson, type App, type Bindings, type Services } from '../rest/call.ts';
import { problem, retryLater } from '../rest/problem.ts';

/** Wrong tokens from one network in a quarter of an hour: a program that was given the wrong one stops earlier, and nobody guesses 32 characters. */
export const OPERATOR_ATTEMPTS_PER_NETWORK = 10;

const BASE = '/api/operator/v1';

/** @param token null: there is no such thing here */
export function mountOperatorRest(app: App, services: Pick<Services, 'portals' | 'now'>, token: string | null): void {
	if (token === null) return;
	const wanted = token;
	const attempts = new AttemptWindow(OPERATOR_ATTEMPTS_PER_NETWORK, services.now);

	/** Null for the operator; else what everyone else hears. */
	async function refusal(c: Context<Bindings>): Promise<Response | null> {
		const attempt = await attempts.take(networkOf(c.env.ip ?? ''));
		if (attempt.outcome === 'refused') return retryLater('too-many-attempts', attempt.retryAfterSeconds);
		const isOperator = isSame(/^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '', wanted);
		attempt.settle(!isOperator);
		return isOperator ? null : problem('no-such-path');
	}
	const named = async (id: string): Promise<PortalId | null> => (isPortalId(id) && (await services.portals.portal(id)) ? id : null);
	const route = (method: string, path: string, handler: (c: Context<Bindings>) => Promise<Response>) =>
		app.on(method, `${BASE}${path}`, async (c) => finished((await refusal(c)) ?? (await handler(c))));

	route('GET', '/portals', async () => {
		const answer = [...services.portals.ids].length === 0 ? { portals: [] } : await tariffCommand(services, {});
		return 'problem' in answer ? problem('unavailable', { detail: answer.problem }) : Response.json({ portals: answer.portals.map(shown) });
	});

	route('GET', '/portals/:id/tariff', async (c) => {
		const portal = await named(c.req.param('id') ?? '');
		return portal ? answered(await tariffCommand(services, { portal })) : problem('not-found', { detail: 'no such portal' });
	});

	route('PUT', '/portals/:id/tariff', async (c) => {
		const portal = await named(c.req.param('id') ?? '');
		if (!portal) return problem('not-found', { detail: 'no such portal' });
		const read = await readJson(c);
		if (read instanceof Response) return read;
		const change = v.safeParse(tariffChange, read.value);
		if (!change.success) {
			const [issue] = change.issues;
			const field = issue.path?.map(({ key }) => String(key)).join('.') ?? '';
			return problem('bad-value', { detail: `${field} ${issue.message}`.trim(), errors: [{ field, message: issue.message }] });
		}
		if (Object.keys(change.output).length === 0) return problem('bad-value', { detail: 'nothing to change: plan, seats, demo or rentedGigabytes' });
		return answered(await tariffCommand(services, { portal, ...change.output }));
	});
}

function answered(answer: Awaited<ReturnType<typeof tariffCommand>>): Response {
	return 'problem' in answer ? problem('bad-value', { detail: answer.problem }) : Response.json(shown(answer.portals[0]!));
}

const shown = ({ portal, company, bought, tariff }: PortalTariff) => ({
	portal, company, plan: tariff.plan, people: tariff.people.used, storageBytes: tariff.storageBytes.used, bought, tariff
});

/** Digests are of one length, so that the time tells nothing of either. */
function isSame(given: string, wanted: string): boolean {
	const digest = (text: string) => createHash('sha256').update(text).digest();
	return timingSafeEqual(digest(given), digest(wanted));
}
