/** What was typed after `npm run portal --`, as a union. Wrong input is a `UsageProblem` with one line. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { resolve } from 'node:path';
import { isPortalId } from '#crdt-model/ids.ts';
import { PLAN_NAMES } from '#crdt-model/tariff/plans.ts';

export class UsageProblem extends Error {}

export type Asked =
	| { readonly command: 'help'; readonly of: CommandName | null }
	| {
			readonly command: 'demo';
			readonly json: boolean;
			/** Absolute; null for the copy in the repository. */
			readonly folder: string | null;
			readonly dates: 'keep' | 'today';
			readonly password?: string | undefined;
			readonly company?: string | undefined;
	  }
	| { readonly command: 'verify'; readonly json: boolean }
	| { readonly command: 'second-factor'; readonly json: boolean; /** An e-mail address. */ readonly reset: string }
	| { readonly command: 'backup'; readonly json: boolean; readonly to: string }
	| {
			readonly command: 'restore';
			readonly json: boolean;
			readonly from: string;
			readonly generation?: string | undefined;
			readonly key?: string | undefined;
			readonly replace: boolean;
	  }
	| {
			readonly command: 'tariff';
			readonly json: boolean;
			readonly portal?: string | undefined;
			readonly plan?: string | undefined;
			readonly seats?: number | undefined;
			readonly demo?: string | undefined;
			readonly rentedGigabytes?: number | undefined;
	  };

export const COMMANDS = ['demo', 'verify', 'tariff', 'second-factor', 'backup', 'restore'] as const;
export type CommandName = (typeof COMMANDS)[number];

export const HELP = `npm run portal -- <command> [--json]

  demo     makes a new company of real files and prints sign-ins
             --data <folder>     accounts.csv, products.csv, sales_pipeline.csv, sales_teams.csv (default: test/data/crm)
             --dates today|keep  today (default) moves all dates as a whole so that the latest one is today
             --company <name>    the company's name (default: MavenTech)
             --password <text>   everybody's password (default: a random one)
  tariff   shows what portals have bought and use, and sets it; a running relay tells open devices at once
             --portal <id>       which one; needed to change one of several
             --plan <name>       project, projectPlus, team, company, boxCrm, boxPortal, boxBusiness
             --seats <number>    of a box licence
             --demo start|end    thirty days of everything, once per portal; then the plan holds again
             --rent <GB>         storage beside a cloud plan's own; 0 ends it
             Over HTTP the same: /api/operator/v1 with OPERATOR_TOKEN (docs/operations.md)
  second-factor  for somebody who lost theirs, where no administrator can: they sign in with the password alone, and their sessions end
             --reset <e-mail>    whose
  verify   recomputes every portal's hash chain and compares documents and rows with the log

  backup   copies accounts, portals and files as they are now into a new generation, beside a running relay or without one
             --to <folder>       outside DATA_DIR; what did not change is not copied again
  restore  makes a DATA_DIR of a backup, verified and in a new epoch; no relay may be running
             --from <folder>     that backup wrote into
             --generation <name> which one (default: the newest)
             --key <file>        mac.key, where it was kept apart from the backup (accounts.key is looked for beside it)
             --replace           moves what lies in DATA_DIR aside

  --json   prints one JSON value instead of text
  --help   prints this

All but restore work while the relay runs and while it does not. DATA_DIR and STORAGE_URL say where the portals are, as for the relay.
Exit codes: 0 done, 1 could not be done or a difference was found, 2 not understood.`;

const OPTIONS: Record<CommandName, NonNullable<ParseArgsConfig['options']>> = {
	demo: {
		json: { type: 'boolean' },
		help: { type: 'boolean', short: 'h' },
		data: { type: 'string' },
		dates: { type: 'string' },
		password: { type: 'string' },
		company: { type: 'string' }
	},
	tariff: {
		json: { type: 'boolean' },
		help: { type: 'boolean', short: 'h' },
		portal: { type: 'string' },
		plan: { type: 'string' },
		seats: { type: 'string' },
		demo: { type: 'string' },
		rent: { type: 'string' }
	},
	verify: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
	'second-factor': { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, reset: { type: 'string' } },
	backup: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, to: { type: 'string' } },
	restore: {
		json: { type: 'boolean' },
		help: { type: 'boolean', short: 'h' },
		from: { type: 'string' },
		generation: { type: 'string' },
		key: { type: 'string' },
		replace: { type: 'boolean' }
	}
};

