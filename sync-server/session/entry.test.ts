// Sessions where a company lets people in from its own networks alone.
import { beforeEach, expect, test } from 'vitest';
import { ANN, BEN, CAT, DAN, EVE, FAY, SALES, some, Stage, SUPPORT } from '../testing/stage.ts';
import type { Recipient } from '#crdt-model/access/recipients.ts';
import type { PersonId } from '#crdt-model/ids.ts';

const OFFICE = '198.51.100.7';
const HOME = '203.0.113.9';
const TEXT = some('text', 1);
const SETTINGS = some('settings', 1);
const GROUP = some('group', 1);
let stage: Stage;

beforeEach(async () => {
	stage = await Stage.open();
	await stage.as(CAT, 'text.create', TEXT, { title: 'Notes', place: 'company' });
});

const from = (person: PersonId, ip: string | null, viewer: PersonId | null = null) => {
	const device = stage.device(person, viewer);
	device.ip = ip;
	return device.connect();
};
const rule = async (...exceptions: Recipient[]) => {
	const answer = await stage.as(ANN, 'settings.setEntry', SETTINGS, { value: { ranges: [{ cidr: '198.51.100.0/24', note: 'office' }], exceptions } });
	expect(answer.kind).toBe('accepted');
	await stage.settle();
};
const set = async (name: string, document: Parameters<Stage['as']>[2], args: unknown, by = ANN) => {
	expect(await stage.as(by, name, document, args)).toMatchObject({ kind: 'accepted' });
	await stage.settle();
};

test('[K1] from outside nothing is told, from inside and by exception everything; administrators are exempt', async () => {
	await rule(`user:${DAN}`);
	const devices = [from(BEN, OFFICE), from(BEN, '::ffff:198.51.100.8'), from(CAT, HOME), from(CAT, null), from(DAN, HOME), from(ANN, HOME)];
	await stage.settle();
	expect(devices.map(({ closedWith }) => closedWith)).toEqual([null, null, 4511, 4511, null, null]);
	expect(devices.map(({ held }) => held.size > 0)).toEqual([true, true, false, false, true, true]);
	const live = [stage.live(CAT, TEXT, 7, null, OFFICE), stage.live(CAT, TEXT, 8, null, HOME), stage.live(CAT, some('text', 99), 9, null, HOME)];
	await stage.settle();
	expect(live.map(({ closedWith }) => closedWith), 'also of what is not there').toEqual([null, 4511, 4511]);
});

test('[K1] whoever looks on is judged as themself', async () => {
	await rule(`user:${BEN}`);
	const [ofExempt, ofOutside] = [from(BEN, HOME, ANN), from(CAT, HOME, ANN)];
	await stage.settle();
	expect([ofExempt.closedWith, ofOutside.closedWith]).toEqual([null, null]);
	// An administrator's own exemption ends, and with it the view: by the right to look on, before the network is asked.
	await set('employee.setAdministrator', EVE, { value: true });
	await set('employee.setAdministrator', ANN, { value: false }, EVE);
	expect([ofExempt.closedWith, ofOutside.closedWith]).toEqual([4403, 4403]);
});

test('[K2] a rule closes who is outside at once, before they get anything of what came with it; who is inside goes on', async () => {
	const [outside, silent, inside, administrator] = [from(CAT, HOME), stage.device(DAN), from(EVE, OFFICE), from(ANN, HOME)];
	silent.ip = HOME;
	silent.attach();
	const [writing, reading] = [stage.live(CAT, TEXT, 7, null, HOME), stage.live(EVE, TEXT, 8, null, OFFICE)];
	await stage.settle();
	stage.told();
	const commands = [
		stage.command('settings.setEntry', SETTINGS, { value: { ranges: [{ cidr: '198.51.100.0/24', note: '' }], exceptions: [] } }),
		stage.command('task.create', some('task', 5), { title: 'Made in the same batch', observers: [CAT, EVE] })
	];
	expect(await stage.batch(ANN, commands)).toMatchObject({ kind: 'accepted' });
	await stage.settle();
	expect([outside, silent, inside, administrator, writing, reading].map(({ closedWith }) => closedWith)).toEqual([4511, 4511, null, null, 4511, null]);
	expect(outside.row(SETTINGS)).toMatchObject({ entry: null });
	expect(inside.row(SETTINGS)).toMatchObject({ entry: { ranges: [{ cidr: '198.51.100.0/24' }] } });
	expect(outside.complaints).toEqual([]);
});

test('[K2] a narrower rule, and one exception less', async () => {
	await rule(`departments:${SALES}`, `user:${FAY}`);
	const [ben, eve, fay] = [from(BEN, HOME), from(EVE, OFFICE), from(FAY, HOME)];
	await stage.settle();
	await rule(`departments:${SALES}`);
	expect([ben.closedWith, eve.closedWith, fay.closedWith]).toEqual([null, null, 4511]);
	await set('settings.setEntry', SETTINGS, { value: { ranges: [{ cidr: '192.0.2.0/24', note: '' }], exceptions: [] } });
	expect([ben.closedWith, eve.closedWith]).toEqual([4511, 4511]);
	await set('settings.setEntry', SETTINGS, { value: null });
	expect((ben.connect(), await stage.settle(), ben.closedWith)).toBeNull();
});

test('[K2] an administrator who is one no more is out at once', async () => {
	await set('employee.setAdministrator', EVE, { value: true });
	await rule();
	const [atHome, inOffice] = [from(EVE, HOME), from(EVE, OFFICE)];
	const live = stage.live(EVE, TEXT, 7, null, HOME);
	await stage.settle();
	expect([atHome.closedWith, live.closedWith]).toEqual([null, null]);
	await set('employee.setAdministrator', EVE, { value: false });
	expect([atHome.closedWith, live.closedWith, inOffice.closedWith]).toEqual([4511, 4511, null]);
});

test('[K2] whoever leaves an exempt department or workgroup is out at once, and whoever joins comes in', async () => {
	await set('group.create', GROUP, { name: 'On the road', visibility: 'open', members: [FAY] }, EVE);
	await rule(`department:${SALES}`, `group:${GROUP}`);
	const [cat, fay, dan] = [from(CAT, HOME), from(FAY, HOME), from(DAN, HOME)];
	await stage.settle();
	expect([cat.closedWith, fay.closedWith, dan.closedWith]).toEqual([null, null, null]);
	await set('employee.leaveDepartment', CAT, { member: SALES });
	await set('group.removeMember', GROUP, { member: FAY }, EVE);
	expect([cat.closedWith, fay.closedWith, dan.closedWith]).toEqual([4511, 4511, null]);
	await set('employee.joinDepartment', FAY, { member: SALES });
	fay.connect();
	await stage.settle();
	expect(fay.closedWith).toBeNull();
	await set('employee.leaveDepartment', FAY, { member: SALES });
	await set('employee.leaveDepartment', FAY, { member: SUPPORT });
	expect(fay.closedWith).toBe(4511);
});
