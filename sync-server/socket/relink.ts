// Makes uWebSockets.js load on Linux with glibc 2.36 or 2.37 (Debian 12). Older ones lack `arc4random`, which the binaries
// of 20.57.0 really use, and are not supported.
//
// The published binaries were linked on a newer system, and three symbols only that glibc has came in by that:
// `__isoc23_sscanf`, `__isoc23_strtol`, `__isoc23_strtoul`, the C23 forms of `sscanf`, `strtol`, `strtoul` (they also
// read binary literals, which uWebSockets.js never meets). The plain names are the tails of the new ones, so a symbol is
// mended by letting its name begin nine bytes later and asking for the base version of glibc; the demand for 2.38, which
// nothing needs any more, becomes a weak one that the loader passes over.
//
// Promises: a no-op where the binary loads as it is; running twice changes nothing; a reader never sees half a file; any
// other symbol of glibc 2.38 is an error, not a guess.
// Exit: drop this file when the oldest system that we support has glibc 2.38.

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** C23 name → where the plain name begins in it. */
const c23Prefix = '__isoc23_';
const mendable = new Set(['__isoc23_sscanf', '__isoc23_strtol', '__isoc23_strtoul']);
const tooNew = 'GLIBC_2.38';
/** The oldest version of glibc on each processor: every symbol that always was there carries it. */
const baseVersion: Record<number, string> = { 62: 'GLIBC_2.2.5', 183: 'GLIBC_2.17' };

const sectionType = { dynamicSymbols: 11, versionNeeds: 0x6ffffffe, symbolVersions: 0x6fffffff } as const;
const symbolBytes = 24;
const weakFlag = 2;
/** The top bit of a symbol's version only says whether it is hidden. */
const versionMask = 0x7fff;

interface Section {
	readonly type: number;
	readonly offset: number;
	readonly size: number;
	/** The section it refers to: for symbols and needs, the strings of their names. */
	readonly link: number;
}

function sectionsOf(elf: Buffer): readonly Section[] {
	const isElf64LittleEndian = elf.readUInt32BE(0) === 0x7f454c46 && elf[4] === 2 && elf[5] === 1;
	if (!isElf64LittleEndian) throw new Error('The binary of uWebSockets.js is no 64-bit little-endian ELF file.');
	const table = Number(elf.readBigUInt64LE(40));
	const [entryBytes, count] = [elf.readUInt16LE(58), elf.readUInt16LE(60)];
	return Array.from({ length: count }, (_, index) => {
		const at = table + index * entryBytes;
		return {
			type: elf.readUInt32LE(at + 4),
			offset: Number(elf.readBigUInt64LE(at + 24)),
			size: Number(elf.readBigUInt64LE(at + 32)),
			link: elf.readUInt32LE(at + 40)
		};
	});
}

interface VersionNeed {
	/** Where the entry's flags stand in the file. */
	readonly flagsAt: number;
	readonly isWeak: boolean;
	/** The number by which symbols refer to it. */
	readonly index: number;
}

/** The versions asked of the one library that also has to bring 2.38, by name. Nothing where none is asked for. */
function needsBeside238(elf: Buffer, needs: Section, nameAt: (offset: number) => string): Map<string, VersionNeed> | undefined {
	let library = needs.offset;
	for (;;) {
		const versions = new Map<string, VersionNeed>();
		let at = library + elf.readUInt32LE(library + 8);
		for (let left = elf.readUInt16LE(library + 2); left > 0; left--) {
			const flagsAt = at + 4;
			const isWeak = (elf.readUInt16LE(flagsAt) & weakFlag) !== 0;
			versions.set(nameAt(elf.readUInt32LE(at + 8)), { flagsAt, isWeak, index: elf.readUInt16LE(at + 6) });
			at += elf.readUInt32LE(at + 12);
		}
		if (versions.has(tooNew)) return versions;
		const next = elf.readUInt32LE(library + 12);
		if (next === 0) return undefined;
		library += next;
	}
}

