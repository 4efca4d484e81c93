/**
 * What changes how a person signs in is asked of its owner again, although they are signed in: a browser that was left open is not enough. And the owner
 * is told by letter whenever something of it changed.
 */
import type { PortalId, SessionId } from '#crdt-model/ids.ts';
import type { IdentityId } from '../accounts/accounts.ts';
import type { FactorChange, LetterLanguage } from '../accounts/letter-kinds.ts';
import type { Services } from './call.ts';
import { problem, retryLater } from './problem.ts';

/** A person without a password (who comes through a provider or by passkey alone) proves themself by having signed in just now. */
const RECENT_MS = 10 * 60_000;

/** By what somebody signs in is shown to nobody who looks on as them. */
export const ownersAlone = (): Response => problem('denied', { detail: 'shown to its owner alone' });

interface Owner {
	readonly identity: IdentityId;
	readonly session: SessionId;
}

/** Null for the owner, else what is answered. */
export async function askPassword({ accounts, now }: Services, { identity, session }: Owner, password: unknown, ip: string | null): Promise<Response | null> {
	if (!(await accounts.hasPassword(identity))) {
		const began = await accounts.sessionBeganAt(identity, session);
		return began !== null && now() - began < RECENT_MS ? null : problem('wrong-credentials', { detail: 'sign in again first' });
	}
	const checked = await accounts.checkPassword(identity, password, ip);
	if (checked.outcome === 'too-many-attempts') return retryLater('too-many-attempts', checked.retryAfterSeconds);
	return checked.outcome === 'right' ? null : problem('wrong-credentials');
}

/** Null for a right code, which is spent, else what is answered. */
export async function askCode({ accounts }: Services, identity: IdentityId, code: string, ip: string | null): Promise<Response | null> {
	if (!(await accounts.secondFactors.has(identity))) return problem('no-second-factor');
	const checked = await accounts.checkCode(identity, code, ip);
	if (checked.outcome !== 'judged') return retryLater('too-many-attempts', checked.retryAfterSeconds);
	return checked.value ? null : problem('wrong-code');
}

/** @param portal in which it happened, whose look and language the letter has */
export async function tellOwner(services: Pick<Services, 'accounts' | 'portals' | 'letters' | 'now'>, identity: IdentityId, change: FactorChange, portal: PortalId | null): Promise<void> {
	const { accounts, letters, now } = services;
	const owner = await accounts.identity(identity);
	if (!owner) return;
	const language = await languageOf(services, identity, portal);
	await letters.send(owner.email, { kind: 'second-factor-changed', language, change, at: now() }, { portal });
}

/** In which a person is written to: of the portal that is meant, else of the first that knows. */
export async function languageOf({ accounts, portals }: Pick<Services, 'accounts' | 'portals'>, identity: IdentityId, portal: PortalId | null): Promise<LetterLanguage> {
	for (const membership of await accounts.membershipsOf(identity)) {
		if (portal !== null && membership.portal !== portal) continue;
		const opened = await portals.portal(membership.portal);
		const language = opened?.directory.person(membership.employee)?.language ?? opened?.settings?.language;
		if (language) return language;
	}
	return 'en';
}
