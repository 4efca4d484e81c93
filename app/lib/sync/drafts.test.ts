// A batch on the company's structure is judged on the device as the gate judges it: each command by what the ones before it would make.
import { expect, test } from 'vitest';
import { IdMaker, type DepartmentId, type PersonId } from '#crdt-model/ids.ts';
import { tariffOf } from '#crdt-model/tariff/tariff.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import { Replica, type Draft } from './engine.ts';
import { FakeRelay, PORTAL, seededBytes, TestClock } from './testing.ts';

test('[G2] people and departments move up and the emptied department goes, as one', async () => {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const ids = new IdMaker(() => clock.now, seededBytes(7));
	const [ana, bob] = [ids.document('employee'), ids.document('employee')] as [PersonId, PersonId];
	const [root, sales, west] = [ids.document('department'), ids.document('department'), ids.document('department')] as [DepartmentId, DepartmentId, DepartmentId];
	relay.does(ana, root, 'department.create', { name: 'Acme', parent: null });
	relay.does(ana, sales, 'department.create', { name: 'Sales', parent: root });
	relay.does(ana, west, 'department.create', { name: 'West', parent: sales });
	relay.does(ana, ana, 'employee.create', { firstName: 'Ana', lastName: 'Pop', email: 'ana@acme.example', administrator: true, departments: [root] });
	relay.does(ana, bob, 'employee.create', { firstName: 'Bob', lastName: 'Ion', email: 'bob@acme.example', departments: [sales] });
	const replica = await Replica.open({ portal: PORTAL, person: ana, store: new MemoryReplicaStore(), transport: relay.transport('ana', ana), now: () => clock.now, timers: clock.timers, random: seededBytes(1) });
	replica.connect();
	const calm = async (): Promise<void> => {
		for (let i = 0; i < 5; i++) {
			await replica.settled();
			await new Promise((resolve) => setImmediate(resolve));
		}
	};
	await calm();

	const remove: Draft = { document: sales, name: 'department.delete', args: {} };
	expect(await replica.may(remove)).toMatchObject({ allow: false, rule: 'company.department-empty' });
	const moveUp: Draft[] = [
		{ document: west, name: 'department.move', args: { value: root } },
		{ document: bob, name: 'employee.leaveDepartment', args: { member: sales } },
		{ document: bob, name: 'employee.joinDepartment', args: { member: root } }
	];
	// Without its last step the department is not empty yet, and nothing of the batch is kept.
	expect((await replica.run([moveUp[0]!, remove])).kind).toBe('refused');
	expect(replica.directory.department(west)).toMatchObject({ parent: sales });

	expect(await replica.run([...moveUp, remove])).toMatchObject({ kind: 'kept' });
	await calm();
	expect(replica.directory.department(sales)).toMatchObject({ deleted: true });
	expect(replica.directory.department(west)).toMatchObject({ parent: root });
	expect(replica.directory.person(bob)).toMatchObject({ departments: [root] });
});

