import type { ApiApp } from './api-app.ts';
import { openApiDocument } from './openapi.server.ts';
import { allOperations } from './operations/all-operations.server.ts';
import { problems } from './problems.server.ts';

/** What the developers' page shows of an operation. */
interface GuideOperation {
  id: string;
  method: string;
  path: string;
  summary: string;
  more: string | null;
  /** Who may call it, in a sentence. */
  who: string;
  /** The parameters and fields of the body. */
  takes: GuideField[];
  answers: { status: string; what: string }[];
}

interface GuideField {
  name: string;
  where: 'body' | 'query' | 'path';
  isRequired: boolean;
  what: string;
}

interface Described {
  parameters?: {
    name: string;
    in: 'query' | 'path';
    required: boolean;
    schema: { description?: string };
  }[];
  requestBody?: {
    content: {
      'application/json': {
        schema: { properties?: Record<string, { description?: string }>; required?: string[] };
      };
    };
  };
  responses: Record<string, { description: string }>;
}

/** What the developers' page shows of the API. */
interface ApiGuide {
  operations: GuideOperation[];
  problems: { name: string; status: number; detail: string }[];
}

/**
 * Returns a function that describes the API for the developers' page, from its OpenAPI document, so that
 * both say the same. The description is made on the first call, and kept.
 */
export function createApiGuide(of: Pick<ApiApp, 'origin' | 'sessionCookie'>): () => ApiGuide {
  let guide: ApiGuide | undefined;
  return () => (guide ??= describeApi(of));
}

function describeApi({
  origin,
  sessionCookie,
}: Pick<ApiApp, 'origin' | 'sessionCookie'>): ApiGuide {
  const { paths } = openApiDocument(allOperations, { origin, cookieName: sessionCookie.name });
  const operations = allOperations.map(
    ({ id, method, path, summary, more = null, allows }): GuideOperation => {
      const described = paths[path]![method.toLowerCase()] as unknown as Described;
      return {
        id,
        method,
        path,
        summary,
        more,
        who: whoText(allows),
        takes: fieldsOf(described),
        answers: Object.entries(described.responses).map(([status, { description }]) => ({
          status,
          what: description,
        })),
      };
    },
  );
  return {
    operations,
    problems: Object.entries(problems).map(([name, { status, detail }]) => ({
      name,
      status,
      detail,
    })),
  };
}

function whoText(allows: (typeof allOperations)[number]['allows']): string {
  if (allows === 'anybody') return 'Anybody.';
  if (allows === 'sessions') return 'Whoever is signed in; no access token.';
  return allows.tokens === 'any'
    ? 'Whoever is signed in, and any access token.'
    : `Whoever is signed in, and access tokens with ${allows.tokens}.`;
}

function fieldsOf({ parameters = [], requestBody }: Described): GuideField[] {
  const { properties = {}, required = [] } = requestBody?.content['application/json'].schema ?? {};
  return [
    ...parameters.map((parameter) => ({
      name: parameter.name,
      where: parameter.in,
      isRequired: parameter.required,
      what: parameter.schema.description ?? '',
    })),
    ...Object.entries(properties).map(([name, { description = '' }]) => ({
      name,
      where: 'body' as const,
      isRequired: required.includes(name),
      what: description,
    })),
  ];
}
