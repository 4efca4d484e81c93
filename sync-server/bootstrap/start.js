// `npm start`: from a fresh clone to a relay that answers.
// The npm script says `exec node`, so that no shell stands between npm and us: dash, the `sh` of Debian, dies of npm's signal
// without passing it on. Windows has no `exec`: there run `node sync-server/bootstrap/start.js`.

import { ensureBuilt } from './build.js';
import { ensureInstalled } from './install.js';
import { requireNode } from './node.js';
import { script } from './project.js';
import { runAsSelf } from './relay.js';

await script(async () => {
	await ensureInstalled();
	requireNode();
	await ensureBuilt();
	return runAsSelf('sync-server/main.ts', process.argv.slice(2));
});
