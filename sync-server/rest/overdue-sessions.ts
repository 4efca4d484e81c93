/**
 * Where a portal demands a second factor, sessions of people who have none end when their time of grace is over: their sockets close with 4401 and say why, and
 * signing in again enrols. What is on the device stays there. Asked every minute, of portals in memory: in others nobody is connected, and the first call brings
 * them back.
 */
import type { Services } from './call.ts';

export async function endOverdueSessions({ accounts, portals }: Pick<Services, 'accounts' | 'portals'>): Promise<void> {
	for (const portal of portals.opened()) await accounts.endOverdueSessions(portal.id, portal.settings?.secondFactor ?? null);
}
