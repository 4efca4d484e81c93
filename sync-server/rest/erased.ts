/**
 * What erasing a person's profile means for how they signed in: they belong to the portal no more, and an identity that belongs to none is gone with its address, password,
 * factors and links.
 *
 * Asked again and again of the portals in memory: a portal in which somebody was erased is one, and what a crash left over is found when it is next opened.
 */
import type { PersonId } from '#crdt-model/ids.ts';
import type { Services } from './call.ts';

/** Those of whom nothing is left, so that each is asked for once while the relay runs; a person who comes back is asked about anew. */
const done = new WeakMap<object, Set<PersonId>>();

/** How many identities lost this portal. */
export async function forgetErased({ accounts, portals }: Pick<Services, 'accounts' | 'portals'>): Promise<number> {
	let forgotten = 0;
	for (const portal of portals.opened()) {
		const known = done.get(portal) ?? new Set<PersonId>();
		done.set(portal, known);
		// By the disk: an erasure whose commit fails has not happened.
		for (const { id, erased, active } of portal.directoryOnDisk.people) {
			const person = id as PersonId;
			if (!erased || active) known.delete(person);
			else if (!known.has(person)) {
				const identity = await accounts.identityOf(portal.id, person);
				if (identity !== null) {
					const owner = await accounts.identity(identity);
					// Beside whoever joins somewhere with the same address, not between the two steps of it.
					await accounts.turns.run(`joining ${owner?.email}`, async () => {
						await accounts.removeMembership(portal.id, person);
						await accounts.removeIfNowhere(identity);
					});
					forgotten++;
				}
				known.add(person);
			}
		}
	}
	return forgotten;
}
