/**
 * One command of the operator: through a running relay where there is one, else on the stores themselves.
 *
 * Promises: never two processes write: the stores are opened under the claim on DATA_DIR alone; what the operator can mend is a `Problem`.
 */
import { claimDataDir, ConfigProblem, type Config, type DataDirClaim } from '../config.ts';
import type { DemoWorld } from '../import/demo.ts';
import { askRelay } from './door-client.ts';

/** @param alone does it where no relay runs; what it returns must be what the door returns, before it becomes JSON */
export async function askOrOpen<Answer>(
	dirs: Pick<Config, 'dataDir' | 'storageDir'>,
	command: string,
	args: unknown,
	alone: (world: DemoWorld) => Promise<Answer>
): Promise<Answer> {
	const first = await askRelay(dirs.dataDir, command, args);
	if (first.from === 'relay') return first.result as Answer;
	let claim: DataDirClaim;
	try {
		claim = claimDataDir(dirs.dataDir);
	} catch (error) {
		if (!(error instanceof ConfigProblem)) throw error;
		// A relay that was just starting when it was asked first has opened its door by now.
		const second = await askRelay(dirs.dataDir, command, args);
		if (second.from === 'relay') return second.result as Answer;
		throw error;
	}
	try {
		// Loaded only here: accounts and stores take longer to load than a relay takes to answer.
		const { withStores } = await import('./without-relay.ts');
		return await withStores(dirs, alone);
	} finally {
		claim.release();
	}
}
