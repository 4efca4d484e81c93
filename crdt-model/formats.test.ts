import { expect, test } from 'vitest';
import { DATE_FORMATS, figuresOf, readClock, readDay, writeDay, writeMoment, writeTime, type DateFormat, type Formats } from './formats.ts';

const formats = (locale: string, dates: DateFormat = 'auto', times: Formats['times'] = 'auto'): Formats => ({ locale, dates, times, timeZone: 'Europe/Bucharest' });
/** 14:05 in Bucharest, summer time. */
const AT = Date.UTC(2031, 4, 20, 11, 5);
const TODAY = '2031-02-10';
/** Intl puts unbreakable spaces between figures and AM. */
const spaced = (text: string): string => text.replace(/\s/gu, ' ');

test('[F1] a day is written in the chosen order, in the words of the language', () => {
	const looks = ['numeric', 'short', 'medium', 'full'] as const;
	const all = (locale: string, dates: DateFormat): string[] => looks.map((look) => writeDay(formats(locale, dates), '2031-05-20', look));
	expect(all('en', 'auto')).toEqual(['05/20/2031', 'May 20', 'May 20, 2031', 'Tuesday, May 20, 2031']);
	expect(all('en', 'dmy')).toEqual(['20/05/2031', '20 May', '20 May 2031', 'Tuesday, 20 May 2031']);
	expect(all('en-GB', 'mdy')).toEqual(['05/20/2031', 'May 20', 'May 20, 2031', 'Tuesday, May 20, 2031']);
	expect(all('en', 'ymd')).toEqual(['2031-05-20', 'May 20', '2031-05-20', 'Tuesday, 2031-05-20']);
	expect(all('ro', 'auto')).toEqual(['20.05.2031', '20 mai', '20 mai 2031', 'marți, 20 mai 2031']);
	expect(all('ro', 'dmy')).toEqual(all('ro', 'auto'));
	expect(all('ro', 'mdy')).toEqual(['05.20.2031', 'mai 20', 'mai 20, 2031', 'marți, mai 20, 2031']);
	expect(writeDay(formats('en'), 'one day')).toBe('one day');
});

test('[F1] a moment is told in the reader\'s zone, by the chosen clock', () => {
	expect(spaced(writeMoment(formats('en'), AT))).toBe('May 20, 2031, 2:05 PM');
	expect(writeMoment(formats('en', 'dmy', 'h24'), AT)).toBe('20 May 2031, 14:05');
	expect(spaced(writeMoment(formats('ro', 'ymd', 'h12'), AT))).toBe('2031-05-20, 2:05 p.m.');
	expect(writeTime(formats('ro'), AT)).toBe('14:05');
	const midnight = Date.UTC(2031, 4, 20, 21, 5);
	expect(writeMoment(formats('en', 'ymd', 'h24'), midnight)).toBe('2031-05-21, 00:05');
	expect(writeMoment({ ...formats('en', 'ymd', 'h24'), timeZone: 'UTC' }, midnight)).toBe('2031-05-20, 21:05');
});

test('[F2] what is written in figures is read back, under every order and language', () => {
	for (const locale of ['en', 'en-GB', 'ro']) {
		for (const dates of DATE_FORMATS) {
			for (const day of ['2031-05-20', '1999-12-01', '2028-02-29', '2031-01-02']) {
				const asked = formats(locale, dates);
				for (const look of ['numeric', 'medium', 'long', 'full'] as const) expect(readDay(asked, writeDay(asked, day, look), TODAY), `${locale} ${dates} ${look}`).toBe(day);
			}
		}
	}
});

test('[F2] a day is read in the order in use; the calendar\'s own writing is read under every order', () => {
	expect(readDay(formats('en', 'dmy'), '5/6/2031', TODAY)).toBe('2031-06-05');
	expect(readDay(formats('en', 'mdy'), '5/6/2031', TODAY)).toBe('2031-05-06');
	for (const dates of DATE_FORMATS) {
		expect(readDay(formats('ro', dates), '2031-05-20', TODAY)).toBe('2031-05-20');
		expect(readDay(formats('ro', dates), ' 2031-5-2 ', TODAY)).toBe('2031-05-02');
	}
	expect(readDay(formats('ro'), '20.5.31', TODAY)).toBe('2031-05-20');
	expect(readDay(formats('ro'), '20.5', TODAY)).toBe('2031-05-20');
	expect(readDay(formats('ro'), '20052031', TODAY)).toBe('2031-05-20');
	expect(readDay(formats('ro'), '20 sept', TODAY)).toBe('2031-09-20');
	expect(readDay(formats('ro'), 'vineri, 1 August 2031', TODAY)).toBe('2031-08-01');
	expect(readDay(formats('ro'), '', TODAY)).toBe(null);
	expect(figuresOf(formats('ro'))).toEqual({ order: 'dmy', separator: '.' });
	expect(figuresOf(formats('en', 'ymd'))).toEqual({ order: 'ymd', separator: '-' });
});

test('[F2] what is no day is none', () => {
	for (const text of ['31.02.2031', '2031-02-30', '2031-13-01', '0031-05-20', 'soon', '20', '1.2.3.4', '20 foo 2031', '20.5.203', '20/05/20311', '2031-05-20; drop'])
		expect(readDay(formats('ro'), text, TODAY), text).toBe(undefined);
});

test('[F2] a time of the day is read as it is written', () => {
	for (const [typed, meant] of [['9', '09:00'], ['9:30', '09:30'], ['0930', '09:30'], ['930', '09:30'], ['18.05', '18:05'], ['9 pm', '21:00'], ['12:15 AM', '00:15'], ['12 p.m.', '12:00'], ['23:59', '23:59']] as const)
		expect(readClock(typed), typed).toBe(meant);
	for (const typed of ['', '24:00', '9:60', '13 pm', 'noon', '9:3', '1:2:3']) expect(readClock(typed), typed).toBe(undefined);
	for (const times of ['auto', 'h24', 'h12'] as const) {
		for (const locale of ['en', 'ro']) expect(readClock(writeTime({ ...formats(locale, 'auto', times), timeZone: 'UTC' }, Date.UTC(2031, 0, 1, 17, 5))), `${locale} ${times}`).toBe('17:05');
	}
});
