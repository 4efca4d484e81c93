/**
 * The gate for page and text content (SPEC G8–G12): service → size → syntax → identity → shape → access → ids → apply → post-check.
 * The list itself is in page/admit.ts; here it meets the portal: whose client ids these are, what the rule book says, and what
 * becomes of the outcome.
 */
import type * as Y from 'yjs';
import { audienceOf, decideWrite, type Actor, type Verdict, type World } from '#crdt-model/access/decide.ts';
import { refusedByService } from '#crdt-model/access/services.ts';
import type { PersonId } from '#crdt-model/ids.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';
import type { Draft } from '../log/portal-log.ts';
import { isRelayClient, type Room } from '../room/rooms.ts';
import { READ_ONLY } from '../session/viewing.ts';
import { admitUpdate } from './page/admit.ts';
import { headOf } from './head.ts';
import { PAGE_RULES, TEXT_RULES } from './page/rules.ts';

export type ContentAdmission =
	| { readonly kind: 'admitted'; readonly draft: Draft; readonly bindIds: readonly number[] }
	| { readonly kind: 'known' }
	| { readonly kind: 'refused'; readonly refusal: Refusal }
	/** As refused, and the room's document may be half changed. */
	| { readonly kind: 'evict'; readonly refusal: Refusal };

export interface ContentUpdate {
	readonly actor: Actor;
	readonly bytes: Uint8Array;
	/** Whose a client id is here, or null while it is nobody's. */
	readonly ownerOf: (client: number) => PersonId | null;
	/** Whether so many ids that are nobody's may become this person's here. */
	readonly mayBind: (count: number) => boolean;
	/** The connection that brought it. */
	readonly origin: unknown;
	/** From a session that only looks on: what is known is accepted, nothing new is. */
	readonly isReadOnly?: boolean;
	readonly now: number;
}

export function admitContent(room: Room, world: World, update: ContentUpdate): ContentAdmission {
	const { kind, row } = room;
	if (!kind.content || !row) return { kind: 'refused', refusal: refuse('not-found', room.id) };
	const readers = audienceOf(row, world);
	if (!readers.some((principal) => update.actor.principals.has(principal))) return { kind: 'refused', refusal: refuse('not-found', room.id) };
	if (row.deleted) return { kind: 'refused', refusal: refuse('target-gone', room.id) };
	const switchedOff = refusedByService(row, world.settings);
	if (switchedOff) return { kind: 'refused', refusal: switchedOff };

	const verdict: Verdict = update.isReadOnly ? { allow: false, code: 'denied', rule: READ_ONLY.rule!, who: [] } : decideWrite(update.actor, row, world);
	const admission = admitUpdate(room.doc as Y.Doc, update.bytes, kind.content.shape === 'rich' ? PAGE_RULES : TEXT_RULES, {
		ownerOf: (client) => ownership(client, update),
		mayWrite: () => verdict.allow,
		mayBind: update.mayBind,
		origin: update.origin
	});
	switch (admission.kind) {
		case 'known':
			return admission;
		case 'refused':
			if (admission.code === 'denied' && !verdict.allow) {
				return { kind: 'refused', refusal: refuse('denied', admission.detail, { rule: verdict.rule, who: verdict.who }) };
			}
			return { kind: 'refused', refusal: refuse(admission.code, admission.detail) };
		case 'evict':
			return { kind: 'evict', refusal: refuse(admission.code, admission.detail) };
		case 'accepted': {
			if (!admission.canonical) return { kind: 'known' };
			room.docSeq++;
			const draft: Draft = {
				document: room.id,
				docSeq: room.docSeq,
				author: update.actor.person,
				authoredAt: update.now,
				command: null,
				overruled: [],
				swallowed: admission.swallowed.map(({ client, from, to }) => [client, from, to] as const),
				bytes: admission.canonical,
				head: headOf(room, row),
				readersBefore: readers,
				readersAfter: readers,
				origin: update.origin,
				changesRights: false
			};
			return { kind: 'admitted', draft, bindIds: admission.bindIds };
		}
	}
}

function ownership(client: number, { ownerOf, actor }: ContentUpdate): 'self' | 'other' | 'unbound' {
	// The relay's own ids in every document, of this epoch and all others.
	if (isRelayClient(client)) return 'other';
	const owner = ownerOf(client);
	return owner === null ? 'unbound' : owner === actor.person ? 'self' : 'other';
}
