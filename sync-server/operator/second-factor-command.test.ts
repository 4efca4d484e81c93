/** `second-factor --reset`: through a running relay, and on the folder of one that is stopped. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { totpCode } from '../accounts/one-time-codes.ts';
import { PASSWORD, type SignIn, TestRelay } from '../rest/test-relay.ts';
import { readArguments, UsageProblem } from './arguments.ts';
import { secondFactorText } from './print.ts';
import { Problem } from './problem.ts';
import { runSecondFactor } from './run-second-factor.ts';

let relay: TestRelay;
let ann: SignIn;
beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com');
});
afterAll(() => relay.end());

const signIn = () => relay.call('POST', '/api/v1/sessions', { body: { email: 'ann@example.com', password: PASSWORD } });
const dirs = () => ({ dataDir: relay.dataDir, storageDir: `${relay.dataDir}/portals` });
async function enrol(): Promise<void> {
	const begun = await relay.call('POST', '/api/v1/me/second-factor', { token: ann.token, body: { password: PASSWORD } });
	const enrolled = await relay.call('PUT', '/api/v1/me/second-factor', { token: ann.token, body: { code: totpCode(begun.body.secret, Date.now()) } });
	expect(enrolled.status).toBe(200);
}

test('a running relay resets it, ends the sessions and tells the person', async () => {
	await enrol();
	expect((await signIn()).body.code).toBe('second-factor');
	const result = await runSecondFactor(dirs(), { reset: ' Ann@Example.com ' });
	expect(result).toEqual({ reset: 'ann@example.com', told: true });
	expect(secondFactorText(result)).toMatch(/^ann@example\.com signs in with the password alone .* A letter tells them so\.$/);
	expect((await relay.call('GET', '/api/v1/me', { token: ann.token })).status).toBe(401);
	const again = await signIn();
	expect(again.status).toBe(201);
	ann = again.body;
	await expect(runSecondFactor(dirs(), { reset: 'ann@example.com' })).rejects.toThrow('ann@example.com has no second factor.');
	await expect(runSecondFactor(dirs(), { reset: 'nobody@example.com' })).rejects.toThrow(Problem);
});

test('without a relay it is reset as well, and the operator tells the person', async () => {
	await enrol();
	await relay.relay.close();
	try {
		expect(await runSecondFactor(dirs(), { reset: 'ann@example.com' })).toEqual({ reset: 'ann@example.com', told: false });
	} finally {
		await relay.restart();
	}
	expect((await signIn()).status).toBe(201);
});

test('arguments', () => {
	expect(readArguments(['second-factor', '--reset', 'ann@example.com', '--json'], '/')).toEqual({ command: 'second-factor', json: true, reset: 'ann@example.com' });
	for (const args of [['second-factor'], ['second-factor', '--reset', ''], ['second-factor', '--reset'], ['second-factor', 'ann@example.com']]) expect(() => readArguments(args, '/')).toThrow(UsageProblem);
});
