/** One of every message of `/sync`, both ways; wire tests and the frozen fixtures share them. */
import { RELAY, type BatchId, type PortalId } from '../ids.ts';
import type { Down } from '../wire/down.ts';
import { REFUSAL_CODES, refuse } from '../wire/refusal.ts';
import type { Up } from '../wire/up.ts';
import { WIRE_VERSION } from '../wire/version.ts';
import { taskRow } from './company.ts';
import { ANN, BEN, commandId, documentId } from './world.ts';

const cursor = { epoch: 1, seq: 41 };
const task = documentId('task', 1);
const batchId = commandId(1).replace('command', 'batch') as BatchId;
const command = { id: commandId(2), document: task, name: 'task.setTitle', args: { value: 'Call Ann' }, at: 1_700_000_000_000, seen: { title: commandId(1) } };
const cell = (by: typeof ANN, value: string, n: number) => ({ value, at: 1_700_000_000_000 + n, by, command: commandId(n) });

export const UP_MESSAGES: Readonly<Record<string, Up>> = {
	'hello with nothing': { type: 'hello', version: WIRE_VERSION, cursor: null, held: { count: 0, digest: '0000000000000000' } },
	hello: { type: 'hello', version: WIRE_VERSION, cursor, held: { count: 2, digest: '00000000deadbeef' } },
	inventory: { type: 'inventory', documents: [[task, 3], [documentId('deal', 2), 1]], last: true },
	reoffer: {
		type: 'reoffer',
		documents: [task],
		entries: [{ document: task, docSeq: 3, author: ANN, authoredAt: 1_700_000_000_000, acceptedAt: 1_700_000_000_009, command, bytes: new Uint8Array([1, 2, 3]), mac: new Uint8Array(32) }],
		last: true
	},
	submit: { type: 'submit', batch: { id: batchId, commands: [command, { ...command, id: commandId(3), name: 'task.delete', args: {}, seen: {} }] } },
	update: { type: 'update', id: 'u-1', document: documentId('page', 1), bytes: new Uint8Array([0, 0, 255]) }
};

export const DOWN_MESSAGES: Readonly<Record<string, Down>> = {
	welcome: { type: 'welcome', version: WIRE_VERSION, portal: documentId('task', 5).replace('task', 'portal') as PortalId, person: ANN, epoch: 1, now: 1_700_000_000_000, next: 'continue', rows: { task: 1 } },
	'welcome after a restore': {
		type: 'welcome', version: WIRE_VERSION, portal: documentId('task', 5).replace('task', 'portal') as PortalId, person: ANN, epoch: 2, now: 1_700_000_000_000,
		restores: [{ epoch: 2, seq: 41 }], next: 'inventory'
	},
	reoffered: { type: 'reoffered', fates: ['taken', 'waiting', 'refused'] },
	'welcome to a viewer': { type: 'welcome', version: WIRE_VERSION, portal: documentId('task', 5).replace('task', 'portal') as PortalId, person: ANN, epoch: 1, now: 1_700_000_000_000, next: 'inventory', rows: { task: 1 }, viewer: BEN },
	entries: {
		type: 'entries',
		cursor,
		entries: [
			{
				seq: 41, document: task, docSeq: 3, author: ANN, authoredAt: 1_700_000_000_000, acceptedAt: 1_700_000_000_009, command,
				overruled: [{ path: 'title', stands: cell(ANN, 'Call Ann', 2), gaveWay: cell(BEN, 'Call Ben', 1) }], swallowed: [], bytes: new Uint8Array([1, 2, 3]), mac: new Uint8Array(32)
			},
			{
				seq: 42, document: documentId('page', 1), docSeq: 1, author: RELAY, authoredAt: 0, acceptedAt: 1, command: null, overruled: [], swallowed: [[4_294_967_295, 0, 7]],
				bytes: new Uint8Array(), mac: new Uint8Array(32).fill(7)
			}
		]
	},
	gains: { type: 'gains', cursor: null, snapshots: [{ document: task, docSeq: 3, seq: 41, row: taskRow({ deadline: '2026-11-30' }), bytes: new Uint8Array([9]) }] },
	'gains with notices': {
		type: 'gains',
		cursor: null,
		snapshots: [
			{
				document: task, docSeq: 3, seq: 41, row: taskRow(), bytes: new Uint8Array([9]),
				notices: { overruled: [{ path: 'title', stands: cell(BEN, 'Call Ben', 2), gaveWay: cell(ANN, 'Call Ann', 1) }], swallowed: [[7, 0, 3]] }
			}
		]
	},
	lose: { type: 'lose', documents: [task], cursor },
	progress: { type: 'progress', cursor },
	tariff: { type: 'tariff', plan: 'demo', until: 1_702_592_000_000, people: { used: 13, most: null }, storageBytes: { used: 0, most: 5_368_709_120 }, features: ['extranet'] },
	'tariff with what was bought': {
		type: 'tariff', plan: 'demo', until: 1_702_592_000_000, people: { used: 13, most: null }, storageBytes: { used: 0, most: null }, features: ['extranet'],
		bought: { plan: 'projectPlus', rentedBytes: 1_073_741_824, demo: 'running' }
	},
	'online at first': { type: 'online', whole: true, here: [ANN, BEN], gone: [] },
	'online later': { type: 'online', here: [ANN], gone: [BEN] },
	waiting: { type: 'waiting', people: 3 },
	'refused by the tariff': {
		type: 'answer',
		id: batchId,
		result: {
			kind: 'refused',
			command: command.id,
			refusal: refuse('quota', 'people', { rule: 'tariff.people', who: ['admins'], tariff: { plan: 'project', limit: 'people', used: 12, most: 12, more: 1, ways: ['projectPlus', 'team', 'company'] } })
		}
	},
	accepted: { type: 'answer', id: batchId, result: { kind: 'accepted', seq: 41 } },
	...Object.fromEntries(
		REFUSAL_CODES.map((code): [string, Down] => [
			`refused ${code}`,
			{
				type: 'answer',
				id: batchId,
				result: {
					kind: 'refused',
					command: code === 'stale' ? command.id : null,
					refusal: refuse(code, 'why', code === 'stale' ? { current: { path: 'amount', value: 2, by: BEN, command: commandId(1) } } : code === 'denied' ? { rule: 'task.people-change', who: ['admins'] } : {})
				}
			}
		])
	)
};
