/** What a path of a record is called on screen, and its value in words: names instead of ids, dates, money. */
import { isDocumentId, kindOf, type DepartmentId, type DocumentId, type KindName, type PersonId } from '#crdt-model/ids.ts';
import type { Json, Path } from '#crdt-model/record/state.ts';
import type { AsideItem, FieldValue } from '#storage/replica-contract.ts';
import { m } from '#lib/paraglide/messages.js';
import type { ServiceId } from '#crdt-model/kinds/services.ts';
import type { Entry, SecondFactor, SelfRegistration, WorkingHours } from '#crdt-model/kinds/settings.ts';
import { formatClock, formatDay, formatList, formatMoney, formatNumber, formatSize, weekDayName } from '#lib/shell/formats.svelte.ts';
import { languages } from '#lib/shell/preferences.svelte.ts';

export interface FieldWords {
	readonly currency: string;
	nameOf(person: PersonId): string;
	departmentOf(id: DepartmentId): string;
	/** A record's title where this device still has it. */
	titleOf(id: DocumentId): string | null;
}

const labels: Readonly<Record<string, () => string>> = {
	title: m.aside_field_title,
	name: m.aside_field_name,
	stage: m.aside_field_stage,
	amount: m.aside_field_amount,
	responsible: m.aside_field_responsible,
	account: m.aside_field_account,
	product: m.aside_field_product,
	engagedOn: m.aside_field_engagedOn,
	closedOn: m.aside_field_closedOn,
	source: m.aside_field_source,
	deleted: m.aside_field_deleted,
	created: m.aside_field_created,
	state: m.aside_field_state,
	priority: m.aside_field_priority,
	deadline: m.aside_field_deadline,
	participants: m.aside_field_participants,
	observers: m.aside_field_observers,
	place: m.aside_field_place,
	on: m.aside_field_on,
	firstName: m.aside_field_firstName,
	lastName: m.aside_field_lastName,
	email: m.aside_field_email,
	position: m.aside_field_position,
	language: m.aside_field_language,
	administrator: m.aside_field_administrator,
	active: m.aside_field_active,
	departments: m.aside_field_departments,
	parent: m.aside_field_parent,
	head: m.aside_field_head,
	company: m.aside_field_company,
	currency: m.aside_field_currency,
	sector: m.aside_field_sector,
	location: m.aside_field_location,
	employees: m.aside_field_employees,
	revenue: m.aside_field_revenue,
	yearEstablished: m.aside_field_yearEstablished,
	series: m.aside_field_series,
	price: m.aside_field_price,
	size: m.aside_field_size,
	mime: m.aside_field_mime,
	workingHours: m.aside_field_workingHours,
	domain: m.aside_field_domain,
	deputies: m.aside_field_deputies,
	guest: m.aside_field_guest,
	open: m.aside_field_open,
	mayMoveDeadline: m.aside_field_mayMoveDeadline,
	control: m.aside_field_control,
	grants: m.aside_field_grants,
	visibility: m.aside_field_visibility,
	owner: m.aside_field_owner,
	moderators: m.aside_field_moderators,
	members: m.aside_field_members,
	requests: m.aside_field_requests,
	archived: m.aside_field_archived,
	description: m.aside_field_description,
	people: m.aside_field_people,
	permissions: m.aside_field_permissions,
	phone: m.aside_field_phone,
	birthday: m.aside_field_birthday,
	photo: m.aside_field_photo,
	erased: m.aside_field_erased,
	logo: m.aside_field_logo,
	accent: m.aside_field_accent,
	contact: m.aside_field_contact,
	address: m.aside_field_address,
	website: m.aside_field_website,
	partner: m.aside_field_partner,
	about: m.aside_field_about,
	publicPage: m.aside_field_publicPage,
	senderName: m.aside_field_senderName,
	replyTo: m.aside_field_replyTo,
	dateFormat: m.aside_field_dateFormat,
	timeFormat: m.aside_field_timeFormat,
	weekStart: m.aside_field_weekStart,
	writersToAll: m.aside_field_writersToAll,
	inviters: m.aside_field_inviters,
	servicesOff: m.aside_field_servicesOff,
	entry: m.aside_field_entry,
	selfRegistration: m.aside_field_selfRegistration,
	secondFactor: m.aside_field_secondFactor,
	lease: m.aside_field_lease,
	text: m.aside_field_text,
	note: m.aside_field_note,
	word: m.aside_field_word,
	target: m.aside_field_target,
	commands: m.aside_field_commands,
	'checklist/text': m.aside_field_checklist,
	'checklist/done': m.aside_field_checklist_done,
	'checklist/position': m.aside_field_checklist_position,
	'checklist/removed': m.aside_field_checklist_removed,
	'comments/text': m.aside_field_comment,
	'comments/removed': m.aside_field_comment_removed
};

export const serviceWord = (service: ServiceId): string => services[service]();

