/**
 * Who may do what with documents and files (FEATURES 2.9). The levels read < add < edit < share < full each hold those before them; of the place and all grants that apply,
 * the highest wins. The company's place gives everyone `edit` and its maker `full`; one's own gives its maker `full`; administrators have `full`. Below:
 *
 *   title, content       edit
 *   granting             share, up to one's own level
 *   taking back          full
 *   place, deletion      full
 *
 * A page on a record follows the record, stays there and takes no grants; its deletion is its maker's and the administrators'. A face is read by every employee, is its
 * maker's and the administrators' to change, stays a face and takes no grants. Who may not address everybody (settings.writersToAll) grants nothing to `all`,
 * nor to the company's root with everything below it, and puts nothing into the company's place, by making it there or by moving it.
 */
import type { KindName, KINDS_WITH_PAGE } from '../ids.ts';
import type { FileRow } from '../kinds/file.ts';
import { DISK_LEVELS, type DiskLevel } from '../kinds/grants.ts';
import type { PageRow, TextRow } from '../kinds/page.ts';
import type { Path } from '../record/state.ts';
import { crmRules } from './crm.ts';
import { mayAddressAll, namesEverybody, whoAddressesAll } from './entrusted.ts';
import type { Principal } from './principals.ts';
import type { Recipient } from './recipients.ts';
import { taskRules } from './tasks.ts';
import { allow, audienceOf, canRead, deny, type Actor, type Change, type Rules, type Verdict, type World } from './verdict.ts';

type Placed = PageRow | TextRow | FileRow;

/** Whoever may work on a record may write its page. */
const recordRules: Readonly<Record<(typeof KINDS_WITH_PAGE)[number], Rules>> = { task: taskRules, deal: crmRules, company: crmRules };
const scopeRules: Partial<Record<KindName, Rules>> = recordRules;

const rank = (level: DiskLevel | null | undefined): number => (level ? DISK_LEVELS.indexOf(level) : -1);

/** The highest level that applies to a person, and by what; null where none does. Asked of what lies in a place of its own. */
export function diskLevel(actor: Actor, row: Placed): { readonly level: DiskLevel; readonly by: Principal } | null {
	if (actor.principals.has('admins')) return { level: 'full', by: 'admins' };
	if (row.createdBy === actor.person) return { level: 'full', by: `user:${row.createdBy}` };
	let best: { level: DiskLevel; by: Principal } | null = row.place === 'company' && actor.principals.has('all') ? { level: 'edit', by: 'all' } : null;
	for (const recipient in row.grants) {
		const level = row.grants[recipient as Recipient]!;
		if (rank(level) > rank(best?.level) && actor.principals.has(recipient as Recipient)) best = { level, by: recipient as Recipient };
	}
	return best;
}

/** Who has at least a level, for the sentence on screen. */
function whoHas(row: Placed, least: DiskLevel): Principal[] {
	const granted = (Object.entries(row.grants ?? {}) as [Recipient, DiskLevel][]).filter(([, level]) => rank(level) >= rank(least)).map(([recipient]) => recipient);
	return [`user:${row.createdBy}`, ...granted.filter((one) => one !== `user:${row.createdBy}`), 'admins'];
}

function mayWrite(actor: Actor, row: Placed, world: World): Verdict {
	if (row.place === 'record') {
		const scope = row.on && world.rowOf(row.on);
		if (!scope || scope.deleted || !canRead(actor, audienceOf(scope, world))) return deny('page.record-is-there');
		return scopeRules[scope.kind]?.write(actor, scope, world) ?? deny('page.hangs-on-work');
	}
	const has = diskLevel(actor, row);
	if (row.place === 'face') return has?.level === 'full' ? allow('file.face-is-makers') : deny('file.face-is-makers', ...whoHas(row, 'full'));
	if (rank(has?.level) < rank('edit')) return deny(row.place === 'company' ? 'page.company-writes' : 'page.own', ...whoHas(row, 'edit'));
	if (row.place === 'company' && has!.by === 'all') return allow('page.company-writes');
	return allow(has!.by in row.grants && row.createdBy !== actor.person ? 'disk.granted' : row.place === 'company' ? 'page.company-writes' : 'page.own');
}

