import fc from 'fast-check';
import { expect, test } from 'vitest';
import { budget } from '../testing/budget.ts';
import { addressText, isWithin, networkText, parseAddress, parseNetwork } from './networks.ts';

test.each([
	['192.0.2.1', ['192.0.2.1', ' 192.0.2.1 ', '::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1', '0000:0000:0000:0000:0000:ffff:c000:0201']],
	['2001:db8::1', ['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::0.0.0.1', '2001:db8::1%eth0']],
	['::', ['::', '0::', '::0', '0:0:0:0:0:0:0:0']],
	['::1', ['::1', '0:0:0:0:0:0:0:1', '::0.0.0.1']],
	['2001:db8:0:1:1:1:1:1', ['2001:db8::1:1:1:1:1']],
	['1::4:0:0:7:8', ['1:0:0:4:0:0:7:8']],
	['fe80::1', ['fe80::1%en0', 'FE80:0::1']]
])('[N1] %s is one address, however it is written', (canonical, spellings) => {
	for (const spelling of spellings) expect(addressText(parseAddress(spelling)!), spelling).toBe(canonical);
});

test.each([
	'', ' ', 'unknown', '_hidden', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.-4', '1.2.3.4:80', '[::1]', ':', ':::', '1::2::3', '12345::', 'g::1', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9',
	'1:2:3:4:5:6:7::8:9', '::1.2.3', '1.2.3.4::', '0x7f.0.0.1', '2130706433', '١٢.٠.٠.١', '::1%', '::1% x', `${'0:'.repeat(200)}1`
])('[N1] %j is no address', (text) => {
	expect(parseAddress(text)).toBeNull();
	expect(parseNetwork(text)).toBeNull();
});

test.each([
	['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.9.8.7'], ['11.0.0.0', '9.255.255.255', '::10.0.0.1', 'a00::']],
	['10.1.2.3/8', ['10.200.0.1'], ['11.0.0.1']],
	['::ffff:10.0.0.0/104', ['10.1.2.3'], ['11.0.0.1', '::1']],
	['192.0.2.7', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
	['0.0.0.0/0', ['1.2.3.4', '255.255.255.255'], ['::1', '2001:db8::1']],
	['::/0', ['::1', '2001:db8::1'], ['1.2.3.4', '::ffff:1.2.3.4']],
	['2001:db8:5::/48', ['2001:db8:5::', '2001:0DB8:0005:ffff::1'], ['2001:db8:6::1', '2001:db8::5']],
	['2001:db8::8/125', ['2001:db8::8', '2001:db8::f'], ['2001:db8::10', '2001:db8::7']]
])('[N2] %s holds what begins with its bits', (range, inside, outside) => {
	const network = parseNetwork(range)!;
	for (const one of inside) expect(isWithin(parseAddress(one)!, network), one).toBe(true);
	for (const one of outside) expect(isWithin(parseAddress(one)!, network), one).toBe(false);
	expect(parseNetwork(networkText(network))).toEqual(network);
});

test.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/8.5', '::/129', '::ffff:10.0.0.0/95', '/8', '10.0.0.0 / 8', '10.0.0.0/255.0.0.0'])('[N2] %j is no range', (text) => {
	expect(parseNetwork(text)).toBeNull();
});

test('[N1][N2] every address survives its own text, and lies in each of its networks', () => {
	const bits = (width: number) => fc.bigInt({ min: 0n, max: (1n << BigInt(width)) - 1n });
	fc.assert(
		fc.property(fc.oneof(bits(32).map((one) => ({ family: 4 as const, bits: one })), bits(128).map((one) => ({ family: 6 as const, bits: one }))), fc.nat(128), (address, prefix) => {
			const text = addressText(address);
			const isMapped = address.family === 6 && address.bits >> 32n === 0xffffn;
			if (!isMapped) expect(parseAddress(text)).toEqual(address);
			const network = parseNetwork(`${text}/${Math.min(prefix, address.family === 4 ? 32 : 128)}`);
			if (network) expect(isWithin(parseAddress(text)!, network)).toBe(true);
		}),
		budget(300)
	);
});
