import * as z from 'zod';
import { tokenScopes } from '#app/tokens/token-schema.ts';
import type { AnyOperation } from './operation.server.ts';
import { problemSchema, problems, type ProblemName } from './problems.server.ts';

type Json = Record<string, unknown>;

interface ApiDocument extends Json {
  openapi: '3.1.0';
  paths: Record<string, Record<string, Json>>;
}

const PROBLEM_TYPE = 'application/problem+json';
const PROBLEM = { $ref: '#/components/schemas/Problem' };

/** Returns the OpenAPI 3.1 document of these operations, made from the schemas that check requests. */
export function openApiDocument(
  operations: readonly AnyOperation[],
  { origin, cookieName }: { origin: string; cookieName: string },
): ApiDocument {
  const paths: ApiDocument['paths'] = {};
  for (const described of operations) {
    const path = (paths[described.path] ??= {});
    path[described.method.toLowerCase()] = describe(described);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Latchkey',
      version: '1',
      summary: 'Sessions that users can see and end.',
      description: `How to begin is explained at ${origin}/developers.`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: origin }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema, 'output') },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'The token of a session, from /api/login, or a personal access token from the settings.',
        },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: cookieName,
          description: 'For pages of the application itself.',
        },
      },
    },
  };
}

function describe({
  id,
  summary,
  more,
  allows,
  path,
  body,
  query,
  success,
  problems,
}: AnyOperation) {
  const isOpen = allows === 'anybody';
  const scope = typeof allows === 'object' && allows.tokens !== 'any' ? allows.tokens : null;
  return {
    operationId: id,
    summary,
    ...(more && { description: more }),
    security: isOpen ? [] : [{ bearer: scope ? [scope] : [] }, { cookie: [] }],
    ...(scope && { 'x-token-scope': scope, 'x-token-scope-title': tokenScopes[scope].title }),
    ...(allows === 'sessions' && { 'x-sessions-only': true }),
    ...((path.includes('{id}') || query) && { parameters: parametersOf(path, query) }),
    ...(body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaOf(body, 'input') } },
      },
    }),
    responses: {
      [success.status]: {
        description: success.what,
        ...(success.body && {
          content: { 'application/json': { schema: schemaOf(success.body, 'output') } },
        }),
      },
      ...problemResponses([
        ...(isOpen ? [] : (['not-signed-in'] as const)),
        ...(isOpen ? (['other-origin'] as const) : (['scope-missing', 'other-origin'] as const)),
        ...(body ? (['not-json', 'too-large', 'not-json-type', 'invalid-fields'] as const) : []),
        ...(query ? (['invalid-fields'] as const) : []),
        ...(problems ?? []),
        ...(['failed', 'unavailable'] as const),
      ]),
    },
  };
}

function parametersOf(path: string, query: AnyOperation['query']): Json[] {
  const parameters: Json[] = [];
  if (path.includes('{id}')) {
    parameters.push({ name: 'id', in: 'path', required: true, schema: { type: 'string' } });
  }
  const schema = query ? schemaOf(query, 'input') : {};
  const properties = schema.properties as Record<string, Json> | undefined;
  for (const [name, described] of Object.entries(properties ?? {})) {
    parameters.push({ name, in: 'query', required: false, schema: described });
  }
  return parameters;
}

/** Returns one response per status, with the titles of all problems that have it. */
function problemResponses(names: ProblemName[]): Record<string, Json> {
  const texts = new Map<number, Set<string>>();
  for (const name of names) {
    const { status, title } = problems[name];
    texts.set(status, (texts.get(status) ?? new Set()).add(`${title} (${name}).`));
  }
  return Object.fromEntries(
    [...texts].map(([status, said]) => [
      status,
      { description: [...said].join(' '), content: { [PROBLEM_TYPE]: { schema: PROBLEM } } },
    ]),
  );
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  // Left out, because it is the default dialect of OpenAPI 3.1.
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
