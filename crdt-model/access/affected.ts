/**
 * Whose principals a change of the directory may have changed. Too many are allowed, too few never (a property test compares with reckoning
 * everybody), so each rule here takes whoever stands in the way of the change, before and after it.
 */
import type { DepartmentId, PersonId } from '../ids.ts';
import type { Directory } from './directory.ts';
import { leadersOf } from './directory-rows.ts';
import { addresseeOf, type Recipient } from './recipients.ts';

export type AffectedPeople = ReadonlySet<PersonId> | 'all';

/** Changes that are remembered. Sessions are decided again at every commit, so that a few would do; beyond, everybody is reckoned. */
const MAX_REMEMBERED = 1_000;

export class Affected {
	readonly #directory: Directory;
	/** The changes up to the present version, the newest last. */
	#changes: AffectedPeople[] = [];
	#version = 0;

	constructor(directory: Directory) {
		this.#directory = directory;
	}

	get version(): number {
		return this.#version;
	}

	record(people: AffectedPeople): void {
		this.#version++;
		this.#changes.push(people);
		if (this.#changes.length > 2 * MAX_REMEMBERED) this.#changes = this.#changes.slice(-MAX_REMEMBERED);
	}

	since(version: number): AffectedPeople {
		const count = this.#version - version;
		if (count > this.#changes.length) return 'all';
		if (count === 1) return this.#changes.at(-1)!;
		const people = new Set<PersonId>();
		for (let i = this.#changes.length - count; i < this.#changes.length; i++) {
			const some = this.#changes[i]!;
			if (some === 'all') return 'all';
			for (const id of some) people.add(id);
		}
		return people;
	}

	/** A person changed, or came into or left these departments: they themself, and whoever sees these departments from above. */
	ofPerson(id: PersonId, departments: readonly DepartmentId[]): Set<PersonId> {
		const people = new Set<PersonId>([id]);
		for (const one of departments) this.#above(one, people);
		return people;
	}

	/** A department moved, came or went: everyone in it and below, and whoever sees it from above. Asked before the change and after it. */
	ofSubtree(id: DepartmentId): Set<PersonId> {
		const people = new Set(this.#directory.subtree(id));
		this.#above(id, people);
		return people;
	}

	/** Everyone to whom one of these recipients may refer. */
	ofRecipients(recipients: readonly Recipient[]): AffectedPeople {
		const people = new Set<PersonId>();
		for (const recipient of recipients) {
			const addressee = addresseeOf(recipient)!;
			switch (addressee.kind) {
				case 'all':
					return 'all';
				case 'user':
					people.add(addressee.id);
					break;
				case 'department':
					for (const id of this.#directory.membersOf(addressee.id)) people.add(id);
					break;
				case 'departments':
					for (const id of this.#directory.subtree(addressee.id)) people.add(id);
					break;
				case 'group': {
					const group = this.#directory.group(addressee.id);
					for (const id of group ? [group.owner, ...group.moderators, ...group.members] : []) people.add(id);
					break;
				}
				default:
					addressee satisfies never;
			}
		}
		return people;
	}

	/** Heads and deputies from a department upwards; where roles reach over departments, their members too. */
	#above(id: DepartmentId, into: Set<PersonId>): void {
		const directory = this.#directory;
		for (const one of directory.chainOf(id)) {
			for (const leader of leadersOf(directory.department(one))) into.add(leader);
			if (directory.hasRoles) for (const member of directory.membersOf(one)) into.add(member);
		}
	}
}
