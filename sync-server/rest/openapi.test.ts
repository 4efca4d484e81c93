import * as v from 'valibot';
import { expect, test } from 'vitest';
import { honoPath, type Services } from './call.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { restApp, routes } from './app.ts';

const nobody = null as never;
const services = { accounts: nobody, portals: nobody, letters: nobody, addresses: nobody, publicUrl: 'http://127.0.0.1:8420', now: () => 0 } as unknown as Services;
const app = restApp({
	services: { ...services, accounts: {} as never, portals: {} as never },
	metrics: { called: () => undefined, contentType: 'text/plain', text: async () => '' },
	operator: { mount: () => undefined },
	operatorToken: null,
	onFault: (fault) => {
		throw fault;
	}
});
const env = { ip: null, isLocal: true };
const file = async () => (await app.request('/api/openapi.json', {}, env)).json();

test('every route is in the file, and the file names nothing else', async () => {
	const { paths } = (await file()) as { paths: Record<string, Record<string, unknown>> };
	const described = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${honoPath(path)}`));
	const mounted = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
	expect(described.sort()).toEqual([...new Set(mounted)].sort());
	expect(described.length).toBe(routes.length);
});

test('every call says what it brings and gets, and what may go wrong', async () => {
	const { openapi, paths } = (await file()) as { openapi: string; paths: Record<string, Record<string, any>> };
	expect(openapi).toBe('3.1.0');
	for (const spec of routes) {
		const operation = paths[spec.path]![spec.method];
		expect(operation.responses[spec.answer.status], spec.path).toBeDefined();
		expect(Boolean(operation.requestBody), spec.path).toBe(spec.body !== undefined || spec.raw !== undefined);
		expect(Boolean(operation.security), spec.path).toBe(spec.signedIn);
		if (spec.signedIn) expect(operation.responses[401]).toBeDefined();
	}
	expect(paths['/api/v1/documents']!['get'].parameters.map((one: { name: string; required: boolean }) => [one.name, one.required])).toEqual([
		['kind', true],
		['after', false],
		['limit', false]
	]);
});

test('fields of every kind and arguments of every command can be read from the file', async () => {
	const { paths } = (await file()) as { paths: Record<string, Record<string, any>> };
	const body = (path: string) => paths[path]!['post'].requestBody.content['application/json'].schema;
	const page = body('/api/v1/documents').oneOf.find((one: { title: string }) => one.title === 'page');
	expect(page.properties.fields).toMatchObject({ properties: { place: { enum: ['company', 'mine'] } }, required: ['title'] });
	const commands = new Map<string, any>(body('/api/v1/documents/{id}/commands').anyOf.map((one: { title: string }) => [one.title, one]));
	expect(commands.get('task.setDeadline')).toMatchObject({ properties: { value: { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] } }, required: ['command', 'value'] });
	expect(commands.get('employee.joinDepartment').properties.member).toEqual({ description: 'the id of a department' });
	expect(commands.get('task.comment').required).toEqual(['command', 'text']);
	expect(commands.has('task.create')).toBe(false);
});

test('valibot schemas as JSON Schema', () => {
	const schema = v.strictObject({
		name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(5)),
		tags: v.optional(v.pipe(v.array(v.picklist(['a', 'b'])), v.maxLength(3))),
		at: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0)))
	});
	expect(jsonSchemaOf(schema)).toEqual({
		type: 'object',
		properties: {
			name: { type: 'string', minLength: 1, maxLength: 5 },
			tags: { type: 'array', items: { enum: ['a', 'b'] }, maxItems: 3 },
			at: { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'null' }] }
		},
		required: ['name', 'at'],
		additionalProperties: false
	});
	expect(() => jsonSchemaOf(v.date())).toThrow('date');
});
