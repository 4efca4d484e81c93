import { beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { describeAnswer } from '../testing/device.ts';
import { ANN, CAT, DAN, some, Stage } from '../testing/stage.ts';
import { Claims, hasRoomForIds } from './claims.ts';
import { IDS_PER_DAY, IDS_PER_DOCUMENT, IDS_PER_DOCUMENT_AND_DAY, IDS_PER_PERSON_AND_DOCUMENT } from './limits.ts';

const TEXT = some('text', 1);
const DAY_MS = 24 * 3_600_000;
let stage: Stage;
beforeEach(async () => {
	stage = await Stage.open();
	await stage.as(CAT, 'text.create', TEXT, { title: 't', place: 'company' });
});

function typed(client: number): Uint8Array {
	const doc = new Y.Doc();
	doc.clientID = client;
	doc.getText('text').insert(0, 'x');
	return Y.encodeStateAsUpdate(doc);
}
async function send(person: typeof CAT, client: number): Promise<string> {
	const { result, durable } = await stage.portal.admitUpdate(person, TEXT, typed(client), null);
	await durable;
	return describeAnswer(result);
}
const bound = async (person: typeof CAT) => (await stage.portal.store.bindings(TEXT)).filter((binding) => binding.person === person).length;

test('[B7] new ids with content, a day and a document: too much, others go on, known ids too, and the next day as well', async () => {
	for (let i = 0; i < IDS_PER_DOCUMENT_AND_DAY; i++) expect(await send(CAT, 900_001 + i)).toBe('accepted');
	expect(await send(CAT, 990_001)).toBe('refused too-much');
	expect(await bound(CAT)).toBe(IDS_PER_DOCUMENT_AND_DAY);
	expect([await send(CAT, 900_001), await send(DAN, 990_002)]).toEqual(['accepted', 'accepted']);
	stage.pass(DAY_MS);
	expect(await send(CAT, 990_001)).toBe('accepted');
});

test('[B7] presence counts among them: beyond the ceiling it shows and binds nothing, and is no offence', async () => {
	for (let i = 0; i < IDS_PER_DOCUMENT_AND_DAY - 1; i++) await send(CAT, 900_001 + i);
	const last = stage.live(CAT, TEXT, 910_001);
	await stage.settle();
	expect(await bound(CAT)).toBe(IDS_PER_DOCUMENT_AND_DAY);
	const beyond = stage.live(CAT, TEXT, 910_002);
	const dan = stage.live(DAN, TEXT, 910_003);
	await stage.settle();
	expect(dan.present).toEqual({ 910_001: 'cat Test', 910_003: '' });
	expect([await bound(CAT), last.closedWith, beyond.closedWith]).toEqual([IDS_PER_DOCUMENT_AND_DAY, null, null]);
});

test('[B7] on /live too many ids end the connection with a code after which the provider comes back', async () => {
	for (let i = 0; i < IDS_PER_DOCUMENT_AND_DAY; i++) await send(CAT, 900_001 + i);
	const cat = stage.live(CAT, TEXT, 910_001);
	await stage.settle();
	cat.text.insert(0, 'once more');
	await stage.settle();
	expect(cat.closedWith).toBe(4529);
});

test('[B7] a day in all documents together; a new day begins anew', () => {
	let now = 0;
	const claims = new Claims(() => now);
	const text = (n: number) => some('text', n);
	for (let n = 0; n * 16 < IDS_PER_DAY; n++) for (let i = 0; i < 16; i++) {
		expect(claims.allow(CAT, text(n), 1)).toBe(true);
		claims.count(CAT, text(n));
	}
	expect([claims.allow(CAT, text(9_999), 1), claims.allow(DAN, text(9_999), 1), claims.allow(DAN, text(1), IDS_PER_DOCUMENT_AND_DAY + 1)]).toEqual([false, true, false]);
	now += DAY_MS;
	expect(claims.allow(CAT, text(9_999), 1)).toBe(true);
});

test('[B7] ids in a document, of one person and of all', () => {
	const doc = new Y.Doc();
	const owners = new Map<number, typeof CAT>();
	const write = (person: typeof CAT, from: number, count: number) => {
		for (let client = from; client < from + count; client++) {
			owners.set(client, person);
			Y.applyUpdate(doc, typed(client));
		}
	};
	write(CAT, 1, IDS_PER_PERSON_AND_DOCUMENT - 1);
	owners.set(999_999, CAT); // bound by presence alone
	expect([hasRoomForIds({ doc, owners }, CAT, 1), hasRoomForIds({ doc, owners }, CAT, 2), hasRoomForIds({ doc, owners }, DAN, 4)]).toEqual([true, false, true]);
	write(ANN, 2_000, IDS_PER_DOCUMENT - IDS_PER_PERSON_AND_DOCUMENT);
	expect([hasRoomForIds({ doc, owners }, DAN, 1), hasRoomForIds({ doc, owners }, DAN, 2)]).toEqual([true, false]);
});
