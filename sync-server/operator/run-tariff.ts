/** `tariff` from the command line. */
import type { Config } from '../config.ts';
import { askOrOpen } from './ask-or-open.ts';
import { Problem } from './problem.ts';
import type { PortalTariff, TariffAnswer, TariffArgs } from './tariff-command.ts';

export async function runTariff(dirs: Pick<Config, 'dataDir' | 'storageDir'>, args: TariffArgs): Promise<readonly PortalTariff[]> {
	const answer = await askOrOpen<TariffAnswer>(dirs, 'tariff', args, async (world) => (await import('./tariff-command.ts')).tariffCommand(world, args));
	if ('problem' in answer) throw new Problem(answer.problem);
	return answer.portals;
}
