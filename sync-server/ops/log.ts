/**
 * What the operator reads on stderr: one line per event, faults with their stack. Nothing here ever quotes a token, a password or a document.
 */
export type Log = (line: string) => void;

export const stderrLog: Log = (line) => void process.stderr.write(`${line}\n`);

export function faultLine(where: string, fault: unknown): string {
	return `${new Date().toISOString()} fault in ${where}: ${fault instanceof Error ? stackOf(fault) : String(fault)}`;
}

function stackOf(error: Error): string {
	const own = error.stack ?? String(error);
	return error.cause instanceof Error ? `${own}\ncaused by: ${stackOf(error.cause)}` : own;
}
