/**
 * Signing in and out.
 *
 * Promises: a password is judged by accounts/ alone, at the same cost whatever is wrong; the token goes into the cookie and to a program that calls, and nowhere else: no script on a page sees it.
 */
import type { PortalId } from '#crdt-model/ids.ts';
import type { Registered } from '../accounts/accounts.ts';
import { clearedSessionCookie, tokensFromCookie } from '../accounts/cookie.ts';
import { EMAIL_MAX } from '../accounts/email.ts';
import type { NewRefusal } from '../accounts/identities.ts';
import { LOGIN_MAX, LOGIN_MIN } from '../accounts/login.ts';
import { isRecoveryCode } from '../accounts/one-time-codes.ts';
import { PASSWORD_MAX, PASSWORD_MIN, type PasswordRefusal } from '../accounts/password.ts';
import { everyone, finished, fromOurPage, honoPath, notSignedIn, presentedBy, route, signedInBy, type App, type Call, type Presented, type Services } from './call.ts';
import { tellOwner } from './owner.ts';
import { badField, problem, retryLater } from './problem.ts';
import { signedInAnswer, signInBody } from './schemas.ts';
import { goOn, mayResume, signInOf, signInOver } from './signing-in.ts';

export const signInRoutes = {
	signIn: route({
		method: 'post',
		path: '/api/v1/sessions',
		summary: 'Sign in, or go on with a sign-in that wants more; a ticket is good for one step and ten minutes',
		signedIn: false,
		body: signInBody,
		answer: { status: 201, description: 'Signed in', schema: signedInAnswer },
		problems: [401, 403, 409, 429]
	}),
	signOut: route({
		method: 'delete',
		path: '/api/v1/sessions/current',
		summary: 'Sign out; open connections of the session are closed with 4401',
		signedIn: true,
		answer: { status: 204, description: 'Signed out' }
	})
};

const LOGIN_WORDS = `${LOGIN_MIN} to ${LOGIN_MAX} of the characters a–z, 0–9, dot, dash and underscore`;
const PASSWORD_WORDS = `at least ${PASSWORD_MIN} characters, at most ${PASSWORD_MAX}, and not the e-mail address`;

/** What a registration says when it does not let one in. */
export function registrationProblem(registered: Exclude<Registered, { identity: unknown }>): Response {
	switch (registered.outcome) {
		case 'too-many-attempts':
			return retryLater('too-many-attempts', registered.retryAfterSeconds);
		case 'wrong-password':
			return problem('wrong-credentials', { detail: 'This address has an account already; its present password is needed.' });
		case 'login-taken':
			return problem('login-taken');
		case 'refused':
			return refusedProblem(registered.refusal);
	}
}

export function refusedProblem(refusal: NewRefusal): Response {
	switch (refusal) {
		case 'email-not-text':
		case 'email-missing':
		case 'email-too-long':
		case 'email-malformed':
			return badField('email', `an e-mail address of at most ${EMAIL_MAX} characters`);
		case 'login-not-text':
		case 'login-malformed':
			return badField('login', LOGIN_WORDS);
		case 'name-malformed':
			return badField('firstName', 'one line of text');
		default:
			return passwordProblem(refusal);
	}
}

/** The `rule` is for programs and for the app's own words. */
export function passwordProblem(refusal: PasswordRefusal | 'password-unchanged'): Response {
	const message = refusal === 'password-unchanged' ? 'another password than the first one' : PASSWORD_WORDS;
	return problem('bad-value', { detail: `password: ${message}`, errors: [{ field: 'password', message }], extra: { rule: refusal } });
}

/** Takes those cookies off the browser that sign nobody in any more. */
export function withoutDead({ accounts, publicUrl }: Services, { cookie }: Presented, response: Response): Response {
	for (const [name, token] of tokensFromCookie(cookie)) {
		if (!accounts.resolveToken(token)) response.headers.append('set-cookie', clearedSessionCookie(name, publicUrl));
	}
	return response;
}

/** A passkey stands for both factors: its device has seen who holds it. Wrong ones weigh on the network that brings them. */
async function signInByPasskey(services: Services, call: Call<unknown, unknown>, presented: { ticket: string; passkey: unknown; portal?: PortalId | undefined }): Promise<Response> {
	const { accounts } = services;
	const found = await accounts.bySecret(call.ip, async () => {
		const recognised = await accounts.factors.passkeys.recognise(presented.ticket, presented.passkey);
		return recognised.outcome === 'recognised' ? recognised.identity : null;
	});
	if (found.outcome !== 'judged') return retryLater('too-many-attempts', found.retryAfterSeconds);
	if (found.value === null) return problem('wrong-credentials');
	return signInOver(services, call, { identity: found.value, portal: presented.portal ?? null, factorDone: true });
}

export function mountSignIn(app: App, services: Services): void {
	const { accounts, publicUrl } = services;

	everyone(app, services, signInRoutes.signIn, async (call) => {
		const { body } = call;
		if (!('ticket' in body)) {
			const signed = await accounts.signIn({ email: body.email, password: body.password, ip: call.ip });
			if (signed.outcome === 'too-many-attempts') return retryLater('too-many-attempts', signed.retryAfterSeconds);
			if (signed.outcome !== 'signed-in') return problem('wrong-credentials');
			return signInOver(services, call, { identity: signed.identity, portal: body.portal ?? null, factorDone: false });
		}
		const { ticket } = body;
		if ('passkey' in body) return signInByPasskey(services, call, body);
		const step = 'portal' in body ? 'portal' : 'code' in body ? 'code' : 'password' in body ? 'password' : null;
		if (step === null && !mayResume(call, ticket)) return problem('ticket-lapsed');
		const signIn = await signInOf(services, call, ticket, step);
		if (signIn instanceof Response) return signIn;
		if ('code' in body) {
			const checked = await accounts.checkCode(signIn.identity, body.code, call.ip);
			if (checked.outcome !== 'judged') return retryLater('too-many-attempts', checked.retryAfterSeconds);
			if (!checked.value) return problem('wrong-code');
		}
		if ('password' in body) {
			const set = await accounts.setPassword(signIn.identity, body.password);
			// All tickets of the person end with it, this one among them.
			return set.outcome === 'set' ? signInOver(services, call, signIn) : passwordProblem(set.refusal);
		}
		if (!goOn(services, ticket)) return problem('ticket-lapsed');
		if ('code' in body && isRecoveryCode(body.code)) await tellOwner(services, signIn.identity, 'recovery-code-used', signIn.portal);
		return signInOver(services, call, { ...signIn, ...('portal' in body && { portal: body.portal }), ...('code' in body && { factorDone: true }) });
	});

	// Not by `members`: also the dismissed may sign out, and a browser whose session ended is freed of its cookie.
	app.on('DELETE', honoPath(signInRoutes.signOut.path), async (c) => {
		const presented = presentedBy(c);
		const credentials = signedInBy(accounts, presented);
		if (!credentials) return finished(withoutDead(services, presented, notSignedIn()));
		if (credentials.byCookie && !fromOurPage(services, { origin: c.req.header('origin'), host: c.req.header('host') }, credentials.signIn.portal)) return finished(problem('bad-origin'));
		await accounts.endSession(credentials.token);
		return finished(withoutDead(services, presented, new Response(null, { status: 204 })));
	});
}
