/**
 * The company's settings: one record that everybody reads and administrators change, each field by itself, so that two of them may set different things
 * offline. What the relay must obey (who writes to all, who invites, what is switched off, from where one enters) stands here beside what screens show.
 */
import * as v from 'valibot';
import { networkText, parseNetwork } from '../access/networks.ts';
import type { Recipient } from '../access/recipients.ts';
import { DATE_FORMATS, TIME_FORMATS, WEEK_STARTS, type DateFormat, type TimeFormat, type WeekStart } from '../formats.ts';
import type { DocumentId } from '../ids.ts';
import { command, defineKind, type BaseRow, type CommandSpec, type Effect, type FieldSpec } from '../record/kind.ts';
import { commonFields, count, email, field, given, recipient, reference, setter, shortText, title, wellFormed } from '../record/parts.ts';
import { EMPTY_STATE, valueAt, type RecordState } from '../record/state.ts';
import { SERVICES, type ServiceId } from './services.ts';

export const LANGUAGES = ['en', 'ro'] as const;
export type Language = (typeof LANGUAGES)[number];

export const language = v.picklist(LANGUAGES);
/** ISO 4217. */
const currency = v.pipe(v.string(), v.regex(/^[A-Z]{3}$/));

/** `2` of `days` is Tuesday (ISO 8601); times of the day as `09:00`. */
const timeOfDay = v.pipe(v.string(), v.regex(/^([01]\d|2[0-3]):[0-5]\d$/));
const workingHours = v.nullable(
	v.pipe(
		v.strictObject({ days: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7))), v.maxLength(7)), from: timeOfDay, to: timeOfDay }),
		v.check(({ days }) => new Set(days).size === days.length, 'a day twice'),
		v.check(({ from, to }) => from < to, 'the day ends before it begins'),
		v.transform(({ days, from, to }) => ({ days: [...days].sort((a, b) => a - b), from, to }))
	)
);
export type WorkingHours = v.InferOutput<typeof workingHours>;
/** Without scheme: `portal.example.com`. */
const hostName = v.pipe(v.string(), v.trim(), v.toLowerCase(), v.maxLength(253), v.regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/));
/** The company's own address of the portal. */
const domain = v.nullable(hostName);

/** How long a device may go without reaching the relay before it locks itself; `off` for ever. */
export const LEASES = ['off', '72h', '30d'] as const;
export type Lease = (typeof LEASES)[number];
const lease = v.picklist(LEASES);

/** Recipients that one setting may name: who needs more names a department or a workgroup. */
export const MAX_SETTING_RECIPIENTS = 100;
/** Networks from which a portal may be entered; every call is asked of each. */
export const MAX_ENTRY_RANGES = 100;
/** Domains of addresses that need nobody's approval. */
export const MAX_REGISTRATION_DOMAINS = 50;
/** In characters: what a company says of itself on its public page. */
export const MAX_ABOUT_LENGTH = 1_000;
/** In characters: mail programs show little more of a sender. */
const MAX_SENDER_LENGTH = 100;
export const MAX_GRACE_DAYS = 90;

