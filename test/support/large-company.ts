/** A company of any size on a relay of a test: written beside the process, which is stopped for it, because nobody signs a thousand people up by letters. */
import { IdMaker, type DepartmentId, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { withStores } from '#sync-server/operator/without-relay.ts';
import { join } from 'node:path';
import type { SignedIn, TestRelay } from './relay.ts';

const BATCH = 100;
const FIRST = ['Ana', 'Ion', 'Ștefan', 'Maria', 'Andrei', 'Ioana', 'Mihai', 'Țițiana', 'Radu', 'Elena', 'Vlad', 'Irina', 'Călin', 'Alexandra', 'Bogdan', 'Cristina'];
const LAST = ['Popescu', 'Ionescu', 'Munteanu', 'Rusu', 'Ciobanu', 'Dobre', 'Georgescu', 'Stănescu', 'Marin', 'Bălan', 'Lungu', 'Văcărescu-Brâncoveanu'];
const POSITIONS = ['Sales agent', 'Engineer', 'Accountant', 'Support specialist', 'Warehouse manager', 'Designer', 'Lawyer', null];

export interface LargeCompany {
	readonly departments: readonly DepartmentId[];
	readonly people: readonly PersonId[];
}

/** Departments five to a parent, people spread evenly, every department with a head. None of them can sign in. */
export async function writeLargeCompany(relay: TestRelay, admin: SignedIn, size: { readonly departments: number; readonly people: number }): Promise<LargeCompany> {
	await relay.stop();
	const ids = new IdMaker();
	const departments = Array.from({ length: size.departments }, () => ids.document('department'));
	const people = Array.from({ length: size.people }, () => ids.document('employee'));
	await withStores({ dataDir: relay.dataDir, storageDir: join(relay.dataDir, 'portals') }, async ({ portals, accounts }) => {
		await accounts.subscriptions.set(admin.portal, { plan: 'company' });
		const portal = (await portals.portal(admin.portal))!;
		const root = [...portal.directory.departments].find(({ parent }) => parent === null)!.id as DepartmentId;
		const command = (document: DocumentId, name: string, args: unknown): Command => ({ id: ids.command(), document, name, args, at: Date.now(), seen: {} });
		const make = async (commands: readonly Command[]): Promise<void> => {
			for (let from = 0; from < commands.length; from += BATCH) {
				const result = await portal.submitAsRelay({ commands: commands.slice(from, from + BATCH) });
				if (result.kind === 'refused') throw new Error(`large company: ${result.refusal.code} ${result.refusal.detail}`);
			}
		};
		await make(departments.map((id, n) => command(id, 'department.create', { name: `Department ${n + 1}`, parent: n < 5 ? root : departments[Math.floor(n / 5) - 1] })));
		await make(
			people.map((id, n) =>
				command(id, 'employee.create', {
					firstName: FIRST[n % FIRST.length],
					lastName: `${LAST[Math.floor(n / FIRST.length) % LAST.length]}${n < FIRST.length * LAST.length ? '' : ` ${n}`}`,
					email: `p${n}@large.example`,
					position: POSITIONS[n % POSITIONS.length],
					departments: [departments[n % departments.length]]
				})
			)
		);
		await make(departments.slice(0, people.length).map((id, n) => command(id, 'department.setHead', { value: people[n] })));
	});
	await relay.start();
	return { departments, people };
}