/** @param cwd what a relative folder is relative to: where npm was called */
export function readArguments(args: readonly string[], cwd: string): Asked {
	// A command's name first: what stands behind an option may be anything.
	const name = args.find(isCommand) ?? args.find((arg) => !arg.startsWith('-'));
	if (args.length === 0) throw new UsageProblem('Which command?');
	if (name === undefined) {
		if (args.every((arg) => arg === '--help' || arg === '-h' || arg === '--json')) return { command: 'help', of: null };
		throw new UsageProblem(`${quoted(args[0]!)} is no command.`);
	}
	if (name === 'help') return { command: 'help', of: null };
	if (!isCommand(name)) throw new UsageProblem(`${quoted(name)} is no command.`);
	let values: Record<string, unknown>;
	try {
		({ values } = parseArgs({ args: args.toSpliced(args.indexOf(name), 1), options: OPTIONS[name], strict: true }));
	} catch (error) {
		throw new UsageProblem((error as Error).message.split(/\n|\. /)[0]!);
	}
	const json = values.json === true;
	if (values.help) return { command: 'help', of: name };
	if (name === 'verify') return { command: 'verify', json };
	if (name === 'second-factor') return { command: 'second-factor', json, reset: needed(values.reset, '--reset <e-mail>') };
	if (name === 'backup') return { command: 'backup', json, to: resolve(cwd, needed(values.to, '--to <folder>')) };
	if (name === 'restore') {
		const { generation, key } = values as Record<string, string | undefined>;
		const from = resolve(cwd, needed(values.from, '--from <folder>'));
		return { command: 'restore', json, from, generation, key: key === undefined ? undefined : resolve(cwd, key), replace: values.replace === true };
	}
	if (name === 'tariff') return tariffAsked(values as Record<string, string | undefined>, json);
	const { data, dates = 'today', password, company } = values as Record<string, string | undefined>;
	if (dates !== 'keep' && dates !== 'today') throw new UsageProblem(`--dates is keep or today, not ${quoted(dates)}.`);
	if (company !== undefined && (company.trim() === '' || company.trim().length > 100)) throw new UsageProblem('--company is a name of 1 to 100 characters.');
	if (data === '') throw new UsageProblem('--data names no folder.');
	return { command: 'demo', json, folder: data === undefined ? null : resolve(cwd, data), dates, password, company: company?.trim() };
}

function tariffAsked({ portal, plan, seats, demo, rent }: Record<string, string | undefined>, json: boolean): Asked {
	if (portal !== undefined && !isPortalId(portal)) throw new UsageProblem(`--portal is the id of a portal, not ${quoted(portal)}.`);
	if (plan !== undefined && !(PLAN_NAMES as readonly string[]).includes(plan)) throw new UsageProblem(`--plan is one of ${PLAN_NAMES.filter((one) => one !== 'demo').join(', ')}, not ${quoted(plan)}.`);
	if (demo !== undefined && demo !== 'start' && demo !== 'end') throw new UsageProblem(`--demo is start or end, not ${quoted(demo)}.`);
	return { command: 'tariff', json, portal, plan, demo, seats: wholeNumber('--seats', seats, 1), rentedGigabytes: wholeNumber('--rent', rent, 0) };
}

function wholeNumber(option: string, text: string | undefined, fewest: number): number | undefined {
	if (text === undefined) return undefined;
	const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
	if (number < fewest) throw new UsageProblem(`${option} is a whole number from ${fewest}, not ${quoted(text)}.`);
	return number;
}

function needed(value: unknown, option: string): string {
	if (typeof value !== 'string' || value === '') throw new UsageProblem(`${option} is needed.`);
	return value;
}

const isCommand = (name: string): name is CommandName => (COMMANDS as readonly string[]).includes(name);
const quoted = (text: string): string => JSON.stringify(text.slice(0, 60));
