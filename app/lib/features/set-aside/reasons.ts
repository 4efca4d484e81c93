/**
 * Refusals in plain words: what happened, who may, and what to do next (P3). Every code and every rule of the closed lists has its
 * sentence; the switch over codes ends in `never`, so a new code does not compile without one.
 */
import type { Verdict } from '#crdt-model/access/decide.ts';
import type { Directory } from '#crdt-model/access/directory.ts';
import type { DepartmentId, GroupId, PersonId } from '#crdt-model/ids.ts';
import { SERVICES } from '#crdt-model/kinds/services.ts';
import type { Refusal, RefusalCode } from '#crdt-model/wire/refusal.ts';
import { m } from '#lib/paraglide/messages.js';
import { formatList } from '#lib/shell/formats.svelte.ts';
import { lockedReason, tariffReason } from '../tariff/words.ts';
import { fieldLabel, serviceWord } from './fields.ts';

export interface Judgement {
	readonly code: RefusalCode;
	readonly rule?: string | undefined;
	readonly who?: readonly string[] | undefined;
	readonly current?: Refusal['current'];
	readonly tariff?: Refusal['tariff'];
}

export interface Knows {
	readonly directory: Directory;
	readonly person: PersonId;
	nameOf(person: PersonId): string;
}

/** @param wrote whether something was written that can be passed on; a button that is grey held nothing yet */
export function reasonOf(judgement: Judgement, knows: Knows, wrote = true): string {
	switch (judgement.code) {
		case 'denied':
			return deniedReason(judgement, knows, wrote);
		case 'stale': {
			const { current } = judgement;
			const name = (current && knows.nameOf(current.by)) || m.aside_somebody();
			return m.aside_why_stale({ name, field: `“${current ? fieldLabel(current.path) : m.aside_field_other()}”` });
		}
		case 'service-off':
			return serviceReason(judgement.rule);
		case 'malformed':
			return m.aside_why_malformed();
		case 'too-large':
			return m.aside_why_too_large();
		case 'unknown-command':
			return m.aside_why_unknown_command();
		case 'bad-value':
			return m.aside_why_bad_value();
		case 'target-gone':
			return m.aside_why_target_gone();
		case 'not-found':
			return m.aside_why_not_found();
		case 'exists':
			return m.aside_why_exists();
		case 'quota':
			return judgement.tariff ? tariffReason(judgement.tariff) : m.aside_why_quota();
		case 'batch':
			return m.aside_why_batch();
		case 'bad-shape':
			return m.aside_why_bad_shape();
		case 'foreign':
			return m.aside_why_foreign();
		case 'clock-reuse':
			return m.aside_why_clock_reuse();
		case 'gap':
			return m.aside_why_gap();
		case 'missing-dependency':
			return m.aside_why_missing_dependency();
		case 'too-much':
			return m.aside_why_too_much();
		case 'unavailable':
			return m.aside_why_unavailable();
		default:
			return judgement.code satisfies never;
	}
}

/** Why something may not be done now, in words; null where it may. */
export function hindranceOf(verdict: Verdict, knows: Knows, wrote = false): string | null {
	if (verdict.allow) return null;
	if (verdict.code === 'not-found') return reasonOf({ code: 'not-found' }, knows);
	// A rule that is a refusal's code is the plan's answer (gone, stale, exists).
	const code = (['target-gone', 'exists', 'bad-value', 'unknown-command', 'stale', 'quota'] as const).find((one) => one === verdict.rule);
	return reasonOf(code ? { code } : { code: 'denied', rule: verdict.rule, who: verdict.who }, knows, wrote);
}

/** Rules that no right opens: they say what must hold, whoever asks. */
const ruleSentences: Readonly<Record<string, () => string>> = {
	'company.last-administrator': m.aside_rule_last_administrator,
	'company.no-cycle': m.aside_rule_no_cycle,
	'company.one-root': m.aside_rule_one_root,
	'company.department-exists': m.aside_rule_department_exists,
	'company.department-empty': m.aside_rule_department_empty,
	'company.head-is-employee': m.aside_rule_head_is_employee,
	'company.one-settings': m.aside_rule_one_settings,
	'company.people-are-invited': m.aside_rule_people_are_invited,
	'company.relay-is-nobody': m.aside_rule_reserved,
	'company.relay-sets-email': m.aside_rule_relay_email,
	'company.erased-has-left': m.aside_rule_erased_left,
	'company.erased-stays-empty': m.aside_rule_erased_empty,
	'company.erased-has-no-email': m.aside_rule_erased_no_email,
	'company.domain-is-free': m.aside_rule_domain,
	'company.face-is-there': m.aside_rule_face,
	'file.face-stays': m.aside_rule_face_stays,
	'file.face-takes-no-grants': m.aside_rule_face_grants,
	'group.owner-stays': m.aside_rule_group_owner_stays,
	'group.people-are-here': m.aside_rule_people_are_employees,
	'group.owner-is-employee': m.aside_rule_people_are_employees,
	'crm.responsible-is-employee': m.aside_rule_people_are_employees,
	'deal.responsible-is-employee': m.aside_rule_people_are_employees,
	'task.people-are-employees': m.aside_rule_people_are_employees,
	'comments.author-only': m.aside_rule_comment_author,
	'page.record-is-there': m.aside_rule_page_record,
	'proposal.answered-once': m.proposal_rule_answered,
	'proposal.author-rewords': m.proposal_rule_author,
	'proposal.names-the-record': m.aside_rule_names_record,
	'proposal.not-on-proposals': m.aside_rule_not_on_proposals,
	'guests.make-nothing': m.aside_rule_guests,
	'company.guests-administer-nothing': m.aside_rule_guest_administers,
	'company.relay-records': m.aside_rule_reserved,
	'group.moderators-are-employees': m.aside_rule_moderators,
	'disk.record-gives': m.aside_rule_record_gives,
	'no-content': m.aside_rule_page_hangs,
	'proposal.readers-answer': m.proposal_rule_readers,
	'view.read-only': m.view_read_only,
	'page.readers': m.aside_rule_page_record,
	'page.deleted': m.aside_rule_page_deleted,
	'file.relay-says': m.aside_rule_reserved,
	'page.stays-loose': m.aside_rule_page_stays,
	'page.stays-with-record': m.aside_rule_page_stays,
	'page.hangs-on-work': m.aside_rule_page_hangs
};

