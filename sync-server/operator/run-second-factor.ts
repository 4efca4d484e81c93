/** `second-factor` from the command line. */
import type { Config } from '../config.ts';
import { askOrOpen } from './ask-or-open.ts';
import { Problem } from './problem.ts';
import type { SecondFactorAnswer, SecondFactorArgs } from './second-factor-command.ts';

export async function runSecondFactor(dirs: Pick<Config, 'dataDir' | 'storageDir'>, args: SecondFactorArgs): Promise<Exclude<SecondFactorAnswer, { problem: string }>> {
	const answer = await askOrOpen<SecondFactorAnswer>(dirs, 'second-factor', args, async ({ accounts }) =>
		(await import('./second-factor-command.ts')).secondFactorCommand(accounts, args, null)
	);
	if ('problem' in answer) throw new Problem(answer.problem);
	return answer;
}