test('[T5] what the tariff leaves out is refused on the device as the gate refuses it, without a network too; growth is for the relay to judge', async () => {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const ids = new IdMaker(() => clock.now, seededBytes(8));
	const ana = ids.document('employee') as PersonId;
	const [root, settings, bob] = [ids.document('department'), ids.document('settings'), ids.document('employee')] as const;
	relay.does(ana, root, 'department.create', { name: 'Acme', parent: null });
	relay.does(ana, settings, 'settings.create', { company: 'Acme' });
	relay.does(ana, ana, 'employee.create', { firstName: 'Ana', lastName: 'Pop', email: 'ana@acme.example', administrator: true, departments: [root] });
	relay.does(ana, bob, 'employee.create', { firstName: 'Bob', lastName: 'Ion', email: 'bob@acme.example', departments: [root] });
	relay.does(ana, bob, 'employee.dismiss', {});
	const replica = await Replica.open({ portal: PORTAL, person: ana, store: new MemoryReplicaStore(), transport: relay.transport('ana', ana), now: () => clock.now, timers: clock.timers, random: seededBytes(2) });
	replica.connect();
	const calm = async (): Promise<void> => {
		for (let i = 0; i < 5; i++) {
			await replica.settled();
			await new Promise((resolve) => setImmediate(resolve));
		}
	};
	await calm();
	const hours: Draft = { document: settings, name: 'settings.setWorkingHours', args: { value: { days: [1], from: '09:00', to: '17:00' } } };
	expect(await replica.may(hours), 'before the relay has said anything nothing is locked').toMatchObject({ allow: true });
	relay.send(ana, { type: 'tariff', ...tariffOf({ plan: 'project' }, { people: 12, storageBytes: 0 }, 0) });
	await calm();
	replica.disconnect();
	expect(await replica.may(hours)).toMatchObject({ allow: false, rule: 'tariff.workingHours', who: ['admins'] });
	expect(await replica.run([hours])).toMatchObject({ kind: 'refused', refusal: { code: 'quota', tariff: { plan: 'project', feature: 'workingHours', ways: ['projectPlus', 'team', 'company'] } } });
	expect(await replica.run([{ document: settings, name: 'settings.setWorkingHours', args: { value: null } }])).toMatchObject({ kind: 'kept' });
	expect(await replica.run([{ document: bob, name: 'employee.rehire', args: {} }]), 'somebody may have left meanwhile').toMatchObject({ kind: 'kept' });
});

test('[E3] what is of a service that is off is refused on the device at once, without a network too, and judged by the batch itself', async () => {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const ids = new IdMaker(() => clock.now, seededBytes(9));
	const ana = ids.document('employee') as PersonId;
	const [root, settings, deal, face] = [ids.document('department'), ids.document('settings'), ids.document('deal'), ids.document('file')] as const;
	relay.does(ana, root, 'department.create', { name: 'Acme', parent: null });
	relay.does(ana, settings, 'settings.create', { company: 'Acme' });
	relay.does(ana, ana, 'employee.create', { firstName: 'Ana', lastName: 'Pop', email: 'ana@acme.example', administrator: true, departments: [root] });
	relay.does(ana, deal, 'deal.create', { title: 'Offer' });
	relay.does(ana, settings, 'settings.setServicesOff', { value: ['crm', 'documents'] });
	const replica = await Replica.open({ portal: PORTAL, person: ana, store: new MemoryReplicaStore(), transport: relay.transport('ana', ana), now: () => clock.now, timers: clock.timers, random: seededBytes(3) });
	replica.connect();
	for (let i = 0; i < 5; i++) {
		await replica.settled();
		await new Promise((resolve) => setImmediate(resolve));
	}
	replica.disconnect();
	const title: Draft = { document: deal, name: 'deal.setTitle', args: { value: 'x' } };
	expect(await replica.may(title)).toMatchObject({ allow: false, rule: 'service.crm', who: ['admins'] });
	expect(await replica.run([title])).toMatchObject({ kind: 'refused', refusal: { code: 'service-off', rule: 'service.crm' } });
	expect(await replica.run([{ document: ids.document('text'), name: 'text.create', args: { title: 'x' } }])).toMatchObject({ kind: 'refused', refusal: { rule: 'service.documents' } });
	// A face is of no service, and is there for the command that follows it.
	const make: Draft = { document: face, name: 'file.create', args: { name: 'me', size: 1, mime: 'image/webp', digest: 'a'.repeat(64), place: 'face' } };
	expect(await replica.run([make, { document: ana, name: 'employee.setPhoto', args: { value: face } }])).toMatchObject({ kind: 'kept' });
	expect(await replica.run([{ document: ana, name: 'employee.setPhoto', args: { value: ids.document('file') } }])).toMatchObject({ kind: 'refused', refusal: { rule: 'company.face-is-there' } });
	expect(await replica.run([{ document: settings, name: 'settings.setServicesOff', args: { value: [] } }, title])).toMatchObject({ kind: 'kept' });
	expect(await replica.run([title])).toMatchObject({ kind: 'kept' });
});
