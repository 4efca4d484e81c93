// An administrator looks on as somebody else.
import { beforeEach, expect, test } from 'vitest';
import { RELAY } from '#crdt-model/ids.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import { viewsOf } from '#crdt-model/kinds/company-structure.ts';
import { ANN, BEN, CAT, DAN, deal, some, Stage, task } from '../testing/stage.ts';
import { recordView } from '../room/relay-acts.ts';
import { withoutPrivate } from './viewing.ts';

const TEXT = some('text', 1);
let stage: Stage;
beforeEach(async () => {
	stage = await Stage.open();
	await stage.as(CAT, 'task.create', task(1), { title: 'Cat’s', responsible: CAT });
	await stage.as(DAN, 'deal.create', deal(1), { title: 'Dan’s' });
	await stage.as(CAT, 'text.create', TEXT, { title: 'Notes', place: 'company' });
});

test('[E1] the record of the person says who looked on and when, written by the relay alone', async () => {
	expect(await recordView(stage.portal, ANN, CAT)).toBeNull();
	stage.pass(1_000);
	expect(await recordView(stage.portal, ANN, CAT)).toBeNull();
	const { state } = (await stage.portal.read(CAT, CAT))!;
	expect(viewsOf(state)).toEqual([{ by: ANN, at: stage.now() }]);
	expect(state.get(`views/${ANN}`)!.by).toBe(RELAY);
	for (const person of [ANN, CAT]) {
		expect(await stage.as(person, 'employee.recordView', CAT, { by: BEN, at: 1 })).toMatchObject({ kind: 'refused', refusal: { code: 'denied', rule: 'company.relay-records' } });
	}
});

test('[E2][E6] on /sync it holds what the person holds, no more, and the welcome says who looks on', async () => {
	const own = stage.device(CAT).connect();
	const view = stage.device(CAT, ANN).connect();
	await stage.settle();
	expect(view.holds).toEqual(own.holds);
	expect(view.holds).not.toContain(deal(1));
	expect([own.viewer, view.viewer]).toEqual([null, ANN]);
	await stage.as(CAT, 'task.setTitle', task(1), { value: 'Changed' });
	await stage.settle();
	expect(view.row(task(1))).toMatchObject({ title: 'Changed' });
});

test('[E2] what nobody but the person may read is not held by whoever looks on', () => {
	const held = new Set(['all', 'user:x', 'private:x', 'private:chat:1'] as unknown as Principal[]);
	expect([...withoutPrivate(held)]).toEqual(['all', 'user:x']);
});

test('[E3] nothing is submitted: refused by name, and nothing has changed', async () => {
	const view = stage.device(CAT, ANN).connect();
	await stage.settle();
	const before = stage.portal.log.assigned;
	const batch = view.submit('task.setTitle', task(1), { value: 'Forged' });
	view.say({ type: 'update', id: 'u-1', document: TEXT, bytes: new Uint8Array([0, 0]) });
	await stage.settle();
	const refusal = { kind: 'refused', refusal: { code: 'denied', rule: 'view.read-only' } };
	expect([view.answers.get(batch), view.answers.get('u-1')]).toMatchObject([refusal, refusal]);
	view.say({ type: 'reoffer', documents: [], entries: [], last: true });
	await stage.settle();
	expect([stage.portal.log.assigned, view.closedWith]).toEqual([before, 4400]);
});

test('[E5] it is over when the viewer is no administrator any more, the person’s own session is not', async () => {
	await stage.as(ANN, 'employee.setAdministrator', BEN, { value: true });
	const own = stage.device(CAT).connect();
	const view = stage.device(CAT, BEN).connect();
	const page = stage.live(CAT, TEXT, 900_001, BEN);
	await stage.settle();
	expect([view.closedWith, page.closedWith]).toEqual([null, null]);
	await stage.as(ANN, 'employee.setAdministrator', BEN, { value: false }, { seen: {} });
	await stage.settle();
	expect([view.closedWith, page.closedWith, own.closedWith]).toEqual([4403, 4403, null]);
	const again = stage.device(CAT, BEN).connect();
	await stage.settle();
	expect(again.closedWith).toBe(4403);
});

test('[E5] it ends with the membership of the person', async () => {
	const view = stage.device(CAT, ANN).connect();
	await stage.settle();
	await stage.as(ANN, 'employee.dismiss', CAT);
	await stage.settle();
	expect(view.closedWith).toBe(4403);
});

test('[E3] on /live it reads along, and new content closes it', async () => {
	const cat = stage.live(CAT, TEXT, 900_001);
	const view = stage.live(CAT, TEXT, 900_002, ANN);
	await stage.settle();
	cat.text.insert(0, 'Hello');
	await stage.settle();
	expect(view.text.toString()).toBe('Hello');
	expect(view.closedWith).toBeNull();
	view.text.insert(0, 'Forged ');
	await stage.settle();
	expect(view.closedWith).toBe(4403);
	expect(cat.text.toString()).toBe('Hello');
});

test('[E4] nobody sees who looks on, and no client id is bound', async () => {
	const cat = stage.live(CAT, TEXT, 900_001);
	const view = stage.live(CAT, TEXT, 900_002, ANN);
	await stage.settle();
	const sent = view.socket.sent.length;
	view.awareness.setLocalStateField('cursor', 3);
	await stage.settle();
	expect(Object.keys(cat.present)).toEqual(['900001']);
	expect(view.present[900_001]).toBe('cat Test');
	expect(view.socket.sent.length).toBe(sent + 1);
	const dan = stage.live(DAN, TEXT, 900_002);
	dan.text.insert(0, 'mine');
	await stage.settle();
	expect([dan.closedWith, cat.text.toString()]).toEqual([null, 'mine']);
});
