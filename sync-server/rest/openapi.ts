/**
 * The OpenAPI file, made of the routes' own schemas, so that it cannot say anything else than what is checked.
 */
import { jsonSchemaOf, type JsonSchema } from './json-schema.ts';
import { PORTAL_HEADER, PORTAL_QUERY, type RouteSpec } from './call.ts';
import { commandSchema, creationSchema } from './openapi-kinds.ts';
import { commandBody, createBody, problemAnswer } from './schemas.ts';
import { SESSION_COOKIES } from '../accounts/cookie.ts';
import { STATUS_CODES } from 'node:http';

/** Raised with every change of the API. */
const API_VERSION = '1.0.0';

export function openApiOf(routes: readonly RouteSpec[], publicUrl: string): JsonSchema {
	const paths: Record<string, Record<string, JsonSchema>> = {};
	for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route);
	return {
		openapi: '3.1.0',
		info: {
			title: 'Atrium',
			version: API_VERSION,
			description: 'A company portal that works without a network. `/sync` and `/live/{documentId}` are WebSocket protocols and are specified in docs/.'
		},
		servers: [{ url: publicUrl }],
		paths,
		components: {
			securitySchemes: {
				bearer: { type: 'http', scheme: 'bearer' },
				cookie: { type: 'apiKey', in: 'cookie', name: `${SESSION_COOKIES}…`, description: `One per portal: \`${PORTAL_HEADER}\` or \`?${PORTAL_QUERY}=\` names it, where a browser holds several. Changing calls need an Origin of the portal` }
			},
			responses: { problem: { description: 'A refusal (RFC 9457)', content: { 'application/problem+json': { schema: jsonSchemaOf(problemAnswer) } } } }
		}
	};
}

function operation(route: RouteSpec): JsonSchema {
	const { answer, body, query } = route;
	const statuses = new Set([
		...(route.problems ?? []),
		...(route.signedIn ? [401, 403] : []),
		...(body ? [400, 413, 415, 422] : []),
		...(query ? [422] : [])
	]);
	const content = answer.schema ? { 'application/json': { schema: jsonSchemaOf(answer.schema) } } : answer.type ? { [answer.type]: {} } : undefined;
	const responses: Record<string, JsonSchema> = { [answer.status]: { description: answer.description, ...(content ? { content } : {}) } };
	for (const status of [...statuses].sort()) {
		responses[status] = { $ref: '#/components/responses/problem', description: STATUS_CODES[status] };
	}
	return {
		summary: route.summary,
		...(route.signedIn ? { security: [{ bearer: [] }, { cookie: [] }] } : {}),
		parameters: [...pathParameters(route.path), ...queryParameters(query && jsonSchemaOf(query))],
		...(body ? { requestBody: { required: true, content: { 'application/json': { schema: bodySchema(body) } } } } : {}),
		...(route.raw ? { requestBody: { required: true, content: { [route.raw]: {} } } } : {}),
		responses
	};
}

function bodySchema(body: NonNullable<RouteSpec['body']>): JsonSchema {
	const general = jsonSchemaOf(body);
	return body === createBody ? creationSchema(general) : body === commandBody ? commandSchema(general) : general;
}

function pathParameters(path: string): JsonSchema[] {
	return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function queryParameters(schema: JsonSchema | undefined): JsonSchema[] {
	const required = (schema?.['required'] as string[] | undefined) ?? [];
	return Object.entries((schema?.['properties'] ?? {}) as Record<string, JsonSchema>).map(([name, one]) => ({
		name,
		in: 'query',
		required: required.includes(name),
		schema: one
	}));
}
