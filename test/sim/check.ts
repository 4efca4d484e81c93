/** Brings a simulated company to rest and checks what must hold there: P2, P3, P5, P6, P8 and P9. What may not happen on the way is watched in world.ts and watch.ts. */
import * as Y from 'yjs';
import type { CommandId, DocumentId, KindName } from '#crdt-model/ids.ts';
import { KINDS } from '#crdt-model/ids.ts';
import type { AsideItem } from '#storage/replica-contract.ts';
import { usageOfAll } from '#crdt-model/tariff/usage.ts';
import { docOf as docOfStored } from '#sync-server/room/rooms.ts';
import { letEverybodyIn } from './act-company.ts';
import { tick } from './clock.ts';
import type { Device } from './device.ts';
import type { World } from './world.ts';

/** Rounds of delivering everything; each lets backoffs run out, so a hundred are hours of the company's time. */
const MAX_ROUNDS = 400;

/** Everyone online, every frame delivered, every commit on disk, nothing pending. */
export async function bringToRest(world: World): Promise<void> {
	world.isDiskFree = true;
	world.store.failNext(0);
	for (const device of world.devices) device.isOnline = true;
	for (let round = 0; round < MAX_ROUNDS; round++) {
		if (world.needsPortal) await world.openPortal();
		while (world.heldCommits > 0) world.releaseCommit();
		world.accept();
		await tick();
		let moved = false;
		for (const { line } of world.devices) {
			while (line && (line.deliverUp(false) || line.deliverDown(false))) moved = true;
		}
		await tick();
		if (moved) continue;
		if (await isAtRest(world)) return;
		world.portal.heartbeat();
		world.clock.toNextTimer();
		for (const device of world.devices) device.replica.wake();
		await tick();
	}
	const where = await Promise.all(
		world.devices.map(async ({ name, replica, line }) => `${name}: ${JSON.stringify(replica.status())} ${line?.state} ${line?.waiting} ${JSON.stringify((await replica.pending()).map((p) => [p.kind, p.id, p.state, p.tried]))}`)
	);
	throw new Error(`not at rest after ${MAX_ROUNDS} rounds:\n${where.join('\n')}`);
}

async function isAtRest(world: World): Promise<boolean> {
	for (const device of world.devices) {
		const { replica, line } = device;
		const { link, pending, problem } = replica.status();
		if (problem === 'dismissed') {
			if (!world.oracle.isActive(device.person)) continue;
			// They are of the company again, and sign in.
			await device.crash();
			return false;
		}
		if (problem === 'not-from-here') {
			await letEverybodyIn(world);
			return false;
		}
		if (link !== 'admitted' || pending > 0 || line?.waiting !== 0) return false;
		const { cursor } = await replica.store.read((reads) => reads.meta());
		if (cursor?.seq !== world.portal.log.durable) return false;
	}
	return true;
}

