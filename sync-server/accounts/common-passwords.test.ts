import { expect, test } from 'vitest';
import { isCommon } from './common-passwords.ts';
import type { Email } from './email.ts';
import { parsePassword } from './password.ts';

test.each(['password', 'Password1!', 'P4$$w0rd', 'parola123', '12345678', '87654321', '11111111', 'abababab', 'qwertyuiop', 'Summer2026!', 'București1', 'dragondragon', 'letmein!!', '1234567890'])('%s is guessed first', (password) => {
	expect(isCommon(password, [])).toBe(password !== 'București1');
});

test.each(['correct horse battery', 'a long enough password', 'xT9#mQ2v', 'trei raci graci', 'pădurea de argint', 'g7-lemn-uscat'])('%s may stand', (password) => expect(isCommon(password, [])).toBe(false));

test('what belongs to the person is guessed as well: name, address, domain', () => {
	expect(isCommon('popescu2026', ['Popescu'])).toBe(true);
	expect(isCommon('popescu2026', ['Ionescu'])).toBe(false);
	const judged = (password: string) => parsePassword(password, 'ana.popescu@mobila-fina.example' as Email, ['Ana Popescu']);
	for (const password of ['Popescu!!', 'mobila2026', 'ana.popescu1']) expect(judged(password), password).toEqual({ outcome: 'refused', refusal: 'password-too-common' });
	expect(judged('scaune și mese').outcome).toBe('parsed');
});
