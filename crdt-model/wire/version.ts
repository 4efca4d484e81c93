/**
 * The version of `/sync`. A change of the wire raises it and adds a line; a test hashes the schemas and insists.
 *
 * - 1: hello, inventory, submit, update; welcome, entries, gains, lose, answers, progress.
 * - 2: snapshots with notices, row versions, restores and the viewer in the welcome; reoffer, reoffered; the tariff is told with what was bought, and refusals of it say how much is used and what would do; who is online, and how many wait to be let in.
 */
export const WIRE_VERSION = 2;
