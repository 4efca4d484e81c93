/**
 * Logins: the short name with which one may sign in instead of the address. Unique on the server, never an address.
 *
 * Promises: two spellings of one login give one value; a login holds no `@`, so that it is never taken for somebody's address.
 */
declare const brand: unique symbol;
export type Login = string & { readonly [brand]: 'login' };

export type LoginRefusal = 'login-not-text' | 'login-malformed';
export type LoginParsed = { outcome: 'parsed'; login: Login } | { outcome: 'refused'; refusal: LoginRefusal };

export const LOGIN_MIN = 3;
export const LOGIN_MAX = 40;
/** Before trimming; pasted blanks are forgiven. */
const RAW_MAX = 1024;
const LOGIN = new RegExp(`^[a-z0-9._-]{${LOGIN_MIN},${LOGIN_MAX}}$`);

export function parseLogin(value: unknown): LoginParsed {
	if (typeof value !== 'string') return { outcome: 'refused', refusal: 'login-not-text' };
	const login = value.length > RAW_MAX ? '' : value.trim().toLowerCase();
	return LOGIN.test(login) ? { outcome: 'parsed', login: login as Login } : { outcome: 'refused', refusal: 'login-malformed' };
}