const logo = v.nullable(reference('file'));
const accent = v.nullable(v.pipe(v.string(), v.toLowerCase(), v.regex(/^#[0-9a-f]{6}$/)));
/** Only what a browser opens: what stands here becomes a link on a public page. */
const website = v.pipe(wellFormed, v.trim(), v.maxLength(250), v.regex(/^https?:\/\/[^\s<>"']+$/i));
const line = v.pipe(shortText, v.minLength(1));
const contact = v.nullable(
	v.strictObject({ address: v.nullable(line), phone: v.nullable(line), email: v.nullable(email), website: v.nullable(website), partner: v.nullable(line) })
);
export type Contact = v.InferOutput<typeof contact>;
const about = v.nullable(v.pipe(wellFormed, v.trim(), v.minLength(1), v.maxLength(MAX_ABOUT_LENGTH)));
/** It stands in the head of letters: a line break there would begin another line of the head. */
const senderName = v.nullable(v.pipe(wellFormed, v.trim(), v.minLength(1), v.maxLength(MAX_SENDER_LENGTH), v.regex(/^\P{Cc}+$/u)));
const replyTo = v.nullable(email);

const dateFormat = v.picklist(DATE_FORMATS);
const timeFormat = v.picklist(TIME_FORMATS);
const weekStart = v.picklist(WEEK_STARTS);

/** Each once and in one order, so that two who say the same have said the same. */
function setOf<T extends string, S extends v.GenericSchema<unknown, T>>(member: S, most: number) {
	return v.pipe(v.array(member), v.maxLength(most), v.transform((list) => [...new Set(list)].sort()));
}
const recipients = setOf<Recipient, typeof recipient>(recipient, MAX_SETTING_RECIPIENTS);
const writersToAll = v.nullable(recipients);
const servicesOff = setOf<ServiceId, v.PicklistSchema<typeof SERVICES, undefined>>(v.picklist(SERVICES), SERVICES.length);

const cidr = v.pipe(
	v.string(),
	v.trim(),
	v.maxLength(49),
	v.check((text) => parseNetwork(text) !== null, 'no network, as 203.0.113.0/24 or 2001:db8::/32'),
	v.transform((text) => networkText(parseNetwork(text)!))
);
const entry = v.nullable(
	v.strictObject({
		ranges: v.pipe(v.array(v.strictObject({ cidr, note: v.pipe(wellFormed, v.trim(), v.maxLength(100)) })), v.minLength(1), v.maxLength(MAX_ENTRY_RANGES)),
		exceptions: recipients
	})
);
/** From where one enters, and who may from anywhere. Administrators always may: nobody shuts out whoever could let them in again. */
export type Entry = v.InferOutput<typeof entry>;

export const SELF_REGISTRATION_MODES = ['off', 'moderated', 'open'] as const;
const selfRegistration = v.strictObject({
	mode: v.picklist(SELF_REGISTRATION_MODES),
	/** Whoever proves an address here needs no approval. */
	domains: setOf<string, typeof hostName>(hostName, MAX_REGISTRATION_DOMAINS)
});
export type SelfRegistration = v.InferOutput<typeof selfRegistration>;
const NOBODY_REGISTERS: SelfRegistration = { mode: 'off', domains: [] };

/** `since`: when it was demanded, in milliseconds since 1970; `graceDays` later nobody enters without it. */
const secondFactor = v.nullable(v.strictObject({ since: count, graceDays: v.pipe(count, v.maxValue(MAX_GRACE_DAYS)) }));
export type SecondFactor = v.InferOutput<typeof secondFactor>;

/** Every setting with what it is while nobody has said otherwise. */
interface Setting<T> {
	readonly schema: v.GenericSchema<unknown, T>;
	readonly unsaid: T;
}
const setting = <T>(schema: v.GenericSchema<unknown, T>, unsaid: T): Setting<T> => ({ schema, unsaid });

const SETTINGS = {
	language: setting<Language>(language, 'en'),
	currency: setting<string>(currency, 'EUR'),
	/** Null: no working schedule. Under a tariff with `workingHours`. */
	workingHours: setting<WorkingHours>(workingHours, null),
	/** Null: the relay's own address. Under a tariff with `ownDomain`. */
	domain: setting<string | null>(domain, null),
	lease: setting<Lease>(lease, 'off'),
	/** A file of the place `face`. */
	logo: setting<DocumentId<'file'> | null>(logo, null),
	/** The colour of the company: `#1a2b3c`. */
	accent: setting<string | null>(accent, null),
	contact: setting<Contact>(contact, null),
	about: setting<string | null>(about, null),
	/** Whether whoever comes to the door, without signing in, sees `about` and `contact`. */
	publicPage: setting<boolean>(v.boolean(), false),
	/** In whose name letters come. Null: the company's. */
	senderName: setting<string | null>(senderName, null),
	replyTo: setting<string | null>(replyTo, null),
	dateFormat: setting<DateFormat>(dateFormat, 'auto'),
	timeFormat: setting<TimeFormat>(timeFormat, 'auto'),
	weekStart: setting<WeekStart>(weekStart, 1),
	/** Who addresses everybody, beside administrators. Null: every employee. */
	writersToAll: setting<readonly Recipient[] | null>(writersToAll, null),
	/** Who invites people, beside administrators. */
	inviters: setting<readonly Recipient[]>(recipients, []),
	servicesOff: setting<readonly ServiceId[]>(servicesOff, []),
	/** Null: from anywhere. */
	entry: setting<Entry>(entry, null),
	selfRegistration: setting<SelfRegistration>(selfRegistration, NOBODY_REGISTERS),
	/** Null: not demanded. */
	secondFactor: setting<SecondFactor>(secondFactor, null)
} as const;

export type SettingName = keyof typeof SETTINGS;
type Values = { readonly [K in SettingName]: (typeof SETTINGS)[K]['unsaid'] };

export interface SettingsRow extends BaseRow, Values {
	readonly kind: 'settings';
	readonly company: string;
}

const names = Object.keys(SETTINGS) as SettingName[];
const setterName = (name: string) => `set${name.charAt(0).toUpperCase()}${name.slice(1)}`;
const each = <T>(make: (name: SettingName) => readonly [string, T]): Readonly<Record<string, T>> => Object.fromEntries(names.map(make));

export const settings = defineKind<SettingsRow>({
	kind: 'settings',
	rowVersion: 3,
	refersBy: { setLogo: 'value' },
	fields: { ...commonFields, company: field(title), ...each((name): [string, FieldSpec] => [name, field(SETTINGS[name].schema)]) },
	sets: {},
	lists: {},
	commands: {
		create: command(
			v.strictObject({ company: title, language: v.optional(language), currency: v.optional(currency) }),
			(_state, args): Effect[] => [['created', true], ...given(args, ['company', 'language', 'currency'])],
			'new'
		),
		setCompany: setter('company', title),
		...each((name): [string, CommandSpec] => [setterName(name), setter(name, SETTINGS[name].schema)])
	},
	row: (base, state): SettingsRow => ({ ...base, kind: 'settings', company: valueAt(state, 'company') as string, ...valuesOf(state) }),
	audience: () => ['all']
});

/** With what is so while nobody has said otherwise: a row that an older release has kept knows fewer settings. */
export function wholeSettings(row: SettingsRow): SettingsRow {
	return { ...valuesOf(EMPTY_STATE), ...row };
}

function valuesOf(state: RecordState): Values {
	return Object.fromEntries(names.map((name) => [name, valueAt(state, name) ?? SETTINGS[name].unsaid])) as Values;
}
