/** A hand-made client (P4): somebody of the company, or who was, with a program of their own that keeps to no rule book. What it sends is judged when the log takes it (watch.ts). */
import { KINDS, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import * as Y from 'yjs';
import { hostileArgs, valueOf, type Source } from '../fuzz/values.ts';
import type { Device } from './device.ts';
import type { World } from './world.ts';

export async function forge(world: World, _device: Device): Promise<void> {
	const { random, ids, portal } = world;
	if (world.needsPortal) return;
	const person = random.pick(world.rowsOf('employee')).id as PersonId;
	const everything = [...world.oracle.records.keys()];
	const idOf = (kind: (typeof KINDS)[number]): DocumentId => {
		const known = everything.filter((id) => id.startsWith(`${kind}_`));
		return known.length > 0 && random.chance(0.9) ? random.pick(known) : ids.document(kind);
	};
	const source: Source = { random, idOf, item: () => ids.item(), principal: () => random.pick(['all', `user:${person}`, `department:${idOf('department')}`]) };
	world.tally.forged++;
	if (random.chance(0.25)) {
		const kind = random.pick(['text', 'page'] as const);
		const doc = new Y.Doc();
		if (kind === 'text') doc.getText('text').insert(0, '<forged>');
		else (doc.get('root', Y.XmlText) as Y.XmlText).insert(0, '<forged>');
		void portal.admitUpdate(person, idOf(kind), Y.encodeStateAsUpdate(doc), null).catch(() => {});
		return;
	}
	const kind = random.pick(KINDS);
	const document = idOf(kind);
	const verbs = Object.keys(kindNamed(kind).commands).filter((verb) => (kindNamed(kind).commands[verb]!.needs === 'new') !== everything.includes(document));
	if (verbs.length === 0) return;
	const verb = random.pick(verbs);
	const fitting = valueOf(kindNamed(kind).commands[verb]!.args, source);
	const args = random.chance(0.1) ? hostileArgs(fitting, source) : fitting;
	const command = { id: ids.command(), document, name: `${kind}.${verb}`, args, at: world.clock.now(), seen: {} };
	world.note(`somebody with a program of their own, as ${person.slice(-4)}: ${command.name} ${document.slice(-4)}`);
	// Nobody waits for the answer: a commit may be held for long.
	void portal.submit(person, { id: ids.batch(), commands: [command] }).then(({ kind: told }) => void (world.tally.forgedRefused += told === 'refused' ? 1 : 0), () => {});
}