export function fieldLabel(path: Path): string {
	const [first, key, part] = path.split('/') as [string, string?, string?];
	const name = part === undefined ? first : `${first}/${part}`;
	// What could not be run has its command's name in place of a path.
	const ofCommand = key === undefined && path.includes('.') ? commandField(path) : name;
	return (Object.hasOwn(labels, ofCommand) ? labels[ofCommand]! : m.aside_field_other)();
}

/** `deal.setAmount` is about the amount. */
function commandField(name: string): string {
	const verb = name.slice(name.indexOf('.') + 1);
	if (/omment$/u.test(verb)) return 'comments/text';
	if (/Item$/u.test(verb)) return 'checklist/text';
	if (verb === 'moveToStage') return 'stage';
	if (verb === 'move') return 'parent';
	const set = /^(?:set|add|join)(.+)$/u.exec(verb)?.[1];
	return set ? set.charAt(0).toLowerCase() + set.slice(1) : '';
}

const stages: Readonly<Record<string, () => string>> = { prospecting: m.crm_stage_prospecting, engaging: m.crm_stage_engaging, won: m.crm_stage_won, lost: m.crm_stage_lost };
const states: Readonly<Record<string, () => string>> = {
	pending: m.aside_state_pending,
	progress: m.aside_state_progress,
	review: m.aside_state_review,
	done: m.aside_state_done,
	deferred: m.aside_state_deferred,
	open: m.proposal_state_open,
	applied: m.proposal_state_applied,
	declined: m.proposal_state_declined,
	withdrawn: m.proposal_state_withdrawn
};
const priorities: Readonly<Record<string, () => string>> = { normal: m.aside_priority_normal, high: m.aside_priority_high };
const visibilities: Readonly<Record<string, () => string>> = { open: m.aside_visibility_open, closed: m.aside_visibility_closed, secret: m.aside_visibility_secret };
/** Levels of documents, and how far a role's permission reaches. */
const levels: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
	grants: { read: m.aside_level_read, add: m.aside_level_add, edit: m.aside_level_edit, share: m.aside_level_share, full: m.aside_level_full },
	permissions: { none: m.aside_reach_none, own: m.aside_reach_own, department: m.aside_reach_department, subdepartments: m.aside_reach_subdepartments, all: m.aside_reach_all }
};
const places: Readonly<Record<string, () => string>> = { company: m.aside_place_company, mine: m.aside_place_mine, record: m.aside_place_record, face: m.aside_place_face };
const services: Readonly<Record<ServiceId, () => string>> = { tasks: m.aside_service_tasks, crm: m.aside_service_crm, documents: m.aside_service_documents, groups: m.aside_service_groups };
const registering: Readonly<Record<SelfRegistration['mode'], () => string>> = { off: m.aside_register_off, moderated: m.aside_register_moderated, open: m.aside_register_open };

export function valueText(path: Path, value: Json, words: FieldWords): string {
	const [first, key, part] = path.split('/') as [string, string?, string?];
	// A map's key is whom or what its value is for; null takes it back.
	const level = key !== undefined && Object.hasOwn(levels, first) ? levels[first]! : null;
	if (level) return m.aside_entry({ name: keyText(key!, words), value: (typeof value === 'string' && level[value]?.()) || m.aside_no_access() });
	if (value === null || value === '') return '';
	if (first === 'checklist' && part === 'position') return m.aside_moved();
	// A set's key is who or what it is about.
	if (key !== undefined && part === undefined) {
		const name = keyText(key, words);
		return value === true ? m.aside_member({ name }) : m.aside_not_member({ name });
	}
	if (typeof value === 'boolean') return value ? m.aside_yes() : m.aside_no();
	if (typeof value === 'number') {
		if (first === 'amount' || first === 'price') return formatMoney(value, words.currency);
		if (first === 'size') return formatSize(value);
		if (first === 'weekStart') return weekDayName(value);
		return first === 'yearEstablished' ? String(value) : formatNumber(value);
	}
	if (typeof value === 'string') {
		const named = { stage: stages, state: states, priority: priorities, place: places, visibility: visibilities }[first]?.[value];
		if (named) return named();
		if (first === 'language') return languages.find((one) => one.locale === value)?.name ?? value;
		if (/^\d{4}-\d{2}-\d{2}$/u.test(value)) return formatDay(value);
		return idText(value, words) ?? value;
	}
	if (first === 'servicesOff') return formatList((value as ServiceId[]).map(serviceWord));
	if (first === 'writersToAll' || first === 'inviters') return formatList((value as string[]).map((one) => keyText(one, words)));
	if (Array.isArray(value)) return formatList(value.map((one) => valueText('', one, words)).filter(Boolean));
	if (first === 'workingHours') return hoursText(value as unknown as NonNullable<WorkingHours>);
	if (first === 'entry') return entryText(value as unknown as NonNullable<Entry>, words);
	if (first === 'selfRegistration') return registrationText(value as unknown as SelfRegistration);
	if (first === 'secondFactor') return m.aside_second_factor({ days: formatNumber((value as unknown as NonNullable<SecondFactor>).graceDays) });
	// Arguments of a command that could not be run: what was typed is among them.
	const args = value as { readonly [key: string]: Json };
	if ('value' in args && Object.keys(args).length === 1) return valueText(commandField(path), args['value']!, words);
	return Object.entries(args)
		.filter(([name]) => name !== 'item')
		.map(([name, one]) => (name === 'text' || name === 'value' ? valueText(name, one, words) : `${fieldLabel(name)}: ${valueText(name, one, words)}`))
		.join('\n');
}

