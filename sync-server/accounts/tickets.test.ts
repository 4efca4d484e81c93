import { randomFillSync } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { Tickets, TICKETS_PER_HOLDER, TICKETS_PER_PURPOSE, ticketPurpose } from './tickets.ts';

const SIGN_IN = ticketPurpose<{ identity: string }>('sign-in');
const PASSKEY = ticketPurpose<{ challenge: string }>('passkey');

let now = 0;
let tickets: Tickets;
beforeEach(() => {
	now = 1_000;
	tickets = new Tickets({ now: () => now, random: (target) => randomFillSync(target) });
});

test('a ticket says what it was issued with, as often as it is looked at, and is taken once', () => {
	const ticket = tickets.issue(SIGN_IN, { identity: 'ann' }, 60_000);
	expect(ticket).toMatch(/^[A-Za-z0-9_-]{43}$/);
	expect([tickets.peek(SIGN_IN, ticket), tickets.peek(SIGN_IN, ticket)]).toEqual([{ identity: 'ann' }, { identity: 'ann' }]);
	expect([tickets.take(SIGN_IN, ticket), tickets.take(SIGN_IN, ticket), tickets.peek(SIGN_IN, ticket)]).toEqual([{ identity: 'ann' }, null, null]);
});

test('it lapses', () => {
	const ticket = tickets.issue(SIGN_IN, { identity: 'ann' }, 60_000);
	now += 59_999;
	expect(tickets.peek(SIGN_IN, ticket)).not.toBeNull();
	now += 1;
	expect([tickets.peek(SIGN_IN, ticket), tickets.take(SIGN_IN, ticket)]).toEqual([null, null]);
});

test('it is good for its own purpose alone, and trying it elsewhere spends nothing', () => {
	const ticket = tickets.issue(SIGN_IN, { identity: 'ann' }, 60_000);
	expect([tickets.peek(PASSKEY, ticket), tickets.take(PASSKEY, ticket)]).toEqual([null, null]);
	expect(tickets.take(SIGN_IN, ticket)).not.toBeNull();
});

test('what was never issued is unknown', () => {
	tickets.issue(SIGN_IN, { identity: 'ann' }, 60_000);
	for (const garbage of [undefined, null, 7, '', 'x', 'A'.repeat(43), '__proto__', {}, 'x'.repeat(1 << 20)]) expect(tickets.take(SIGN_IN, garbage)).toBeNull();
});

test('one purpose has its ceiling: the oldest give way, and those of another purpose stay', () => {
	const first = tickets.issue(SIGN_IN, { identity: 'first' }, 60_000);
	const second = tickets.issue(SIGN_IN, { identity: 'second' }, 60_000);
	for (let made = 0; made <= TICKETS_PER_PURPOSE; made++) tickets.issue(PASSKEY, { challenge: String(made) }, 60_000);
	expect(tickets.peek(SIGN_IN, first)).not.toBeNull();
	for (let made = 0; made < TICKETS_PER_PURPOSE - 1; made++) tickets.issue(SIGN_IN, { identity: String(made) }, 60_000);
	expect([tickets.peek(SIGN_IN, first), tickets.peek(SIGN_IN, second)]).toEqual([null, { identity: 'second' }]);
});

test('who asks for very many pushes out their own, and nobody else’s', () => {
	const other = tickets.issue(SIGN_IN, { identity: 'other' }, 60_000, 'other');
	const first = tickets.issue(SIGN_IN, { identity: 'flood' }, 60_000, 'flood');
	for (let made = 0; made < TICKETS_PER_PURPOSE; made++) tickets.issue(SIGN_IN, { identity: 'flood' }, 60_000, 'flood');
	expect([tickets.peek(SIGN_IN, first), tickets.peek(SIGN_IN, other)]).toEqual([null, { identity: 'other' }]);
	const last = tickets.issue(SIGN_IN, { identity: 'flood' }, 60_000, 'flood');
	for (let made = 1; made < TICKETS_PER_HOLDER; made++) tickets.issue(SIGN_IN, { identity: 'flood' }, 60_000, 'flood');
	expect(tickets.peek(SIGN_IN, last), 'so many at once are theirs').not.toBeNull();
});

test('lapsed ones make room before any that is good gives way', () => {
	for (let made = 0; made < TICKETS_PER_PURPOSE - 1; made++) tickets.issue(SIGN_IN, { identity: String(made) }, made === 0 ? 90_000 : 1_000);
	const good = tickets.issue(SIGN_IN, { identity: 'good' }, 60_000);
	now += 2_000;
	tickets.issue(SIGN_IN, { identity: 'new' }, 60_000);
	expect(tickets.peek(SIGN_IN, good)).toEqual({ identity: 'good' });
});

test('all that speak of one person can be ended at once', () => {
	const [ann, bob] = [tickets.issue(SIGN_IN, { identity: 'ann' }, 60_000), tickets.issue(SIGN_IN, { identity: 'bob' }, 60_000)];
	tickets.drop(SIGN_IN, ({ identity }) => identity === 'ann');
	expect([tickets.peek(SIGN_IN, ann), tickets.peek(SIGN_IN, bob)]).toEqual([null, { identity: 'bob' }]);
});