/** The mended binary, or undefined where there is nothing (more) to mend. The argument stays as it is. */
export function relinked(original: Uint8Array): Buffer | undefined {
	const elf = Buffer.from(original);
	const sections = sectionsOf(elf);
	const section = (type: number): Section => {
		const found = sections.find((candidate) => candidate.type === type);
		if (!found) throw new Error(`The binary of uWebSockets.js lacks the ELF section of type ${type}.`);
		return found;
	};
	const symbols = section(sectionType.dynamicSymbols);
	const symbolVersions = section(sectionType.symbolVersions);
	const strings = sections[symbols.link];
	if (!strings) throw new Error('The binary of uWebSockets.js has no names for its symbols.');
	const nameAt = (offset: number): string => {
		const start = strings.offset + offset;
		return elf.toString('latin1', start, elf.indexOf(0, start));
	};

	const needs = needsBeside238(elf, section(sectionType.versionNeeds), nameAt);
	const need = needs?.get(tooNew);
	if (!needs || !need || need.isWeak) return undefined;
	const base = needs.get(baseVersion[elf.readUInt16LE(18)] ?? '');
	if (!base) throw new Error('The binary of uWebSockets.js is for a processor that the relink does not know.');

	for (let index = 0; index < symbols.size / symbolBytes; index++) {
		const versionAt = symbolVersions.offset + index * 2;
		if ((elf.readUInt16LE(versionAt) & versionMask) !== need.index) continue;
		const symbolAt = symbols.offset + index * symbolBytes;
		const nameOffset = elf.readUInt32LE(symbolAt);
		const name = nameAt(nameOffset);
		if (!mendable.has(name)) {
			throw new Error(`uWebSockets.js needs ${name} of glibc 2.38, which has no older form: use a system with glibc 2.38 or newer.`);
		}
		elf.writeUInt32LE(nameOffset + c23Prefix.length, symbolAt);
		elf.writeUInt16LE(base.index, versionAt);
	}
	elf.writeUInt16LE(elf.readUInt16LE(need.flagsAt) | weakFlag, need.flagsAt);
	return elf;
}

/** glibc's version as [major, minor]; undefined on musl and on other systems. */
function glibcVersion(): readonly [number, number] | undefined {
	if (process.platform !== 'linux') return undefined;
	// The report would look up the names of all network peers, which can take seconds.
	const report = process.report as typeof process.report & { excludeNetwork: boolean };
	report.excludeNetwork = true;
	const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
	const [major, minor] = (header?.glibcVersionRuntime ?? '').split('.').map(Number);
	return major === undefined || minor === undefined ? undefined : [major, minor];
}

export type Relink =
	/** Load the package as it is. */
	| { readonly outcome: 'not-needed' | 'already-done' | 'done' }
	/** The package cannot be written to; load these bytes instead of its file. */
	| { readonly outcome: 'read-only'; readonly bytes: Buffer };

/** Mends the one binary that this Node will load. `file` is its path. */
export function relinkFile(file: string): Relink {
	const glibc = glibcVersion();
	const isProcessorKnown = process.arch === 'x64' || process.arch === 'arm64';
	if (!glibc || !isProcessorKnown || glibc[0] > 2 || glibc[1] >= 38) return { outcome: 'not-needed' };
	const bytes = relinked(readFileSync(file));
	if (!bytes) return { outcome: 'already-done' };
	// A name of our own and a rename: two relays may start at once, and one may be loading the file.
	const draft = `${file}.${process.pid}`;
	try {
		writeFileSync(draft, bytes, { mode: statSync(file).mode });
		renameSync(draft, file);
		return { outcome: 'done' };
	} catch (error) {
		rmSync(draft, { force: true });
		const { code } = error as NodeJS.ErrnoException;
		if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return { outcome: 'read-only', bytes };
		throw error;
	}
}
