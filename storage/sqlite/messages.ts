/** What the relay's thread and the worker say to each other. The methods of PortalDatabase are the table of questions. */
import type { PortalId } from '#crdt-model/ids.ts';
import type { Packed } from './flat.ts';
import type { PortalDatabase } from './portal-database.ts';

export interface WorkerSettings {
	readonly folder: string;
	/** The worker's own ceiling where nothing is said. */
	readonly maxOpenDatabases?: number | undefined;
}

export type Question =
	| 'head'
	| 'heads'
	| 'load'
	| 'headsOfKinds'
	| 'documentsOf'
	| 'ofScope'
	| 'entriesAfter'
	| 'reached'
	| 'digest'
	| 'history'
	| 'notices'
	| 'answers'
	| 'bindings';
export type QuestionInput<Q extends Question> = Parameters<PortalDatabase[Q]>[0];
export type QuestionValue<Q extends Question> = ReturnType<PortalDatabase[Q]>;

/** `release` closes a portal's file until it is asked for again; `closeAll` is the last request. */
export type Op = Question | 'open' | 'commit' | 'release' | 'closeAll';

export type Request =
	| { readonly id: number; readonly op: 'closeAll' }
	| {
			readonly id: number;
			readonly op: Exclude<Op, 'closeAll'>;
			readonly portal: PortalId;
			readonly input: unknown;
			readonly packed: Packed | null;
	  };

export type Reply =
	| { readonly id: number; readonly ok: true; readonly value: unknown; readonly packed: Packed }
	| { readonly id: number; readonly ok: false; readonly problem: string };
