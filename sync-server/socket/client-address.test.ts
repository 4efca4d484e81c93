import { expect, test } from 'vitest';
import { parseNetwork } from '#crdt-model/access/networks.ts';
import { clientOf, forwardingOf } from './client-address.ts';

const headers = (...pairs: [string, string][]) => forwardingOf({ forEach: (each) => pairs.forEach(([name, value]) => each(name, value)) });
const through = (...chain: string[]) => headers(...chain.map((one): [string, string] => ['x-forwarded-for', one]));
const trusting = (...ranges: string[]) => ranges.map((range) => parseNetwork(range)!);
const NOBODY = trusting();
const PROXIES = trusting('10.0.0.0/24', '2001:db8:f::/48');

test('without a proxy it is the connection itself', () => {
	expect(clientOf('203.0.113.9', headers(), NOBODY)).toEqual({ ip: '203.0.113.9', isLocal: false });
	expect(clientOf('127.0.0.1', headers(), NOBODY)).toEqual({ ip: '127.0.0.1', isLocal: true });
	expect(clientOf('0000:0000:0000:0000:0000:0000:0000:0001', headers(), NOBODY)).toEqual({ ip: '::1', isLocal: true });
	expect(clientOf('0000:0000:0000:0000:0000:ffff:7f00:0001', headers(), NOBODY)).toEqual({ ip: '127.0.0.1', isLocal: true });
	expect(clientOf('2001:0db8:0000:0000:0000:0000:0000:0001', headers(), NOBODY)).toEqual({ ip: '2001:db8::1', isLocal: false });
	expect(clientOf('', headers(), NOBODY)).toEqual({ ip: null, isLocal: false });
});

test('what a stranger says of themself is not believed', () => {
	for (const spoof of ['127.0.0.1', '10.0.0.7', '::1', '198.51.100.1', 'garbage', ''])
		expect(clientOf('203.0.113.9', through(spoof), PROXIES), spoof).toEqual({ ip: '203.0.113.9', isLocal: false });
});

test('a proxy on this machine is believed, and only what it appended', () => {
	expect(clientOf('127.0.0.1', through('198.51.100.1'), NOBODY).ip).toBe('198.51.100.1');
	expect(clientOf('127.0.0.1', through('6.6.6.6, 198.51.100.1'), NOBODY).ip).toBe('198.51.100.1');
	expect(clientOf('::1', through('127.0.0.1, ::1, 198.51.100.1'), NOBODY).ip).toBe('198.51.100.1');
	// Another proxy stands before it, which nobody trusts: that one is the client as far as anybody knows.
	expect(clientOf('127.0.0.1', through('198.51.100.1, 10.0.0.7'), NOBODY).ip).toBe('10.0.0.7');
});

test('trusted proxies are gone through from the right, up to the first address that is none of them', () => {
	expect(clientOf('10.0.0.7', through('198.51.100.1'), PROXIES).ip).toBe('198.51.100.1');
	expect(clientOf('10.0.0.7', through('6.6.6.6, 198.51.100.1, 10.0.0.8'), PROXIES).ip).toBe('198.51.100.1');
	expect(clientOf('2001:db8:f::1', through('6.6.6.6,198.51.100.1,2001:db8:f:9::2,10.0.0.8'), PROXIES).ip).toBe('198.51.100.1');
	expect(clientOf('::ffff:10.0.0.7', through('198.51.100.1'), PROXIES).ip).toBe('198.51.100.1');
	// One outside the range is a stranger, whatever it says.
	expect(clientOf('10.0.1.7', through('198.51.100.1'), PROXIES).ip).toBe('10.0.1.7');
	// A caller on the proxies' own network: the one farthest away.
	expect(clientOf('10.0.0.7', through('10.0.0.99, 10.0.0.8'), PROXIES).ip).toBe('10.0.0.99');
	expect(clientOf('10.0.0.7', headers(), PROXIES)).toEqual({ ip: '10.0.0.7', isLocal: false });
});

test('several headers are one list in their order', () => {
	expect(clientOf('10.0.0.7', through('6.6.6.6', '198.51.100.1', '10.0.0.8'), PROXIES).ip).toBe('198.51.100.1');
	expect(clientOf('10.0.0.7', through('198.51.100.1, 10.0.0.9', '', ' ,10.0.0.8,'), PROXIES).ip).toBe('198.51.100.1');
});

test.each([
	['198.51.100.1:50312', '198.51.100.1'],
	['[2001:db8::1]:443', '2001:db8::1'],
	['[2001:DB8:0::1]', '2001:db8::1'],
	['2001:db8::1', '2001:db8::1'],
	['::ffff:198.51.100.1', '198.51.100.1'],
	['[::ffff:198.51.100.1]:80', '198.51.100.1'],
	['fe80::1%eth0', 'fe80::1']
])('a proxy writes %s', (written, ip) => {
	expect(clientOf('10.0.0.7', through(`6.6.6.6, ${written}`), PROXIES).ip).toBe(ip);
});

test.each(['unknown', '_hidden', '"198.51.100.1"', '198.51.100.1:port', '[2001:db8::1', '999.1.1.1', 'for=198.51.100.1', '١.١.١.١', 'x'.repeat(300)])('%s is nobody’s address, and nothing to the left of it is believed', (garbage) => {
	expect(clientOf('10.0.0.7', through(`10.0.0.9, 198.51.100.1, ${garbage}`), PROXIES)).toEqual({ ip: null, isLocal: false });
});

test('what came through any proxy is not local, also where it says so', () => {
	for (const name of ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'forwarded', 'via'])
		for (const value of ['127.0.0.1', '::1', '', 'localhost']) expect(clientOf('127.0.0.1', headers([name, value]), NOBODY).isLocal, `${name}: ${value}`).toBe(false);
	expect(clientOf('127.0.0.1', through('127.0.0.1'), NOBODY)).toEqual({ ip: '127.0.0.1', isLocal: false });
});
