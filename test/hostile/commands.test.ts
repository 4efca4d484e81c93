// Commands that lie: about their author, time, id, what they saw, and about fields that are the relay's. Over `/sync` and REST.

import { afterAll, beforeAll, expect, test } from 'vitest';
import * as encoding from 'lib0/encoding';
import { COMMAND_NAME_OF_NOBODY, odd } from './odd-values.ts';
import type { CommandId, DocumentId } from '#crdt-model/ids.ts';
import { encodeUp } from '#crdt-model/wire/codec.ts';
import { until } from '../support/relay.ts';
import { Arena, batchOf, commandOf, HELLO, ids, marker, outcomeOf, type Hostile } from './arena.ts';

let arena: Arena;
let mallory: Hostile;
let ben: Hostile;
/** Of the administrator; Mallory may not read it. */
let hidden: DocumentId;
let own: DocumentId;
const secret = marker('hidden-task');
beforeAll(async () => {
	arena = await Arena.open();
	[mallory, ben] = [await arena.hostile(), await arena.honest('Ben')];
	hidden = await arena.made(ids.document('task'), { title: secret });
	own = ids.document('task');
	expect(await mallory.command(own, 'task.create', { title: 'Own' })).toBe('accepted');
}, 120_000);
afterAll(async () => {
	expect(mallory.has(secret), 'not one byte of what is hidden').toBe(false);
	expect(await arena.row(hidden)).toMatchObject({ title: secret, deleted: false, responsible: arena.ana.employee });
	await arena?.close();
});

/** The last entry of a document as the administrator's device got it. */
async function authorOf(command: CommandId): Promise<unknown> {
	await until(() => arena.truth.seenCommands.has(command));
	return arena.truth.authors.get(command);
}

test('a forged author: the session’s person wrote it, whatever the command says', async () => {
	const id = ids.document('task');
	const create = commandOf(id, 'task.create', { title: 'Forged' }, { author: arena.ana.employee, by: arena.ana.employee, person: arena.ana.employee } as never);
	expect(await mallory.submit(create)).toBe('accepted');
	expect(await arena.row(id)).toMatchObject({ createdBy: mallory.person, responsible: mallory.person });
	expect(await authorOf(create.id)).toBe(mallory.person);
	for (const key of ['createdBy', 'by', 'author']) expect(['bad-value', 'closed 4400']).toContain(await mallory.command(ids.document('task'), 'task.create', { title: 'x', [key]: arena.ana.employee }));
});

test('a time in the far future does not win for ever', async () => {
	const company = ids.document('company');
	expect(await mallory.command(company, 'company.create', { name: 'Shared' })).toBe('accepted');
	expect(await mallory.command(company, 'company.setName', { value: 'for ever' }, { at: Date.now() + 1_000 * 365 * 24 * 3_600_000 })).toBe('accepted');
	expect(await mallory.command(company, 'company.setSector', { value: 'for ever' }, { at: Number.MAX_SAFE_INTEGER })).toBe('accepted');
	expect(await ben.command(company, 'company.setName', { value: 'by Ben' }, { at: Date.now() + 60_000 })).toBe('accepted');
	const row = await arena.row<{ name: string; updatedAt: number }>(company);
	expect([row.name, row.updatedAt <= Date.now() + 1_000]).toEqual(['by Ben', true]);
});

test('a time in the far past overrules nobody, and times that are none are no message', async () => {
	const company = ids.document('company');
	expect(await ben.command(company, 'company.create', { name: 'Of Ben' })).toBe('accepted');
	expect(await mallory.command(company, 'company.setName', { value: 'from 1970' }, { at: 0 })).toBe('accepted');
	expect(await arena.row(company)).toMatchObject({ name: 'Of Ben' });
	for (const at of [-1, 1.5, Number.NaN, Infinity]) expect(await mallory.command(company, 'company.setName', { value: 'x' }, { at })).toBe('closed 4400');
});

test('what was seen, forged to pass a guarded field: without rights it opens nothing, and a guess is stale', async () => {
	const deal = ids.document('deal');
	expect(await ben.command(deal, 'deal.create', { title: 'Deal', amount: 100 })).toBe('accepted');
	expect(await mallory.command(deal, 'deal.setAmount', { value: 1 }, { seen: { amount: ids.command() } })).toBe('not-found');
	expect(await ben.command(deal, 'deal.setResponsible', { value: mallory.person })).toBe('accepted');
	const guesses: Record<string, CommandId>[] = [{}, { amount: ids.command() }, { elsewhere: ids.command() }];
	for (const seen of guesses) expect(await mallory.command(deal, 'deal.setAmount', { value: 1 }, { seen })).toBe('stale');
	expect(await arena.row(deal)).toMatchObject({ amount: 100 });
	expect(await mallory.command(deal, 'deal.setAmount', { value: 1 }, { seen: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`x${i}`, ids.command()])) })).toBe('closed 4400');
});