/** What lies in the company's place is everybody's to read. Asked last: who may place nothing here is told of that. */
function mayPlace(actor: Actor, old: Placed | null, row: Placed, { wishes }: Pick<Change, 'wishes'>, { settings }: World, verdict: Verdict): Verdict {
	const wish = wishes?.find(([path]) => path === 'place');
	const isPut = (wish ? wish[1] : row.place) === 'company' && old?.place !== 'company';
	return !verdict.allow || !isPut || mayAddressAll(actor, settings) ? verdict : deny('recipients.all-is-limited', ...whoAddressesAll(settings));
}

function mayGrant(actor: Actor, old: Placed, row: Placed, { changed, wishes }: Change, { settings, directory }: World): Verdict {
	if (old.place === 'record') return deny('disk.record-gives');
	if (old.place === 'face') return deny('file.face-takes-no-grants');
	const verdict = mayGrantAtAll(actor, old, row, changed);
	// Asked last: who may grant nothing here is told of that.
	if (!verdict.allow || mayAddressAll(actor, settings)) return verdict;
	for (const path of changed) {
		const recipient = path.slice('grants/'.length) as Recipient;
		// A guest does not know of the root, and learns nothing of it here.
		if (recipient !== 'all' && !(actor.principals.has('all') && namesEverybody(recipient, directory))) continue;
		const wish = wishes?.find(([one]) => one === path);
		// What is less than stood there takes back.
		if (rank((wish ? wish[1] : row.grants[recipient]) as DiskLevel | null | undefined) > rank(old.grants[recipient])) return deny('recipients.all-is-limited', ...whoAddressesAll(settings));
	}
	return verdict;
}

function mayGrantAtAll(actor: Actor, old: Placed, row: Placed, changed: readonly Path[]): Verdict {
	const mine = diskLevel(actor, old)?.level;
	if (mine === 'full') return allow('disk.full-grants');
	if (rank(mine) < rank('share')) return deny('disk.share-grants', ...whoHas(old, 'share'));
	for (const path of changed) {
		const recipient = path.slice('grants/'.length) as Recipient;
		if (rank(row.grants[recipient]) < rank(old.grants[recipient])) return deny('disk.full-takes-back', ...whoHas(old, 'full'));
		if (rank(row.grants[recipient]) > rank(mine)) return deny('disk.up-to-own-level', ...whoHas(old, 'full'));
	}
	return allow('disk.share-grants');
}

export const diskRules: Rules = {
	change(actor, change, world) {
		const { before, next, changed } = change;
		const row = next.row as Placed;
		if (!before) return mayPlace(actor, null, row, change, world, mayWrite(actor, row, world));
		const old = before.row as Placed;
		// Whoever could say that a file's bytes have come could make others fetch what is not there.
		if (changed.includes('arrived')) return deny('file.relay-says');
		if (row.place === 'record' && old.place !== 'record') return deny('page.stays-loose');
		// Its id is the record's page for ever: the record's people would go on writing where others read, or nobody else does.
		if (old.place === 'record' && changed.includes('place')) return deny('page.stays-with-record');
		if (changed.some((path) => path.startsWith('grants/'))) return mayGrant(actor, old, row, change, world);
		// Neither way: a picture of a person is no document, and no document is shown to all under a person's name.
		if (changed.includes('place') && (old.place === 'face' || row.place === 'face')) return deny('file.face-stays');
		if (changed.includes('deleted') || changed.includes('place')) {
			const level = old.place === 'record' ? (old.createdBy === actor.person || actor.principals.has('admins') ? 'full' : null) : diskLevel(actor, old)?.level;
			if (level !== 'full') return deny('page.maker-places', ...whoHas(old, 'full'));
		}
		const verdict = mayWrite(actor, old, world);
		return changed.includes('place') ? mayPlace(actor, old, row, change, world, verdict) : verdict;
	},
	write(actor, row, world) {
		if (row.deleted) return deny('page.deleted');
		return canRead(actor, audienceOf(row, world)) ? mayWrite(actor, row as Placed, world) : deny('page.readers');
	}
};
