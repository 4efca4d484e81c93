/**
 * The entrance: what somebody who is not signed in may know of this relay and of the portal whose door they stand at, so that its page offers what works here.
 *
 * Promises: no portal is told that was not named, unless it is the only one or its own domain was called; of a company only what its settings show at the door.
 * Leaves to others: everything that is behind the door.
 */
import * as v from 'valibot';
import { LANGUAGES } from '#crdt-model/kinds/company-structure.ts';
import { SELF_REGISTRATION_MODES } from '#crdt-model/kinds/settings.ts';
import { isPortalId, type PortalId } from '#crdt-model/ids.ts';
import { relyingParty } from '../accounts/relying-party.ts';
import type { Portal } from '../room/portal.ts';
import { everyone, mayFound, route, type App, type Services } from './call.ts';
import { portalId } from './schemas.ts';

const line = v.nullable(v.string());
const entranceAnswer = v.object({
	portal: v.pipe(v.nullable(portalId), v.description('The one whose own domain this is, else the one that was named, else the only one here; null where none is')),
	company: line,
	accent: v.pipe(line, v.description('`#rrggbb`')),
	language: v.picklist(LANGUAGES),
	selfRegistration: v.picklist(SELF_REGISTRATION_MODES),
	founding: v.pipe(v.boolean(), v.description('Whether anybody may found a portal here')),
	providers: v.pipe(v.array(v.object({ id: v.string(), name: v.string() })), v.description('Whose accounts sign in here, by `GET /oidc/{provider}/start`')),
	passkeys: v.pipe(v.boolean(), v.description('Whether browsers make passkeys for the address at which this was called')),
	publicPage: v.nullable(v.object({ about: line, contact: v.nullable(v.object({ address: line, phone: line, email: line, website: line, partner: line })) })),
	lettersAreFiles: v.pipe(v.boolean(), v.description('No mail server: letters lie in DATA_DIR/mail. Told on this machine only'))
});

export const entranceRoutes = {
	entrance: route({
		method: 'get',
		path: '/api/v1/entrance',
		summary: 'What may be known before signing in',
		signedIn: false,
		query: v.object({ portal: v.optional(v.pipe(v.string(), v.maxLength(64), v.description('Id of a portal'))) }),
		answer: { status: 200, description: 'The entrance', schema: entranceAnswer },
		problems: [429]
	})
};

export function mountEntrance(app: App, services: Services): void {
	everyone(app, services, entranceRoutes.entrance, async (call) => {
		const portal = await portalAt(services, call.query.portal, call.header('host'));
		const settings = portal?.settings ?? null;
		return Response.json({
			portal: portal?.id ?? null,
			company: settings?.company ?? null,
			accent: settings?.accent ?? null,
			language: settings?.language ?? 'en',
			selfRegistration: settings?.selfRegistration.mode ?? 'off',
			founding: mayFound(services),
			providers: services.oidc.providers,
			passkeys: relyingParty(services.publicUrl, { host: call.header('host') }) !== null,
			publicPage: settings?.publicPage ? { about: settings.about, contact: settings.contact } : null,
			lettersAreFiles: call.isLocal && services.lettersAreFiles
		} satisfies v.InferInput<typeof entranceAnswer>);
	});
}

/** What is no id, or of no portal, is as if none were named: a bookmark of a portal that moved away still leads to a door. */
async function portalAt({ accounts, portals }: Services, named: string | undefined, host: string | undefined): Promise<Portal | null> {
	const door = accounts.domains.at(host);
	if (door !== null) return portals.portal(door);
	if (named !== undefined && named !== '') return isPortalId(named) ? portals.portal(named) : null;
	const [only, ...others] = firstTwo(portals.ids);
	return only !== undefined && others.length === 0 ? portals.portal(only) : null;
}

function firstTwo(ids: Iterable<PortalId>): PortalId[] {
	const found: PortalId[] = [];
	for (const id of ids) if (found.push(id) === 2) break;
	return found;
}
