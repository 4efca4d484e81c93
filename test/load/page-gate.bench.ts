/**
 * What the gate of pages and texts costs. Printed, not asserted: a shared machine proves ratios, not digits.
 * Run: `node test/load/page-gate.bench.ts`. SYNC.md 1.2 has 0.67 µs for a scan of a record update and 67 µs for preview and apply of a
 * keystroke in a 100 kB text.
 */
import * as Y from 'yjs';
import { PAGE_SCAN_LIMITS, scan } from '../../crdt-model/page/scan.ts';
import type { ScanResult } from '../../crdt-model/page/scan.ts';
import { admitUpdate } from '../../sync-server/gate/page/admit.ts';
import { preview } from '../../sync-server/gate/page/preview.ts';
import { TEXT_RULES } from '../../sync-server/gate/page/rules.ts';

const PIECES = 10_000;
const KEYSTROKES = 3_000;

/** A text of 100 kB in 10,000 pieces that do not merge, as much editing leaves it. */
function worn(clientID: number): Y.Doc {
	const doc = new Y.Doc();
	doc.clientID = clientID;
	const text = doc.getText('text');
	let seed = 1;
	for (let i = 0; i < PIECES; i++) {
		seed = (seed * 48_271) % 2_147_483_647;
		text.insert(seed % (text.length + 1), 'ten chars ');
	}
	return doc;
}

const submitter = { ownerOf: () => 'self' as const, mayWrite: () => true, origin: 'bench' };
const micros = (started: number, times: number) => `${(((performance.now() - started) * 1000) / times).toFixed(2)} µs`;

const ann = worn(100);
const relay = new Y.Doc();
relay.getText('text');
const whole = Y.encodeStateAsUpdate(ann);
Y.applyUpdate(relay, whole);
const updates: Uint8Array[] = [];
ann.on('update', (update: Uint8Array) => updates.push(update));
const text = ann.getText('text');
for (let i = 0, at = 5_000; i < KEYSTROKES; i++) {
	if (i % 50 === 0) at = (at * 7_919) % text.length;
	text.insert(at++, 'x');
}

for (let i = 0; i < 20_000; i++) scan(updates[i % KEYSTROKES]!, PAGE_SCAN_LIMITS);
let started = performance.now();
for (const update of updates) scan(update, PAGE_SCAN_LIMITS);
console.log(`scan of a keystroke            ${micros(started, KEYSTROKES)}  (${updates[1]!.length} bytes)`);

const scans = updates.map((update) => scan(update, PAGE_SCAN_LIMITS) as ScanResult);
started = performance.now();
for (let i = 0; i < KEYSTROKES; i++) preview(relay, scans[0]!, TEXT_RULES, submitter.ownerOf);
console.log(`preview of a keystroke         ${micros(started, KEYSTROKES)}`);

const plain = new Y.Doc();
plain.getText('text');
plain.on('update', () => {});
Y.applyUpdate(plain, whole);
started = performance.now();
for (const update of updates) Y.applyUpdate(plain, update);
console.log(`Y.applyUpdate alone            ${micros(started, KEYSTROKES)}`);

started = performance.now();
for (const update of updates) {
	const answer = admitUpdate(relay, update, TEXT_RULES, submitter);
	if (answer.kind !== 'accepted') throw new Error(`bench: ${answer.kind}`);
}
console.log(`scan + preview + apply + check ${micros(started, KEYSTROKES)}  (100 kB text, ${PIECES} pieces)`);

const resent = Y.encodeStateAsUpdate(ann);
for (let i = 0; i < 5; i++) admitUpdate(relay, resent, TEXT_RULES, submitter);
started = performance.now();
for (let i = 0; i < 20; i++) {
	const answer = admitUpdate(relay, resent, TEXT_RULES, submitter);
	if (answer.kind !== 'known') throw new Error(`bench: ${answer.kind}`);
}
console.log(`whole text resent, known       ${micros(started, 20)}  (${resent.length} bytes, own content compared)`);
text.insert(0, 'y');
const partly = Y.encodeStateAsUpdate(ann);
started = performance.now();
admitUpdate(relay, partly, TEXT_RULES, submitter);
console.log(`whole text resent, 1 unit new  ${micros(started, 1)}`);