test('another person’s command id, one’s own again, and known ones mixed with new', async () => {
	const stolen = await arena.work();
	expect(await mallory.submit(commandOf(ids.document('task'), 'task.create', { title: 'x' }, { id: stolen }))).toBe('malformed');
	const create = commandOf(ids.document('task'), 'task.create', { title: 'x' });
	const device = await mallory.device();
	const first = await device.submit(batchOf(create));
	expect(outcomeOf(first)).toBe('accepted');
	expect(await device.submit(batchOf(create))).toEqual(first);
	expect(await mallory.submit({ ...create, name: 'task.delete', args: {} }), 'another command under the same id gets the first answer').toBe('accepted');
	expect(await arena.row(create.document)).toMatchObject({ deleted: false });
	expect(await mallory.submit(create, commandOf(create.document, 'task.delete'))).toBe('malformed');
	const twice = commandOf(own, 'task.setTitle', { value: 'twice' });
	expect(await mallory.submit(twice, twice)).toBe('malformed');
});

test('fields of the relay: number, creation, arrival, and paths that are none', async () => {
	for (const key of ['number', 'created', 'createdAt', 'updatedAt', 'deleted', 'kind', 'id']) {
		expect(['bad-value', 'closed 4400'], key).toContain(await mallory.command(ids.document('task'), 'task.create', { title: 'x', [key]: 7 }));
	}
	for (const name of ['task.setNumber', 'task.setCreated', 'task.setCreatedBy', 'task.setDeleted', 'employee.setActive', 'employee.setGuest']) {
		expect(['unknown-command', 'denied', 'not-found']).toContain(await mallory.command(name.startsWith('task') ? own : mallory.person, name, { value: 7 }));
	}
	const file = ids.document('file');
	expect(await mallory.command(file, 'file.create', { name: 'x', size: 1, mime: 'text/plain', digest: 'a'.repeat(64) })).toBe('accepted');
	expect(await mallory.command(file, 'file.arrive')).toBe('denied');
	expect(await arena.row(file)).toMatchObject({ arrived: false });
});

test('numbers are the relay’s, without holes, whatever was refused in between', async () => {
	const made = async () => {
		const id = ids.document('task');
		expect(await mallory.command(id, 'task.create', { title: 'n' })).toBe('accepted');
		return (await arena.row<{ number: number }>(id)).number;
	};
	const first = await made();
	for (let i = 0; i < 5; i++) expect(await mallory.submit(commandOf(ids.document('task'), 'task.create', { title: 'n' }), commandOf(hidden, 'task.delete'))).toBe('not-found');
	expect(await made()).toBe(first + 1);
});

test('commands on what one may not read are answered like commands on what is not there', async () => {
	const verbs: [string, unknown][] = [
		['task.setTitle', { value: 'mine' }], ['task.create', { title: 'probe' }], ['task.delete', {}], ['task.restore', {}], ['task.addObserver', { member: mallory.person }],
		['task.setResponsible', { value: mallory.person }], ['task.comment', { item: ids.item(), text: 'x' }], ['task.setState', { value: 'done' }]
	];
	for (const [name, args] of verbs) {
		const absent = ids.document('task');
		const [there, not] = [await mallory.command(hidden, name, args), name === 'task.create' ? 'not-found' : await mallory.command(absent, name, args)];
		expect([name, there]).toEqual([name, not]);
	}
	for (const [method, path, body] of [['GET', '', undefined], ['POST', '/commands', { command: 'setTitle', value: 'x' }], ['POST', '/commands', { command: 'noSuch' }]] as const) {
		const answers = [];
		for (const id of [hidden, ids.document('task')]) {
			const { status, body: answer } = await mallory.api<Record<string, unknown>>(method, `/documents/${id}${path}`, body);
			// What the caller wrote itself may come back, and nothing else differs.
			answers.push(JSON.stringify([status, answer]).replaceAll(id, 'ID'));
		}
		expect(answers[0]).toBe(answers[1]);
	}
});

test('the whole answer to a refused command is the same, byte by byte, hidden or not there', async () => {
	const device = await mallory.device();
	const answers = [];
	for (const document of [hidden, ids.document('task')]) answers.push(JSON.stringify(await device.submit(batchOf(commandOf(document, 'task.setTitle', { value: 'x' })))).replaceAll(document, 'ID'));
	expect(answers[0]!.replace(/command_[0-9a-f-]+/g, 'C')).toBe(answers[1]!.replace(/command_[0-9a-f-]+/g, 'C'));
});

