import { beforeEach, expect, test } from 'vitest';
import { person } from '#crdt-model/testing/world.ts';
import { decodeDown } from '#crdt-model/wire/codec.ts';
import { ONLINE_CHUNK } from '#crdt-model/wire/limits.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { label } from '../testing/labels.ts';
import type { Device } from '../testing/device.ts';
import { ANN, BEN, CAT, DAN, EVE, some, Stage } from '../testing/stage.ts';
import { Online, ONLINE_EVERY_MS, ONLINE_GRACE_MS } from './online.ts';

let stage: Stage;
beforeEach(async () => {
	stage = await Stage.open();
});

/** What a device was told since it was last asked. */
function told(device: Device): string[] {
	return device.onlines.splice(0).map(({ whole, here, gone }) => [...(whole ? ['whole'] : []), ...here.map((id) => `+${label(id)}`), ...gone.map((id) => `-${label(id)}`)].join(' '));
}
async function connected(who: typeof ANN, viewer: typeof ANN | null = null): Promise<Device> {
	const device = stage.device(who, viewer).connect();
	await stage.settle();
	return device;
}
/** Everything that was put off until now is told. */
async function later(): Promise<void> {
	stage.runLater();
	stage.runLater();
	await stage.settle();
}

test('[N7] the whole list after the welcome, then who came and who left', async () => {
	const ann = await connected(ANN);
	expect(told(ann)).toEqual(['whole +ann']);
	const ben = await connected(BEN);
	const cat = await connected(CAT);
	expect(told(ann), 'something was told just before').toEqual([]);
	await later();
	expect([told(ann), told(ben), told(cat)]).toEqual([['+ben +cat'], ['whole +ann', '+ben +cat'], ['whole +ann', '+ben +cat']]);
	ben.cut();
	cat.cut();
	await stage.settle();
	await later();
	expect(told(ann), 'within the grace').toEqual([]);
	stage.pass(ONLINE_GRACE_MS);
	await later();
	expect(told(ann)).toEqual(['-ben -cat']);
});

test('[N8] a reload does not show, a second window neither; a dismissal does at once', async () => {
	const ann = await connected(ANN);
	const ben = await connected(BEN);
	const other = await connected(BEN);
	await later();
	told(ann);
	other.cut();
	ben.cut();
	await stage.settle();
	stage.pass(ONLINE_GRACE_MS - 1);
	await later();
	await connected(BEN);
	stage.pass(ONLINE_GRACE_MS);
	await later();
	expect(told(ann)).toEqual([]);
	await stage.as(ANN, 'employee.dismiss', BEN, {});
	await stage.settle();
	await later();
	expect(told(ann)).toEqual(['-ben']);
});

test('[N6] a connection that said no hello is nobody\'s presence, and neither is looking on', async () => {
	const ann = await connected(ANN);
	stage.device(BEN).attach();
	const view = await connected(CAT, ANN);
	await later();
	expect([told(ann), told(view)]).toEqual([['whole +ann'], ['whole +ann']]);
});

test('[N6] guests are told nothing', async () => {
	const guest = some('employee', 9);
	const made = await stage.portal.submitAsRelay({ commands: [stage.command('employee.create', guest, { firstName: 'Gus', lastName: 'Guest', email: 'gus@example.com', guest: true })] });
	expect(made.kind).toBe('accepted');
	const ann = await connected(ANN);
	const gus = await connected(guest);
	await connected(BEN);
	await later();
	expect(told(gus)).toEqual([]);
	expect(told(ann).at(-1), 'they may be seen by those who may read them').toBe('+employee:9 +ben');
});

test('[N7] a full socket hears the whole list when it has drained', async () => {
	const ann = await connected(ANN);
	await later();
	told(ann);
	ann.socket!.stopped = true;
	for (const n of [1, 2]) await stage.as(CAT, 'task.create', some('task', n), { title: 't', responsible: ANN });
	await stage.settle();
	await connected(BEN);
	await later();
	await connected(DAN);
	await later();
	expect(told(ann)).toEqual([]);
	ann.socket!.stopped = false;
	await stage.settle();
	expect(told(ann)).toEqual(['whole +ann +ben +dan']);
});

test('[N9] how many wait is told to administrators, after the welcome, when it changes, and to who becomes one', async () => {
	stage.portal.tellWaiting(2);
	const ann = await connected(ANN);
	const eve = await connected(EVE);
	stage.portal.tellWaiting(3);
	stage.portal.tellWaiting(3);
	await stage.settle();
	expect([ann.waitings, eve.waitings]).toEqual([[2, 3], []]);
	await stage.as(ANN, 'employee.setAdministrator', EVE, { value: true });
	await stage.settle();
	expect(eve.waitings).toEqual([3]);
});

test('[N7] a company that comes to work is told in a frame every two seconds, and a long list goes in pieces', () => {
	const clock = new FakeClock();
	const said: Uint8Array[] = [];
	const online = new Online({ say: (frame) => said.push(frame), isMember: () => true, now: clock.now, later: (run, ms) => clock.after(ms, run) });
	const everybody = Array.from({ length: ONLINE_CHUNK + 1 }, (_, n) => person(n + 1));
	for (const one of everybody) online.join(one);
	expect(said).toHaveLength(1);
	clock.pass(ONLINE_EVERY_MS);
	expect(said).toHaveLength(2);
	const pieces = online.whole().map((frame) => decodeDown(frame)).map((decoded) => (decoded.ok && decoded.message.type === 'online' ? [decoded.message.whole ?? false, decoded.message.here.length] : null));
	expect(pieces).toEqual([[true, ONLINE_CHUNK], [false, 1]]);
	for (const one of everybody) online.leave(one);
	clock.pass(ONLINE_GRACE_MS + ONLINE_EVERY_MS);
	expect(online.whole().map((frame) => decodeDown(frame))).toEqual([{ ok: true, message: { type: 'online', whole: true, here: [], gone: [] } }]);
});
