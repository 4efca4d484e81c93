/**
 * What `npm run portal` may ask of a running relay: a registry by name. A command gets the JSON that the command line sent and judges it itself; what
 * it returns is sent back as JSON, and a thrown error is a 500 that is logged.
 */
import { demoCommand } from '../operator/demo-command.ts';
import { secondFactorCommand } from '../operator/second-factor-command.ts';
import { tariffCommand } from '../operator/tariff-command.ts';
import type { Services } from '../rest/call.ts';
import { tellOwner } from '../rest/owner.ts';
import type { OperatorCommands } from './operator.ts';

export function operatorCommands(services: Services): OperatorCommands {
	const { portals, accounts, now } = services;
	const commands: OperatorCommands = new Map();
	commands.set('ping', async () => ({ pid: process.pid }));
	commands.set('demo', (args) => demoCommand({ portals, accounts, now }, args));
	commands.set('tariff', (args) => tariffCommand({ portals, now }, args));
	commands.set('second-factor', (args) => secondFactorCommand(accounts, args, (identity) => tellOwner(services, identity, 'reset', null)));
	return commands;
}
