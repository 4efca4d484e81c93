/**
 * Frozen bytes: what an older release wrote is still read. A fixture is never changed and never made again; a new message, kind
 * or row version adds one: `ATRIUM_FREEZE=1 npm exec -c "vitest run test/compat"` writes those that are missing and touches no other.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as Y from 'yjs';
import { expect, test } from 'vitest';
import { KINDS, kindOf, type DocumentId, type KindName } from '../../crdt-model/ids.ts';
import { kindNamed } from '../../crdt-model/kinds/index.ts';
import { collectionsOf, type BaseRow } from '../../crdt-model/record/kind.ts';
import { planCommand, rowOf, seenBy } from '../../crdt-model/record/plan.ts';
import { applyWrites, EMPTY_STATE, readFromDoc, writeToDoc } from '../../crdt-model/record/state.ts';
import { recordOf } from '../../crdt-model/testing/commands.ts';
import { DOWN_MESSAGES, UP_MESSAGES } from '../../crdt-model/testing/messages.ts';
import { ANN, BEN, commandId, documentId, itemId } from '../../crdt-model/testing/world.ts';
import { decodeDown, decodeUp, encodeDown, encodeUp } from '../../crdt-model/wire/codec.ts';
import { downSchema } from '../../crdt-model/wire/down.ts';
import { upSchema } from '../../crdt-model/wire/up.ts';
import { WIRE_VERSION } from '../../crdt-model/wire/version.ts';

const freezes = process.env.ATRIUM_FREEZE === '1';
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

function fixtures<T>(name: string): Record<string, T> {
	return existsSync(here(name)) ? (JSON.parse(readFileSync(here(name), 'utf8')) as Record<string, T>) : {};
}
/** Adds what is missing while freezing; an ordinary run only asks that nothing is. */
function complete<T>(name: string, wanted: Readonly<Record<string, () => T>>): Record<string, T> {
	const frozen = fixtures<T>(name);
	const missing = Object.keys(wanted).filter((key) => !Object.hasOwn(frozen, key));
	if (freezes && missing.length > 0) {
		for (const key of missing) frozen[key] = wanted[key]!();
		writeFileSync(here(name), JSON.stringify(frozen, null, '\t') + '\n');
		return frozen;
	}
	expect(missing, `no fixture in ${name}; see the head of this file`).toEqual([]);
	return frozen;
}

