/**
 * Documents over REST: what the screens do, for programs. Every change is a command through the gate, with the caller's rights.
 *
 * Promises: what the caller may not read is answered exactly like what is not there; a command with an id of its own may be sent again and gets its
 * first answer; a caller that does not say what it saw is taken to have seen the present state.
 */
import { generateKeyBetween } from 'fractional-indexing';
import * as v from 'valibot';
import { IdMaker, isDocumentId, kindOf, KINDS, type BatchId, type KindName } from '#crdt-model/ids.ts';
import { serviceRefusal } from '#crdt-model/access/services.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import { serviceOfKind } from '#crdt-model/kinds/services.ts';
import { commandSchema, type Command } from '#crdt-model/record/command.ts';
import { checklistOf, commentsOf } from '#crdt-model/record/parts.ts';
import { seenBy } from '#crdt-model/record/plan.ts';
import { EMPTY_STATE, type RecordState } from '#crdt-model/record/state.ts';
import type { Refusal } from '#crdt-model/wire/refusal.ts';
import { members, route, type App, type Caller, type Services } from './call.ts';
import { problem, refusalProblem } from './problem.ts';
import { accessAnswer, accessQuery, commandAnswer, commandBody, createBody, createdAnswer, DEFAULT_LIMIT, documentAnswer, listQuery, MAX_LIMIT, rowsAnswer } from './schemas.ts';

export const documentRoutes = {
	create: route({
		method: 'post',
		path: '/api/v1/documents',
		summary: 'Make a document',
		signedIn: true,
		body: createBody,
		answer: { status: 201, description: 'Made', schema: createdAnswer },
		problems: [402, 409]
	}),
	list: route({
		method: 'get',
		path: '/api/v1/documents',
		summary: 'The rows of a kind that the caller may read, in order of id',
		signedIn: true,
		query: listQuery,
		answer: { status: 200, description: 'A page of rows; `next` continues it', schema: rowsAnswer }
	}),
	show: route({
		method: 'get',
		path: '/api/v1/documents/{id}',
		summary: 'One document',
		signedIn: true,
		answer: { status: 200, description: 'Its row, comments and checklist', schema: documentAnswer },
		problems: [404]
	}),
	access: route({
		method: 'get',
		path: '/api/v1/documents/{id}/access',
		summary: 'Why the caller sees a document, who else can, and what they may do with it; for administrators also of another person',
		signedIn: true,
		query: accessQuery,
		answer: { status: 200, description: 'The rules that hold, with their reasons', schema: accessAnswer },
		problems: [404]
	}),
	command: route({
		method: 'post',
		path: '/api/v1/documents/{id}/commands',
		summary: 'Change a document by a command of its kind',
		signedIn: true,
		body: commandBody,
		answer: { status: 200, description: 'Accepted and on disk', schema: commandAnswer },
		problems: [402, 404, 409, 410]
	})
};

/** Of these a row says of which service it is: a description follows its task, a face is nobody's. */
const FOLLOWING: readonly KindName[] = ['page', 'file', 'proposal'];

const notThere = (): Response => problem('not-found', { detail: 'not there, or not readable' });