function hoursText({ days, from, to }: NonNullable<WorkingHours>): string {
	return `${formatList(days.map((day) => weekDayName(day, 'short')))}, ${formatClock(from)}–${formatClock(to)}`;
}

function entryText({ ranges, exceptions }: NonNullable<Entry>, words: FieldWords): string {
	const from = formatList(ranges.map(({ cidr, note }) => (note === '' ? cidr : `${cidr} (${note})`)));
	if (exceptions.length === 0) return m.aside_from_ranges({ ranges: from });
	return m.aside_from_ranges_but({ ranges: from, names: formatList(exceptions.map((one) => keyText(one, words))) });
}

function registrationText({ mode, domains }: SelfRegistration): string {
	return domains.length === 0 ? registering[mode]() : m.aside_register_domains({ mode: registering[mode](), domains: formatList(domains) });
}

/** A person, a department, a group or everybody, as a set or a map names them; a permission by its own name. */
function keyText(key: string, words: FieldWords): string {
	if (key === 'all') return m.aside_who_everyone();
	const id = key.slice(key.indexOf(':') + 1);
	return idText(id, words) ?? (/^[a-z]+\.[a-z]+$/u.test(key) ? key : m.aside_unknown());
}

function idText(value: string, words: FieldWords): string | null {
	if (!isDocumentId(value)) return /^item_/u.test(value) ? '' : null;
	const kind = kindOf(value);
	const name =
		kind === 'employee' ? words.nameOf(value as PersonId) : kind === 'department' ? words.departmentOf(value as DepartmentId) : (words.titleOf(value) ?? '');
	return name || m.aside_unknown();
}

/** What a person need not be told of: that a record which they made exists, and what a machine calls a file's content. */
const isTold = ({ path }: FieldValue): boolean => path !== 'created' && path !== 'digest';

export interface Difference {
	readonly path: Path;
	readonly label: string;
	/** Null where it may not be shown. */
	readonly before: string | null;
	readonly after: string;
}

export function differencesOf(item: AsideItem, words: FieldWords): Difference[] {
	if (item.kind === 'overruled') {
		return [{ path: item.path, label: fieldLabel(item.path), before: item.by === null ? null : valueText(item.path, item.theirs, words), after: valueText(item.path, item.mine, words) }];
	}
	if (item.kind !== 'command') return [];
	const before = new Map(item.before?.map(({ path, value }) => [path, value]));
	return item.after.filter(isTold).map(({ path, value }) => ({
		path,
		label: fieldLabel(path),
		// The set's member is told by the line itself; before it simply was not so.
		before: item.before === null ? null : valueText(path, before.get(path) ?? null, words),
		after: valueText(path, value, words)
	}));
}

/** What was tried, in a word or two. */
export function actionOf(item: AsideItem): string {
	if (item.kind === 'page' || item.kind === 'swallowed') return m.aside_did_text();
	if (item.kind === 'overruled') return m.aside_did_change();
	const verb = item.command.name.slice(item.command.name.indexOf('.') + 1);
	if (verb === 'create') return m.aside_did_create();
	if (verb === 'delete') return m.aside_did_delete();
	if (verb === 'restore') return m.aside_did_restore();
	if (/comment$/iu.test(verb)) return m.aside_did_comment();
	return m.aside_did_change();
}

export function kindLabel(kind: KindName): string {
	const table: Readonly<Record<KindName, () => string>> = {
		settings: m.aside_kind_settings,
		employee: m.aside_kind_employee,
		department: m.aside_kind_department,
		group: m.aside_kind_group,
		role: m.aside_kind_role,
		task: m.aside_kind_task,
		company: m.aside_kind_company,
		product: m.aside_kind_product,
		deal: m.aside_kind_deal,
		page: m.aside_kind_page,
		text: m.aside_kind_text,
		file: m.aside_kind_file,
		proposal: m.aside_kind_proposal
	};
	return table[kind]();
}

/** Where a record opens. */
export function hrefOf(id: DocumentId): string {
	switch (kindOf(id)) {
		case 'task':
			return `/tasks/${id}`;
		case 'deal':
		case 'company':
		case 'product':
			return `/crm/${id}`;
		case 'page':
		case 'text':
		case 'file':
			return `/documents/${id}`;
		default:
			return '/company';
	}
}
