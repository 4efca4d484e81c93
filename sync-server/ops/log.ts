/**
 * What the operator reads on stderr: one line per event, faults with their stack. Nothing here ever quotes a token, a password or a document.
 */
export type Log = (line: string) => void;

export const stderrLog: Log = (line) => void process.stderr.write(`${line}\n`);

export function faultLine(where: string, fault: unknown): string {
	return `${new Date().toISOString()} fault in ${where}: ${fault instanceof Error ? stackOf(fault) : String(fault)}`;
}

/** A portal of another release was opened for the first time. */
export function remadeLine(portal: string, { documents, changed, kinds, tookMs }: { readonly documents: number; readonly changed: number; readonly kinds: readonly string[]; readonly tookMs: number }): string {
	const n = (value: number) => value.toLocaleString('en-US');
	return `${new Date().toISOString()} ${portal} was last opened by another release: ${n(documents)} documents (${kinds.join(', ')}) were read anew in ${(tookMs / 1_000).toFixed(1)} s, ${n(changed)} of them say something else in lists`;
}

function stackOf(error: Error): string {
	const own = error.stack ?? String(error);
	return error.cause instanceof Error ? `${own}\ncaused by: ${stackOf(error.cause)}` : own;
}