/** What is decided by certain people, before they are named. Rules that are not here say no more than that one may not. */
const whatSentences: Readonly<Record<string, () => string>> = {
	'comments.author-or-administrator-removes': m.aside_what_comment_removed,
	'company.administrators-change': m.aside_what_administrators,
	'role.administrators-change': m.aside_what_administrators,
	'task.giver-changes': m.aside_what_task_giver,
	'task.giver-deletes': m.aside_what_task_giver,
	'task.giver-approves': m.aside_what_task_approves,
	'task.giver-sets-deadline': m.aside_what_task_deadline,
	'task.responsible-moves-deadline': m.aside_what_task_answers,
	'task.responsible-moves-state': m.aside_what_task_answers,
	'task.responsible-delegates': m.aside_what_task_answers,
	'task.people-are-named': m.aside_what_task_answers,
	'crm.role-adds': m.aside_what_role,
	'crm.role-writes': m.aside_what_role,
	'crm.role-deletes': m.aside_what_role,
	'crm.role-exports': m.aside_what_exports,
	'crm.role-imports': m.aside_what_imports,
	'disk.share-grants': m.aside_what_disk_share,
	'disk.up-to-own-level': m.aside_what_disk_own,
	'disk.full-takes-back': m.aside_what_disk_takes,
	'file.face-is-makers': m.aside_what_face,
	'recipients.all-is-limited': m.aside_what_address_all,
	'page.maker-places': m.aside_what_disk_places,
	'group.owner-changes': m.aside_what_group_owner,
	'group.owner-passes-on': m.aside_what_group_owner,
	'group.owner-names-moderators': m.aside_what_group_owner,
	'group.moderators-manage': m.aside_what_group_manages,
	'group.joined-by-invitation': m.aside_what_group_joins
};

const SERVICE_RULE = 'service.';

function serviceReason(rule: string | undefined): string {
	const service = SERVICES.find((one) => `${SERVICE_RULE}${one}` === rule);
	return service ? m.aside_why_service_off({ service: serviceWord(service) }) : m.aside_why_some_service_off();
}

function deniedReason({ rule, who }: Judgement, knows: Knows, wrote: boolean): string {
	const own = rule === undefined ? undefined : ruleSentences[rule];
	if (own) return own();
	if (rule?.startsWith(SERVICE_RULE)) return serviceReason(rule);
	const locked = rule === undefined ? null : lockedReason(rule);
	if (locked) return locked;
	const names = peopleOf(who ?? [], knows);
	const what = ((rule && whatSentences[rule]) || m.aside_why_denied)();
	if (names.length === 0) return what;
	const list = formatList(names, 'disjunction');
	const sentence = list.charAt(0).toLocaleUpperCase() + list.slice(1);
	if (rule === 'deal.closed-is-frozen') return m.aside_then({ what: m.aside_rule_closed_is_frozen(), next: (names.length > 1 ? m.aside_who_reopen_many : m.aside_who_reopens)({ who: sentence }) });
	const [one, many] = wrote ? [m.aside_who, m.aside_who_many] : [m.aside_who_ask, m.aside_who_ask_many];
	return m.aside_then({ what, next: (names.length > 1 ? many : one)({ who: sentence }) });
}

/** Who holds these principals, by name. A set of many people is named by what they have in common. */
export function peopleOf(who: readonly string[], { directory, person, nameOf }: Knows): string[] {
	const people: string[] = [];
	const groups: string[] = [];
	const add = (list: string[], words: string): void => {
		if (words && !list.includes(words)) list.push(words);
	};
	for (const principal of who) {
		if (principal === 'admins' || /^crm:[a-z]+:all$/u.test(principal)) add(groups, m.aside_who_admins());
		else if (principal === 'all') add(groups, m.aside_who_everyone());
		else if (principal.startsWith('group:')) {
			const group = directory.group(principal.split(':')[1] as GroupId);
			if (group) add(groups, m.aside_who_group({ group: group.name }));
		} else if (principal.startsWith('department:') || principal.startsWith('departments:')) {
			const department = directory.department(principal.slice(principal.indexOf(':') + 1) as DepartmentId);
			if (department) add(groups, m.aside_who_department({ department: department.name }));
		} else {
			const id = principal.slice(principal.lastIndexOf(':') + 1) as PersonId;
			const name = id === person ? m.aside_who_you() : nameOf(id);
			if (!name) continue;
			// A head holds these principals for everyone below.
			const heads = /^(task|crm:[a-z]+):user:/u.test(principal) && directory.headsAbove(id).length > 0;
			add(people, heads ? m.aside_who_with_heads({ name }) : name);
		}
	}
	return [...people, ...groups];
}