/** Bytes in JSON, so that a fixture says what it should be read as. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_key, inner: unknown) => (inner instanceof Uint8Array ? { base64: base64(inner) } : inner)));

interface FrozenMessage {
	readonly frame: string;
	readonly message: unknown;
}

test.each([
	['up', UP_MESSAGES, encodeUp, decodeUp],
	['down', DOWN_MESSAGES, encodeDown, decodeDown]
] as const)('[W7] frozen messages %s are still read', (direction, messages, encode, decode) => {
	const wanted = Object.fromEntries(
		Object.entries(messages).map(([name, message]) => [`${name} @${WIRE_VERSION}`, (): FrozenMessage => ({ frame: base64(encode(message as never)), message: plain(message) })])
	);
	for (const [name, { frame, message }] of Object.entries(complete<FrozenMessage>(`messages-${direction}.json`, wanted))) {
		const decoded = decode(fromBase64(frame));
		expect(decoded, name).toMatchObject({ ok: true });
		if (decoded.ok) expect(plain(decoded.message), name).toEqual(message);
	}
});

interface FrozenRecord {
	readonly id: DocumentId;
	readonly state: string;
	readonly row: BaseRow;
}

/** A record that used every part of its kind. */
function story(kind: KindName): [verb: string, args: unknown][] {
	const title = { title: 'Offer for Ácme — 東京' };
	const stories: Record<KindName, [string, unknown][]> = {
		settings: [['create', { company: 'Acme', language: 'ro', currency: 'RON' }], ['setCompany', { value: 'Acme SRL' }], ['setWorkingHours', { value: { days: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' } }], ['setDomain', { value: 'portal.acme.example' }],
			['setLogo', { value: documentId('file', 1) }], ['setAccent', { value: '#1a2b3c' }], ['setAbout', { value: 'Făcut cu grijă' }], ['setPublicPage', { value: true }],
			['setContact', { value: { address: 'Str. Lungă 1', phone: '+40 21 555 0199', email: 'office@acme.example', website: 'https://acme.example', partner: null } }],
			['setSenderName', { value: 'Acme' }], ['setReplyTo', { value: 'office@acme.example' }], ['setDateFormat', { value: 'dmy' }], ['setTimeFormat', { value: 'h24' }], ['setWeekStart', { value: 7 }],
			['setWritersToAll', { value: [`user:${BEN}`, 'all'] }], ['setInviters', { value: [`departments:${documentId('department', 1)}`] }], ['setServicesOff', { value: ['crm', 'groups'] }],
			['setEntry', { value: { ranges: [{ cidr: '10.1.2.3/8', note: 'office' }, { cidr: '2001:DB8::1', note: '' }], exceptions: [`user:${BEN}`] } }],
			['setSelfRegistration', { value: { mode: 'moderated', domains: ['acme.example'] } }], ['setSecondFactor', { value: { since: 1_700_000_000_000, graceDays: 14 } }]],
		employee: [['create', { firstName: 'Ann', lastName: 'Pop', email: 'ann@example.com', administrator: true, departments: [documentId('department', 2)] }], ['joinDepartment', { member: documentId('department', 1) }], ['setPosition', { value: 'CEO' }], ['leaveDepartment', { member: documentId('department', 2) }], ['setPhone', { value: '+40 21 555 0199' }], ['setBirthday', { value: '1990-02-28' }], ['setPhoto', { value: documentId('file', 1) }], ['dismiss', {}], ['erase', {}]],
		department: [['create', { name: 'Sales', parent: documentId('department', 1), head: ANN }], ['setHead', { value: null }], ['addDeputy', { member: BEN }], ['delete', {}]],
		task: [['create', { ...title, responsible: BEN, deadline: '2026-11-30', participants: [BEN], observers: [ANN] }], ['addItem', { item: itemId(1), text: 'one', position: 'a0' }], ['addItem', { item: itemId(2), text: 'two', position: 'a1' }], ['tickItem', { item: itemId(1), done: true }], ['removeItem', { item: itemId(2) }], ['comment', { item: itemId(3), text: 'hi' }], ['removeParticipant', { member: BEN }], ['setPriority', { value: 'high' }]],
		company: [['create', { name: 'Kan-code', sector: 'software', yearEstablished: 1982, revenue: 11698.03, employees: 34288, location: 'United States', parent: null }]],
		product: [['create', { name: 'GTX Basic', series: 'GTX', price: 550 }], ['setPrice', { value: 549.99 }]],
		deal: [['create', { ...title, amount: 1054, account: documentId('company', 1), product: documentId('product', 1), engagedOn: '2016-10-20', source: { opportunity_id: '1C1I7A6R' } }], ['moveToStage', { value: 'won' }], ['setClosedOn', { value: '2017-03-01' }], ['comment', { item: itemId(1), text: 'done' }]],
		page: [['hang', { ...title, on: documentId('task', 9) }], ['setTitle', { value: 'Description' }]],
		group: [['create', { name: 'Choir', visibility: 'secret', description: 'Sings', members: [BEN] }], ['addModerator', { member: BEN }], ['setOwner', { value: BEN }], ['setArchived', { value: true }]],
		role: [['create', { name: 'Sales agent', people: ['all', `departments:${documentId('department', 1)}`], permissions: [{ key: 'deal.read', value: 'own' }], open: ['deal.read'] }], ['setPermission', { key: 'deal.export', value: 'subdepartments' }], ['removePerson', { member: 'all' }]],
		file: [['create', { name: 'offer.pdf', size: 1024, mime: 'application/pdf', digest: 'a'.repeat(64), place: 'company' }], ['setGrant', { key: `user:${BEN}`, value: 'full' }], ['setGrant', { key: 'all', value: null }], ['arrive', {}], ['setPlace', { value: 'mine' }]],
		proposal: [['create', { target: documentId('deal', 1), commands: [{ document: documentId('deal', 1), name: 'deal.setAmount', args: { value: 7 } }], note: 'as agreed', before: [{ path: 'amount', value: 6 }] }], ['decline', { word: 'too little' }]],
		text: [['create', { ...title, place: 'company' }], ['delete', {}], ['restore', {}]]
	};
	return stories[kind];
}

function freeze(name: KindName): FrozenRecord {
	const kind = kindNamed(name);
	const id = recordOf(name);
	const doc = new Y.Doc();
	doc.clientID = 1;
	let state = EMPTY_STATE;
	story(name).forEach(([verb, args], n) => {
		const draft = { id: commandId(n + 1), document: id, name: `${name}.${verb}`, args, at: 1_700_000_000_000 + n };
		const plan = planCommand(kind, state, { ...draft, seen: seenBy(kind, state, draft, ANN) }, { author: ANN, latest: draft.at });
		if (plan.kind === 'refused') throw new Error(`${name}.${verb}: ${plan.refusal.detail}`);
		state = applyWrites(state, plan.writes);
		writeToDoc(doc, plan.writes, null);
	});
	return { id, state: base64(Y.encodeStateAsUpdate(doc)), row: rowOf(kind, id, state)! };
}

test('[W7] frozen records of every kind are still read, and say what they said', () => {
	const wanted = Object.fromEntries(KINDS.map((name) => [`${name} @${kindNamed(name).rowVersion}`, () => freeze(name)]));
	for (const [key, { id, state, row }] of Object.entries(complete<FrozenRecord>('records.json', wanted))) {
		const kind = kindNamed(kindOf(id)!);
		const doc = new Y.Doc();
		Y.applyUpdate(doc, fromBase64(state));
		const now = rowOf(kind, id, readFromDoc(doc, collectionsOf(kind)))!;
		if (key.endsWith(` @${kind.rowVersion}`)) expect(now, key).toEqual(row);
		// An older row may have said other fields; what every row has must still be the same.
		else for (const field of ['id', 'kind', 'createdBy', 'createdAt', 'updatedAt', 'deleted'] as const) expect(now[field], key).toEqual(row[field]);
	}
});

test('[V4] whoever changes who reads a record raises the version of its rows: by that the relay and devices make them anew', () => {
	const audienceNow = (name: KindName) => kindNamed(name).audience(freeze(name).row);
	const wanted = Object.fromEntries(KINDS.map((name) => [`${name} @${kindNamed(name).rowVersion}`, () => audienceNow(name)]));
	const frozen = complete<unknown>('audiences.json', wanted);
	for (const name of KINDS) expect(audienceNow(name), name).toEqual(frozen[`${name} @${kindNamed(name).rowVersion}`]);
});

test('[W1] whoever changes a schema of the wire raises its version', () => {
	const described = JSON.stringify([describeSchema(upSchema), describeSchema(downSchema)]);
	const hash = createHash('sha256').update(described).digest('hex');
	const known = complete<string>('wire-versions.json', { [WIRE_VERSION]: () => hash });
	expect(
		known[WIRE_VERSION],
		'The schema of /sync changed. Devices in the field speak the old one: raise WIRE_VERSION in crdt-model/wire/version.ts, add its line there, ' +
			'and freeze (see the head of this file). While no release speaks this version yet, correct its hash in wire-versions.json instead.'
	).toBe(hash);
	const history = readFileSync(fileURLToPath(new URL('../../crdt-model/wire/version.ts', import.meta.url)), 'utf8');
	for (let version = 1; version <= WIRE_VERSION; version++) {
		expect(history, `the line of version ${version}`).toContain(` * - ${version}: `);
		expect(Object.keys(known)).toContain(String(version));
	}
});

/** What a schema takes, in words that do not depend on the library's version: types, keys, ceilings, literals; never functions. */
function describeSchema(schema: unknown): unknown {
	const { type, kind, entries, options, item, items, wrapped, key, value, literal, requirement, message, pipe, expects } = schema as Record<string, any>;
	const isPlain = (one: unknown) => ['string', 'number', 'boolean'].includes(typeof one);
	return {
		type,
		...(entries && { entries: Object.fromEntries(Object.entries(entries as object).map(([name, entry]) => [name, describeSchema(entry)])) }),
		...(options && { options: (options as unknown[]).map((option) => (isPlain(option) ? option : describeSchema(option))) }),
		...(item && { item: describeSchema(item) }),
		...(items && { items: (items as unknown[]).map(describeSchema) }),
		...(wrapped && { wrapped: describeSchema(wrapped) }),
		...(type === 'record' && { key: describeSchema(key), value: describeSchema(value) }),
		...(literal !== undefined && { literal }),
		...(isPlain(requirement) && { requirement }),
		...((requirement as unknown) instanceof RegExp && { requirement: String(requirement) }),
		...(isPlain(message) && { message }),
		...(type === 'instance' && { expects }),
		...(kind === 'schema' && pipe && { pipe: (pipe as unknown[]).slice(1).map(describeSchema) })
	};
}
