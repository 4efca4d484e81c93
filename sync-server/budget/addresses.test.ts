import { expect, test } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { Addresses } from './addresses.ts';
import { CONNECTIONS_PER_ADDRESS, UNKNOWN_BURST, UNKNOWN_PER_SECOND } from './limits.ts';

const from = (ip: string, isLocal = false) => ({ ip, isLocal });

test('[B4] nobody may come from one network so often, then so much a second; this machine always', () => {
	const clock = new FakeClock();
	const addresses = new Addresses(clock.now);
	const bad = from('203.0.113.9');
	for (let i = 0; i < UNKNOWN_BURST; i++) {
		expect(addresses.retryAfterSeconds(bad)).toBe(0);
		addresses.wasNobody(bad);
		addresses.wasNobody(from('127.0.0.1', true));
	}
	addresses.wasNobody(bad);
	expect([bad, from('203.0.113.10'), from('127.0.0.1', true)].map((one) => addresses.retryAfterSeconds(one))).toEqual([1, 0, 0]);
	clock.pass(1_000 / UNKNOWN_PER_SECOND);
	expect(addresses.retryAfterSeconds(bad)).toBe(0);
});

test('[B4] connections of one network; who leaves makes room', () => {
	const addresses = new Addresses(() => 0);
	// All addresses of one /64 are one network.
	const all = Array.from({ length: CONNECTIONS_PER_ADDRESS }, (_, i) => addresses.open(from(`2001:db8::${(i % 999) + 1}`)));
	expect(all.every((left) => left !== null)).toBe(true);
	expect([addresses.open(from('2001:db8::1')), addresses.open(from('2001:db8:0:1::1'))].map((left) => left !== null)).toEqual([false, true]);
	all[0]!();
	expect(addresses.open(from('2001:db8::1'))).not.toBeNull();
});
