/** Where the key of the seals lies in DATA_DIR, as main.ts keeps it. */
export const MAC_KEY = { file: 'mac.key', bytes: 32 } as const;
