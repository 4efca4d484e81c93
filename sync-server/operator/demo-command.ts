/**
 * `demo` as an operator's command, the same in a running relay and without one. It takes the folder's path, not the files: whoever holds the
 * door's token is the relay's own user on the relay's own machine, so both see the same files, nothing of 64 MiB has to pass through
 * the relay's one thread as JSON, and the ceiling is asked before anything is read.
 */
import * as v from 'valibot';
import { ImportProblem } from '../import/csv.ts';
import { readCrmFolder } from '../import/crm-files.ts';
import { makeDemo, type DemoResult, type DemoWorld } from '../import/demo.ts';

const argsSchema = v.strictObject({
	folder: v.pipe(v.string(), v.minLength(1), v.maxLength(4_096)),
	dates: v.picklist(['keep', 'today']),
	password: v.optional(v.pipe(v.string(), v.maxLength(1_000))),
	company: v.optional(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100)))
});
export type DemoArgs = v.InferOutput<typeof argsSchema>;

/** A problem is one line for the operator and nothing was made; a fault is thrown. */
export type DemoAnswer = { readonly made: DemoResult } | { readonly problem: string };

/** One at a time: two would only halve each other's speed and double the memory. */
let underWay = false;

export async function demoCommand(world: DemoWorld, args: unknown): Promise<DemoAnswer> {
	const parsed = v.safeParse(argsSchema, args);
	if (!parsed.success) return { problem: `The relay does not understand these arguments: ${parsed.issues[0].message}` };
	if (underWay) return { problem: 'Another company is being made at this moment: try again in a minute.' };
	underWay = true;
	try {
		const { folder, ...options } = parsed.output;
		return { made: await makeDemo(await readCrmFolder(folder), world, options) };
	} catch (error) {
		if (error instanceof ImportProblem) return { problem: error.message };
		throw error;
	} finally {
		underWay = false;
	}
}
