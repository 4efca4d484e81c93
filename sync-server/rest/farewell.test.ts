/** [P3] A dismissed person's last contact: their own unsent work goes to their head as proposals, and their sign-in is good for nothing else. */
import WebSocket from 'ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IdMaker, pageOf, type DocumentId, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import type { ProposalRow } from '#crdt-model/kinds/proposal.ts';
import { Replica } from '#lib/sync/engine.ts';
import type { Transport } from '#lib/sync/link.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import type { Portal } from '../room/portal.ts';
import { MAX_FAREWELL_ITEMS, MAX_FAREWELLS } from './farewell.ts';
import { PASSWORD, TestRelay, type SignIn } from './test-relay.ts';

let relay: TestRelay;
let ann: SignIn;
let portal: Portal;
const ids = new IdMaker();
let people = 0;

beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@acme.example');
	portal = (await relay.relay.services.portals.portal(ann.portal as PortalId))!;
});
afterAll(() => relay.end());

async function asAnn(document: DocumentId, name: string, args: unknown): Promise<void> {
	const result = await portal.submitAsRelay({ commands: [{ id: ids.command(), document, name, args, at: Date.now(), seen: {} }] }, ann.employee as PersonId);
	expect(result.kind).toBe('accepted');
}
/** Hired, and head of nobody; the company's head is Ann. */
const hire = (): Promise<SignIn> => relay.join(ann, `bob${++people}@acme.example`);
const dismiss = (person: SignIn) => asAnn(person.employee as PersonId, 'employee.dismiss', {});
const farewell = (token: string | undefined, items: unknown[], headers: Record<string, string> = {}) => relay.call('POST', '/api/v1/farewell', { ...(token && { token }), body: { items }, headers });
const proposals = async (by: SignIn) =>
	(await portal.rows(ann.employee as PersonId, { kind: 'proposal', limit: 1_000 })).rows.filter(({ createdBy }) => createdBy === by.employee) as ProposalRow[];

