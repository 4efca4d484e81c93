import { expect, test } from 'vitest';
import { isSent, readAddresses, type Known } from './addresses.ts';

const known: Known = { people: new Map([['ana@acme.ro', 'member'], ['old@acme.ro', 'left']] as const), invited: new Set(['ben@acme.ro']) };
const said = (text: string): string[] => readAddresses(text, known).map(({ typed, email, verdict }) => `${email || typed} ${verdict}`);

test('newlines, commas, semicolons, tabs and blanks part addresses', () => {
	expect(said('a@x.ro\nb@x.ro, c@x.ro;d@x.ro\te@x.ro f@x.ro\r\n\r\n')).toEqual(['a@x.ro fine', 'b@x.ro fine', 'c@x.ro fine', 'd@x.ro fine', 'e@x.ro fine', 'f@x.ro fine']);
});

test('what mail programs copy: names around addresses, commas in quoted names', () => {
	expect(said('Ion Pop <Ion.Pop@X.ro>, "Pop, Ana" <ana.pop@x.ro>; <c@x.ro>')).toEqual(['ion.pop@x.ro fine', 'ana.pop@x.ro fine', 'c@x.ro fine']);
	expect(said('Ion <a@x.ro> Ana <b@x.ro>')).toEqual(['a@x.ro fine', 'b@x.ro fine']);
	expect(said('mailto:a@x.ro')).toEqual(['a@x.ro fine']);
	expect(said('"never closed <a@x.ro>\nb@x.ro, c@x.ro')).toEqual(['a@x.ro fine', 'b@x.ro fine', 'c@x.ro fine']);
});

test('each verdict, and nothing that was typed disappears', () => {
	expect(said('ana@acme.ro, OLD@acme.ro, ben@acme.ro, new@x.ro, NEW@x.ro, Ion Pop, ion@, @x.ro, a@b, ion @x.ro')).toEqual([
		'ana@acme.ro member', 'old@acme.ro left', 'ben@acme.ro invited', 'new@x.ro fine', 'new@x.ro repeated', 'Ion Pop nonsense', 'ion@ nonsense', '@x.ro nonsense', 'a@b nonsense', 'ion nonsense', '@x.ro nonsense'
	]);
	expect(said(`${'a'.repeat(250)}@x.ro`)[0]).toMatch(/nonsense$/);
	expect(readAddresses('ana@acme.ro, ben@acme.ro, new@x.ro, zzz', known).filter(isSent).map(({ email }) => email)).toEqual(['ben@acme.ro', 'new@x.ro']);
	expect(said('')).toEqual([]);
});
