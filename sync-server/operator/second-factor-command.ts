/**
 * `second-factor --reset` as an operator's command: for somebody who lost their second factor and belongs to several portals, or administers one alone. The same
 * in a running relay, which tells the person by letter, and without one.
 */
import * as v from 'valibot';
import type { Accounts, IdentityId } from '../accounts/accounts.ts';

const argsSchema = v.strictObject({ reset: v.pipe(v.string(), v.trim(), v.maxLength(1_024)) });
export type SecondFactorArgs = v.InferOutput<typeof argsSchema>;

/** A problem is one line for the operator and nothing was changed. */
export type SecondFactorAnswer = { readonly reset: string; /** A letter went to the person. */ readonly told: boolean } | { readonly problem: string };

/** @param tell where letters can be sent */
export async function secondFactorCommand(accounts: Accounts, args: unknown, tell: ((identity: IdentityId) => Promise<void>) | null): Promise<SecondFactorAnswer> {
	const parsed = v.safeParse(argsSchema, args);
	if (!parsed.success) return { problem: `These arguments do not fit: ${parsed.issues[0].path?.map(({ key }) => String(key)).join('.') ?? ''} ${parsed.issues[0].message}` };
	const identity = await accounts.identityByEmail(parsed.output.reset);
	if (!identity) return { problem: `Nobody signs in with ${JSON.stringify(parsed.output.reset)} here.` };
	if (!(await accounts.resetSecondFactor(identity.identity))) return { problem: `${identity.email} has no second factor.` };
	await tell?.(identity.identity);
	return { reset: identity.email, told: tell !== null };
}