export async function expectAtRest(world: World): Promise<void> {
	if (world.broken.length > 0) throw new Error(world.broken.join('\n'));
	const heads = await world.portal.store.headsOfKinds(KINDS as unknown as KindName[]);
	const asides = new Map<string, AsideItem[]>();
	const waiting = new Set<CommandId>();
	const turnedAway: Device[] = [];
	for (const device of world.devices) {
		const { name, person, replica } = device;
		if (!world.oracle.isActive(person)) {
			if (replica.status().problem !== 'dismissed') throw new Error(`[P5] ${name} was dismissed and is not turned away: ${JSON.stringify(replica.status())}`);
			world.tally.turnedAway++;
			turnedAway.push(device);
			// What they had not sent yet stays theirs until the last contact.
			for (const item of await replica.pending()) if (item.kind === 'batch') for (const { id } of item.batch.commands) waiting.add(id);
			asides.set(person, [...(asides.get(person) ?? []), ...(await replica.aside())]);
			continue;
		}
		if (replica.status().word !== 'up-to-date') throw new Error(`[P9] ${name} says ${replica.status().word} at rest`);
		// P5 and P6: exactly what the person may read, and that as the relay has it.
		const held = new Map(await replica.store.read((reads) => reads.inventory()));
		const readable = world.oracle.readable(person);
		for (const id of held.keys()) if (!readable.has(id)) throw new Error(`[P5] ${name} still holds ${id}`);
		for (const { id, docSeq, row } of heads) {
			if (!readable.has(id)) continue;
			if (held.get(id) !== docSeq) throw new Error(`[P6] ${name} holds ${id} at ${held.get(id)}, the relay at ${docSeq}`);
			const { sync, aside: _aside, ...mine } = (await replica.row(id)) ?? ({} as never);
			// Deleted records may leave the lists.
			if (row.deleted) continue;
			if (sync !== 'accepted') throw new Error(`[P9] ${name} shows ${id} as ${sync} at rest`);
			if (stable(mine) !== stable(row)) throw new Error(`[P6] ${name} shows ${stable(mine)}, the relay ${stable(row)}`);
		}
		for (const { id } of heads.filter(({ kind }) => kind === 'text' || kind === 'page')) {
			if (!readable.has(id)) continue;
			const [mine, theirs] = [await textOnDevice(world, device, id), await textAtRelay(world, id)];
			if (mine !== theirs) throw new Error(`[P6] ${name} reads ${mine} in ${id}, the relay ${theirs}`);
		}
		asides.set(person, [...(asides.get(person) ?? []), ...(await replica.aside())]);
	}

	// P8: the counters are what a recount gives.
	const used = usageOfAll(heads.map(({ row }) => row));
	const counted = world.portal.tariff;
	if (counted.people.used !== used.people || counted.storageBytes.used !== used.storageBytes) throw new Error(`[P8] counted ${JSON.stringify(counted)}, there are ${JSON.stringify(used)}`);

	// P2 after a restore: what some device that came back holds is back, unless it builds on something that none of them holds.
	const { commands: gone, documents: torn } = beyondRecall(world, turnedAway);

	// P3: what a person did happened, or lies in their Set aside.
	for (const [command, person] of world.kept) {
		if (world.happened.has(command) || waiting.has(command) || gone.has(command)) continue;
		if (!asides.get(person)!.some((item) => item.kind === 'command' && item.command.id === command)) {
			const harmless = world.story.findLast((line) => line.includes(command));
			throw new Error(`[P3] ${command} of ${person} is nowhere ${harmless ?? ''}`);
		}
	}
	const texts = new Map<DocumentId, string>();
	for (const [word, { person, document }] of world.words) {
		if (world.deletedWords.has(word) || torn.has(document)) continue;
		if (!texts.has(document)) texts.set(document, heads.some(({ id }) => id === document) ? await textAtRelay(world, document) : '');
		if (texts.get(document)!.includes(word)) continue;
		const isAside = asides.get(person)!.some((item) => (item.kind === 'page' || item.kind === 'swallowed') && item.text.includes(word));
		if (isAside) continue;
		const onDevice = await Promise.all(turnedAway.filter((device) => device.person === person).map((device) => textOnDevice(world, device, document)));
		if (!onDevice.some((own) => own.includes(word))) throw new Error(`[P3] the word ${word} of ${person} is nowhere`);
	}
}

/** What restores took and nobody could bring back: no device that returned holds it, or holds what it builds on. */
function beyondRecall(world: World, turnedAway: readonly Device[]): { commands: Set<CommandId>; documents: Set<DocumentId> } {
	const commands = new Set<CommandId>();
	const documents = new Set<DocumentId>();
	const broken = new Set<DocumentId>();
	for (const { document, command, heldBy } of world.lost) {
		if ([...heldBy].some((device) => !turnedAway.includes(device)) && !broken.has(document)) continue;
		broken.add(document);
		if (command) commands.add(command);
		else documents.add(document);
	}
	return { commands, documents };
}

async function textAtRelay(world: World, id: DocumentId): Promise<string> {
	const [stored] = await world.portal.store.load([id]);
	const doc = docOfStored(stored!);
	const text = contentOf(id, doc);
	doc.destroy();
	return text;
}

async function textOnDevice(_world: World, device: World['devices'][number], id: DocumentId): Promise<string> {
	const page = await device.replica.openPage(id, 'check');
	const text = contentOf(id, page.doc);
	await page.release();
	return text;
}

function contentOf(id: DocumentId, doc: Y.Doc): string {
	return id.startsWith('text_') ? doc.getText('text').toString() : (doc.get('root', Y.XmlText) as Y.XmlText).toString();
}

/** Sets of a row come in the order of their writing, which devices need not share. */
function stable(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) => {
		if (Array.isArray(inner)) return [...inner].sort();
		if (typeof inner !== 'object' || inner === null) return inner;
		return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
	});
}
