// `npm run portal -- <command>`: the operator's commands, with the project's Node.

import { ensureInstalled } from './install.js';
import { script } from './project.js';
import { runAsSelf } from './relay.js';

await script(async () => {
	await ensureInstalled();
	return runAsSelf('sync-server/portal.ts', process.argv.slice(2));
});
