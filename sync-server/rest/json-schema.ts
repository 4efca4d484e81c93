/**
 * Valibot schemas as JSON Schema (draft 2020-12), for the OpenAPI file. Knows what the API's schemas use; anything else is a fault at the start
 * of the first test and not a silent `{}`. A `custom` schema is described by its message and metadata.
 */
import type * as v from 'valibot';

export type JsonSchema = { [key: string]: unknown };
type Anything = v.GenericSchema & Record<string, unknown>;
interface Action {
	readonly kind: string;
	readonly type: string;
	readonly requirement?: unknown;
	readonly metadata?: JsonSchema;
}

export function jsonSchemaOf(schema: v.GenericSchema): JsonSchema {
	const base = plain(schema as Anything);
	for (const part of ((schema as Anything)['pipe'] as Action[] | undefined)?.slice(1) ?? []) Object.assign(base, constraint(part, base));
	return base;
}

function plain(schema: Anything): JsonSchema {
	const wrapped = () => jsonSchemaOf(schema['wrapped'] as v.GenericSchema);
	switch (schema.type) {
		case 'string':
		case 'number':
		case 'boolean':
		case 'null':
			return { type: schema.type };
		case 'unknown':
		case 'any':
			return {};
		case 'custom':
			return inWords(schema);
		case 'literal':
			return { const: schema['literal'] };
		case 'picklist':
			return { enum: [...(schema['options'] as unknown[])] };
		case 'optional':
		case 'exact_optional':
			return wrapped();
		case 'nullable':
			return { anyOf: [wrapped(), { type: 'null' }] };
		case 'union':
			return { anyOf: (schema['options'] as v.GenericSchema[]).map(jsonSchemaOf) };
		case 'array':
			return { type: 'array', items: jsonSchemaOf(schema['item'] as v.GenericSchema) };
		case 'record':
			return { type: 'object', additionalProperties: jsonSchemaOf(schema['value'] as v.GenericSchema) };
		case 'object':
		case 'loose_object':
		case 'strict_object':
			return objectSchema(schema);
		default:
			throw new Error(`the OpenAPI file has no words for a valibot ${schema.type}`);
	}
}

function objectSchema(schema: Anything): JsonSchema {
	const entries = Object.entries(schema['entries'] as Record<string, Anything>);
	const required = entries.filter(([, value]) => value.type !== 'optional' && value.type !== 'exact_optional').map(([name]) => name);
	return {
		type: 'object',
		properties: Object.fromEntries(entries.map(([name, value]) => [name, jsonSchemaOf(value)])),
		...(required.length > 0 ? { required } : {}),
		...(schema.type === 'strict_object' ? { additionalProperties: false } : {})
	};
}

/** `not the id of a task` is what a caller is told; `the id of a task` is what to bring. */
function inWords({ message }: Anything): JsonSchema {
	return typeof message === 'string' ? { description: message.replace(/^not (an? )?/, '') } : {};
}

function constraint({ kind, type, requirement, metadata }: Action, base: JsonSchema): JsonSchema {
	const isList = base['type'] === 'array';
	if (kind === 'metadata') return metadata ?? {};
	switch (type) {
		case 'min_length':
			return isList ? { minItems: requirement } : { minLength: requirement };
		case 'max_length':
			return isList ? { maxItems: requirement } : { maxLength: requirement };
		case 'min_value':
			return { minimum: requirement };
		case 'max_value':
			return { maximum: requirement };
		case 'integer':
			return { type: 'integer' };
		case 'regex':
			return { pattern: (requirement as RegExp).source };
		case 'email':
			return { format: 'email' };
		case 'iso_date':
			return { format: 'date' };
		default:
			// Checks and transformations say nothing that JSON Schema could say.
			return {};
	}
}
