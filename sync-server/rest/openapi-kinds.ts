/**
 * What each kind's documents are made of and which commands change them, for the OpenAPI file: taken from the kinds' own schemas, so that a
 * stranger can write `{"command": "task.setDeadline", "value": "2026-12-01"}` without reading the code.
 */
import { KINDS, type KindName } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import { jsonSchemaOf, type JsonSchema } from './json-schema.ts';

/** Arguments that the relay makes where a program brings none (documents.ts). */
const MADE_HERE: Readonly<Record<string, readonly string[]>> = { comment: ['item'], addItem: ['item', 'position'] };

/** The body of a creating call: one shape for each kind. */
export function creationSchema(general: JsonSchema): JsonSchema {
	return {
		...general,
		oneOf: KINDS.map((kind) => ({ title: kind, properties: { kind: { const: kind }, fields: argumentsOf(kind, 'create') } }))
	};
}

/** The body of a commanding call: one shape for each command of each kind. */
export function commandSchema(general: JsonSchema): JsonSchema {
	const commands = KINDS.flatMap((kind) =>
		Object.keys(kindNamed(kind).commands)
			.filter((verb) => verb !== 'create')
			.map((verb): JsonSchema => {
				const { properties, required = [] } = argumentsOf(kind, verb) as { properties: JsonSchema; required?: string[] };
				const needed = required.filter((name) => !MADE_HERE[verb]?.includes(name));
				const name = `${kind}.${verb}`;
				return { title: name, properties: { command: { const: name }, ...properties }, required: ['command', ...needed] };
			})
	);
	// The kind may be left out of the name, and the arguments may stand in `args`: said in words, for three forms of each help nobody.
	return { ...general, anyOf: commands };
}

function argumentsOf(kind: KindName, verb: string): JsonSchema {
	return jsonSchemaOf(kindNamed(kind).commands[verb]!.args);
}