async function until(holds: () => boolean): Promise<void> {
	while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
const lineOf =
	(token: string): Transport =>
	(events) => {
		const socket = new WebSocket(`${relay.address.replace('http', 'ws')}/sync`, { headers: { authorization: `Bearer ${token}` } });
		socket.binaryType = 'arraybuffer';
		socket.on('error', () => {});
		socket.on('open', () => events.opened());
		socket.on('message', (data: ArrayBuffer) => events.frame(new Uint8Array(data)));
		socket.on('close', (code) => events.closed(code));
		return { send: (frame) => socket.send(frame), close: () => socket.close() };
	};

test('[P3] what a dismissed person made offline comes to their head as proposals, each on what it is about', async () => {
	const bob = await hire();
	const [task, secret, text] = [ids.document('task'), ids.document('task'), ids.document('text')];
	await asAnn(task, 'task.create', { title: 'shared', participants: [bob.employee] });
	await asAnn(text, 'text.create', { title: 'Notes', place: 'company' });
	const replica = await Replica.open({ portal: bob.portal as PortalId, person: bob.employee as PersonId, store: new MemoryReplicaStore(), transport: lineOf(bob.token) });
	replica.connect();
	await until(() => replica.status().word === 'up-to-date');
	replica.disconnect();
	expect((await replica.run([{ document: task, name: 'task.comment', args: { item: ids.item(), text: 'said offline' } }])).kind).toBe('kept');
	expect((await replica.run([{ document: secret, name: 'task.create', args: { title: 'made offline' } }])).kind).toBe('kept');
	const page = await replica.openPage(text, 'tab');
	page.doc.getText('text').insert(0, 'typed offline');
	await page.release();
	await dismiss(bob);
	replica.connect();
	await until(() => replica.status().problem === 'dismissed');

	const items = await replica.farewell();
	await replica.store.wipe();
	const answer = await farewell(bob.token, items);
	expect(answer).toMatchObject({ status: 200, body: { proposed: 3, leftOut: 0 } });
	const made = await proposals(bob);
	const handOver = `task_${bob.employee.slice(bob.employee.indexOf('_') + 1)}`;
	expect(made.map(({ target, commands, text: said, state }) => [target, commands[0]?.name ?? said, state])).toEqual([
		[task, 'task.comment', 'open'],
		[handOver, 'task.create', 'open'],
		[text, 'typed offline', 'open']
	]);
	expect((await portal.read(ann.employee as PersonId, handOver as DocumentId))?.row).toMatchObject({ title: 'Unsent work of Bob Ray', responsible: ann.employee, createdBy: bob.employee });
	// Nothing of it was done.
	expect((await portal.read(ann.employee as PersonId, task))!.row).toMatchObject({ comments: 0 });
	expect(await portal.read(ann.employee as PersonId, secret)).toBeNull();
});

test('[P3] it is said once: the sign-in ends with it, and was good for nothing else before', async () => {
	const bob = await hire();
	await dismiss(bob);
	expect((await relay.call('GET', '/api/v1/documents?kind=task', { token: bob.token })).status).toBe(403);
	expect((await relay.call('POST', '/api/v1/sessions', { body: { email: `bob${people}@acme.example`, password: PASSWORD } })).status).not.toBe(201);
	expect(await farewell(bob.token, [{ document: ids.document('task'), text: 'one' }])).toMatchObject({ status: 200, body: { proposed: 1 } });
	expect((await farewell(bob.token, [{ document: ids.document('task'), text: 'two' }])).status).toBe(401);
	expect(await proposals(bob)).toHaveLength(1);
});

test('[P3] only the dismissed, by their own sign-in: not those who belong, not nobody, not another page’s cookie', async () => {
	const bob = await hire();
	const items = [{ document: ids.document('task'), text: 'mine' }];
	expect(await farewell(bob.token, items)).toMatchObject({ status: 403, body: { code: 'denied' } });
	expect((await farewell(undefined, items)).status).toBe(401);
	expect((await farewell('x'.repeat(43), items)).status).toBe(401);
	await dismiss(bob);
	expect((await farewell(undefined, items, { cookie: `atrium_session_${bob.portal.slice(-12)}=${bob.token}` })).status).not.toBe(200);
	expect(await proposals(bob)).toEqual([]);
});

test('[P3] a piece on what its author may not read tells nothing, and lands with the head all the same', async () => {
	const bob = await hire();
	const [hidden, none] = [ids.document('task'), ids.document('task')];
	await asAnn(hidden, 'task.create', { title: 'of Ann alone' });
	await dismiss(bob);
	const answer = await farewell(bob.token, [hidden, none, pageOf(hidden)].map((document) => ({ document, text: 'x' })));
	expect(answer.body).toEqual({ proposed: 3, leftOut: 0 });
	expect(await proposals(bob)).toHaveLength(3);
});

test('[P3] ceilings: pieces, sizes, commands and devices; what is no proposal is left out and the rest comes', async () => {
	const bob = await hire();
	const others = await Promise.all(
		Array.from({ length: MAX_FAREWELLS }, async () => (await relay.call('POST', '/api/v1/sessions', { body: { email: `bob${people}@acme.example`, password: PASSWORD } })).body.token as string)
	);
	await dismiss(bob);
	const document = ids.document('task');
	const piece = { document, text: 'x' };
	expect((await farewell(bob.token, Array.from({ length: MAX_FAREWELL_ITEMS + 1 }, () => piece))).status).toBe(422);
	expect((await farewell(bob.token, [{ document, text: 'x'.repeat(10_001) }])).status).toBe(422);
	expect((await farewell(bob.token, [{ document: '../x', text: 'x' }])).status).toBe(422);
	expect((await farewell(bob.token, [{ document, more: 1 }])).status).toBe(422);
	const mixed = [piece, { document }, { document, text: 'x', commands: [{ document, name: 'task.delete', args: {} }] }, { document, commands: [{ document, name: 'no such name', args: {} }] }];
	expect((await farewell(bob.token, mixed)).body).toEqual({ proposed: 1, leftOut: 3 });
	const statuses: number[] = [];
	for (const token of others) statuses.push((await farewell(token, [piece])).status);
	expect(statuses).toEqual([...Array.from({ length: MAX_FAREWELLS - 1 }, () => 200), 429]);
});

test('[P3] nobody else lays a task where unsent work will come to: it comes to the head alone', async () => {
	const [bob, eve] = [await hire(), await hire()];
	const squatted = `task_${bob.employee.slice(bob.employee.indexOf('_') + 1)}` as DocumentId;
	const made = await portal.submit(eve.employee as PersonId, { id: ids.batch(), commands: [{ id: ids.command(), document: squatted, name: 'task.create', args: { title: 'Mine' }, at: Date.now(), seen: {} }] });
	expect(made.kind).toBe('accepted');
	await dismiss(bob);
	expect((await farewell(bob.token, [{ document: ids.document('task'), text: 'of Bob' }, { document: ids.document('task'), text: 'more of Bob' }])).body).toEqual({ proposed: 2, leftOut: 0 });
	const [one, other] = await proposals(bob);
	expect(other!.target).toBe(one!.target);
	expect(await portal.read(eve.employee as PersonId, one!.id)).toBeNull();
	expect((await portal.read(ann.employee as PersonId, one!.target))?.row).toMatchObject({ createdBy: bob.employee, responsible: ann.employee, deleted: false });
});

test('[P3] where the task for unsent work was deleted, the next device’s work lies where somebody looks', async () => {
	const bob = await hire();
	const again = (await relay.call('POST', '/api/v1/sessions', { body: { email: `bob${people}@acme.example`, password: PASSWORD } })).body.token as string;
	await dismiss(bob);
	await farewell(bob.token, [{ document: ids.document('task'), text: 'one' }]);
	const [first] = await proposals(bob);
	await asAnn(first!.target, 'task.delete', {});
	expect((await farewell(again, [{ document: ids.document('task'), text: 'two' }])).body).toEqual({ proposed: 1, leftOut: 0 });
	const two = (await proposals(bob)).find(({ text }) => text === 'two');
	expect((await portal.read(ann.employee as PersonId, two!.target))?.row).toMatchObject({ responsible: ann.employee });
});
