/** `demo` from the command line. */
import type { Config } from '../config.ts';
import type { DemoResult } from '../import/demo.ts';
import { askOrOpen } from './ask-or-open.ts';
import type { DemoAnswer, DemoArgs } from './demo-command.ts';
import { Problem } from './problem.ts';

export async function runDemo(dirs: Pick<Config, 'dataDir' | 'storageDir'>, args: DemoArgs): Promise<DemoResult> {
	const answer = await askOrOpen<DemoAnswer>(dirs, 'demo', args, async (world) => (await import('./demo-command.ts')).demoCommand(world, args));
	if ('problem' in answer) throw new Problem(answer.problem);
	return answer.made;
}