test('a page hung on what one may not read', async () => {
	const { pageOf } = await import('#crdt-model/ids.ts');
	expect(await mallory.command(pageOf(hidden), 'page.hang', { title: 'x', on: hidden })).toBe('not-found');
	const absent = ids.document('task');
	expect(await mallory.command(pageOf(absent), 'page.hang', { title: 'x', on: absent })).toBe('not-found');
	expect(['target-gone', 'bad-value', 'denied', 'not-found']).toContain(await mallory.command(ids.document('page'), 'page.hang', { title: 'x', on: own }));
});

test('commands that are none, of another kind, or of a prototype', async () => {
	for (const name of ['task.becomeKing', 'deal.setAmount', 'task.constructor', 'task.toString', 'task.hasOwnProperty', COMMAND_NAME_OF_NOBODY]) {
		expect(await mallory.command(own, name, { value: 1 }), name).toBe('unknown-command');
	}
	for (const name of ['task.__proto__', 'task', '', 'task.set.title', `task.${'x'.repeat(100)}`]) expect(['closed 4400', 'unknown-command'], name).toContain(await mallory.command(own, name));
});

test.each(odd)('a value that is none: %s', async (_what, value) => {
	for (const name of ['task.setTitle', 'task.setDeadline', 'task.setResponsible', 'task.setState']) {
		expect(['bad-value', 'denied', 'closed 4400']).toContain(await mallory.command(own, name, { value }));
	}
	expect(await arena.row(own)).toMatchObject({ title: 'Own' });
});

test('`__proto__` in arguments, in what was seen, and in the message itself', async () => {
	expect(['bad-value', 'closed 4400']).toContain(await mallory.command(own, 'task.addItem', JSON.parse('{"__proto__":{"done":true},"item":"x"}')));
	// lib0 writes the key as any other; the relay must not read it into an object.
	const encoder = encoding.createEncoder();
	encoding.writeUint8(encoder, 118);
	encoding.writeVarUint(encoder, 2);
	encoding.writeVarString(encoder, 'type');
	encoding.writeAny(encoder, 'submit');
	encoding.writeVarString(encoder, '__proto__');
	encoding.writeAny(encoder, { batch: batchOf(commandOf(own, 'task.setTitle', { value: 'polluted' })) } as never);
	expect(await mallory.attack('/sync', [HELLO, encoding.toUint8Array(encoder)])).toBe(4400);
	const answer = await mallory.api('POST', '/documents', JSON.parse('{"kind":"task","fields":{"title":"x","__proto__":{"state":"done"}}}'));
	expect([201, 422]).toContain(answer.status);
	expect(await arena.row(own)).toMatchObject({ title: 'Own', state: 'pending' });
});

test('a batch of 101, an empty one, and one of which a single command is refused', async () => {
	const many = (count: number) => encodeUp({ type: 'submit', batch: batchOf(...Array.from({ length: count }, () => commandOf(own, 'task.setTitle', { value: 'many' }))) });
	expect(await mallory.attack('/sync', [HELLO, many(101)])).toBe(4400);
	expect(await mallory.attack('/sync', [HELLO, many(0)])).toBe(4400);
	expect(await mallory.submit(commandOf(own, 'task.setTitle', { value: 'half' }), commandOf(hidden, 'task.setTitle', { value: 'half' }))).toBe('not-found');
	expect(await arena.row(own)).toMatchObject({ title: 'Own' });
});

test('two commands, each allowed, that are wrong together: giving away and going on', async () => {
	const deal = ids.document('deal');
	expect(await mallory.command(deal, 'deal.create', { title: 'Deal' })).toBe('accepted');
	expect(await mallory.submit(commandOf(deal, 'deal.setResponsible', { value: ben.person }), commandOf(deal, 'deal.setTitle', { value: 'after' }))).toBe('not-found');
	expect(await arena.row(deal)).toMatchObject({ title: 'Deal', responsible: mallory.person });
});

test('comments under another’s name, and comments of others', async () => {
	const task = ids.document('task');
	const item = ids.item();
	expect(await ben.command(task, 'task.create', { title: 'Talk', participants: [mallory.person] })).toBe('accepted');
	expect(await ben.command(task, 'task.comment', { item, text: 'by Ben' })).toBe('accepted');
	expect(['bad-value', 'closed 4400']).toContain(await mallory.command(task, 'task.comment', { item: ids.item(), text: 'x', by: ben.person }));
	for (const [name, args] of [['task.comment', { item, text: 'put over it' }], ['task.editComment', { item, text: 'changed' }], ['task.removeComment', { item }]] as const) {
		expect(['denied', 'exists', 'bad-value', 'target-gone', 'unknown-command'], name).toContain(await mallory.command(task, name, args));
	}
	const { body } = await arena.relay.api<{ comments: { text: string; by: string }[] }>('GET', `/documents/${task}`, undefined, arena.ana.token);
	expect(body.comments).toMatchObject([{ text: 'by Ben' }]);
});
