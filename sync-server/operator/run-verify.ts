/** `verify` from the command line: every portal's file, one after another, read beside a relay that runs or without one. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isPortalId } from '#crdt-model/ids.ts';
import type { Config } from '../config.ts';
import { MAC_KEY } from './mac-key.ts';
import { Problem } from './problem.ts';
import { verifyPortal, type Verified } from './verify.ts';

const EXTENSION = '.db';

export interface VerifyResult {
	/** All of them are as they were accepted; one that could not be judged is not said to be. */
	readonly ok: boolean;
	readonly portals: readonly Verified[];
}

/** @param onVerified told of each portal as it is done: a large one takes a while */
export function runVerify({ dataDir, storageDir }: Pick<Config, 'dataDir' | 'storageDir'>, onVerified: (verified: Verified) => void): VerifyResult {
	const files = portalFiles(storageDir);
	if (files.length === 0) return { ok: true, portals: [] };
	let macKey: Uint8Array;
	try {
		macKey = readFileSync(join(dataDir, MAC_KEY.file));
	} catch (error) {
		throw new Problem(`${join(dataDir, MAC_KEY.file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}), and without it no seal can be checked.`);
	}
	const portals: Verified[] = [];
	for (const name of files) {
		const portal = name.slice(0, -EXTENSION.length);
		if (!isPortalId(portal)) continue;
		const verified = verifyPortal(join(storageDir, name), portal, macKey);
		portals.push(verified);
		onVerified(verified);
	}
	return { ok: portals.every(({ difference, notJudged }) => difference === null && notJudged === null), portals };
}

function portalFiles(folder: string): string[] {
	try {
		return readdirSync(folder).filter((name) => name.endsWith(EXTENSION)).sort();
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		// Nobody founded a company here yet.
		if (code === 'ENOENT') return [];
		throw new Problem(`${folder} cannot be read (${code ?? 'unknown'}).`);
	}
}
