/**
 * `demo` from the command line: through a running relay where there is one, else on the stores themselves.
 *
 * Promises: never two processes write: the stores are opened under the claim on DATA_DIR alone; what the operator can mend is a `Problem`.
 */
import { claimDataDir, ConfigProblem, type Config, type DataDirClaim } from '../config.ts';
import type { DemoResult } from '../import/demo.ts';
import type { DemoAnswer, DemoArgs } from './demo-command.ts';
import { askRelay } from './door-client.ts';
import { Problem } from './problem.ts';

export async function runDemo(dirs: Pick<Config, 'dataDir' | 'storageDir'>, args: DemoArgs): Promise<DemoResult> {
	const answer = await askOrOpen(dirs, args);
	if ('problem' in answer) throw new Problem(answer.problem);
	return answer.made;
}

async function askOrOpen(dirs: Pick<Config, 'dataDir' | 'storageDir'>, args: DemoArgs): Promise<DemoAnswer> {
	const first = await askRelay(dirs.dataDir, 'demo', args);
	if (first.from === 'relay') return first.result as DemoAnswer;
	let claim: DataDirClaim;
	try {
		claim = claimDataDir(dirs.dataDir);
	} catch (error) {
		if (!(error instanceof ConfigProblem)) throw error;
		// A relay that was just starting when it was asked first has opened its door by now.
		const second = await askRelay(dirs.dataDir, 'demo', args);
		if (second.from === 'relay') return second.result as DemoAnswer;
		throw error;
	}
	try {
		// Loaded only here: accounts and stores take longer to load than a relay takes to answer.
		const [{ withStores }, { demoCommand }] = await Promise.all([import('./without-relay.ts'), import('./demo-command.ts')]);
		return await withStores(dirs, (world) => demoCommand(world, args));
	} finally {
		claim.release();
	}
}