export function mountDocuments(app: App, services: Services): void {
	const ids = new IdMaker(services.now);

	members(app, services, documentRoutes.create, async ({ body: { kind, fields } }, caller) => {
		const id = ids.document(kind);
		const command: Command = { id: ids.command(), document: id, name: `${kind}.create`, args: fields, at: services.now(), seen: {} };
		const answer = await submitted(caller, ids.batch(), command);
		return answer instanceof Response ? answer : Response.json({ id }, { status: 201, headers: { location: `/api/v1/documents/${id}` } });
	});

	members(app, services, documentRoutes.list, async ({ query: { kind, after, limit } }, { portal, person, viewer }) => {
		const off = FOLLOWING.includes(kind) ? null : serviceOfKind(kind);
		if (off !== null && portal.services.off.includes(off)) return refusalProblem(serviceRefusal(off));
		const query = {
			kind,
			after: after ?? null,
			limit: Math.min(Number(limit ?? DEFAULT_LIMIT), MAX_LIMIT)
		};
		const { rows, next } = await portal.rows(person, query, viewer);
		return Response.json({ rows, next });
	});

	members(app, services, documentRoutes.show, async (call, { portal, person, viewer }) => {
		const id = call.param('id');
		const found = isDocumentId(id) ? await portal.read(person, id, viewer) : null;
		if (!found) return notThere();
		const off = portal.services.offServiceOf(found.row);
		if (off) return refusalProblem(serviceRefusal(off));
		const { lists } = kindNamed(found.row.kind);
		return Response.json({
			id,
			kind: found.row.kind,
			row: found.row,
			...('comments' in lists ? { comments: commentsOf(found.state) } : {}),
			...('checklist' in lists ? { checklist: checklistOf(found.state) } : {})
		});
	});

	members(app, services, documentRoutes.access, async ({ query, param }, { portal, person, viewer }) => {
		const id = param('id');
		const of = query.person ?? person;
		if (!isDocumentId(id) || (of !== person && (viewer !== null || !portal.directory.isAdministrator(person)))) return notThere();
		const found = await portal.read(person, id, viewer);
		const off = found && portal.services.offServiceOf(found.row);
		if (off) return refusalProblem(serviceRefusal(off));
		const access = await portal.access({ person, viewer }, id, of);
		return access ? Response.json({ person: of, ...access }) : notThere();
	});

	members(app, services, documentRoutes.command, async ({ body, param }, caller) => {
		const id = param('id');
		if (!isDocumentId(id)) return notThere();
		const { command: verb, args, id: commandId, at, seen, ...rest } = body;
		const state = (await caller.portal.read(caller.person, id))?.state ?? EMPTY_STATE;
		const name = verb.includes('.') ? verb : `${kindOf(id)}.${verb}`;
		const completed = withItem(ids, name, underItsName(name, args ?? rest), state);
		const unseen = { id: commandId ?? ids.command(), document: id, name, args: completed.args, at: at ?? services.now() };
		const command = v.safeParse(commandSchema, { ...unseen, seen: seen ?? seenBy(kindNamed(kindOf(id)!), state, unseen, caller.person) });
		if (!command.success) {
			const field = String(command.issues[0].path?.[0]?.key ?? '');
			const code = field === 'name' ? 'unknown-command' : 'bad-value';
			return problem(code, { detail: `${field}: ${command.issues[0].message}`.slice(0, 200) });
		}
		const answer = await submitted(caller, ids.batch(), command.output as Command);
		return answer instanceof Response ? answer : Response.json({ accepted: true, seq: answer.seq, command: unseen.id, ...completed.made });
	});
}

/**
 * A command of one argument takes it under whatever name it comes: `{"command": "task.setDeadline", "deadline": "2026-12-01"}` says what it means
 * as well as `value` does. Its schema judges the value all the same.
 */
function underItsName(name: string, args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
	const [kind = '', verb = ''] = name.split('.');
	const commands = KINDS.includes(kind as KindName) ? kindNamed(kind as KindName).commands : {};
	const schema = Object.hasOwn(commands, verb) ? (commands[verb]!.args as { readonly entries?: Readonly<Record<string, unknown>> }) : {};
	const [own, ...others] = Object.keys(schema.entries ?? {});
	const [given, ...more] = Object.keys(args);
	if (!own || others.length > 0 || given === undefined || more.length > 0) return args;
	return { [own]: args[given] };
}

/** Programs need not make ids of items or positions: a comment or item that brings none gets them here, an item at the end of its list. */
function withItem(ids: IdMaker, name: string, args: Readonly<Record<string, unknown>>, state: RecordState): { args: Record<string, unknown>; made: { item?: string } } {
	const verb = name.slice(name.indexOf('.') + 1);
	if (verb !== 'comment' && verb !== 'addItem') return { args: { ...args }, made: {} };
	const item = args['item'] ?? ids.item();
	const made = typeof item === 'string' ? { item } : {};
	if (verb === 'comment') return { args: { ...args, item }, made };
	return { args: { ...args, item, position: args['position'] ?? afterLast(state) }, made };
}

function afterLast(state: RecordState): string {
	const last = checklistOf(state).at(-1)?.position ?? null;
	try {
		return generateKeyBetween(last, null);
	} catch {
		// A position that another program made up; behind it all the same.
		return `${last ?? 'a'}z`;
	}
}

async function submitted({ portal, person }: Caller, batch: BatchId, command: Command): Promise<{ seq: number } | Response> {
	const result = await portal.submit(person, { id: batch, commands: [command] });
	return result.kind === 'accepted' ? { seq: result.seq } : refusalProblem(result.refusal as Refusal);
}
