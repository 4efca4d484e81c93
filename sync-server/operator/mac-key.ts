/** A key that lies in DATA_DIR as a file of its own, and beside the backups of it. */
export interface KeptKey {
	readonly file: string;
	readonly bytes: number;
}

/** Where the key of the seals lies in DATA_DIR: for the relay, and for commands that work without it. */
export const MAC_KEY = { file: 'mac.key', bytes: 32 } as const satisfies KeptKey;
