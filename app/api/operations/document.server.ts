import * as z from 'zod';
import type { ApiApp } from '../api-app.ts';
import { answerOf } from '../answer.server.ts';
import { openApiDocument } from '../openapi.server.ts';
import { openOperation, type AnyOperation } from '../operation.server.ts';
import { allOperations } from './all-operations.server.ts';

const documentSchema = z
  .looseObject({ openapi: z.string() })
  .meta({ description: 'An OpenAPI 3.1 document.' });

/** Makes the operation that describes every operation, itself included. The document is made on use. */
export function documentOperation({
  origin,
  sessionCookie,
}: Pick<ApiApp, 'origin' | 'sessionCookie'>): AnyOperation {
  const described: AnyOperation = openOperation({
    id: 'describe',
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This description, as OpenAPI 3.1',
    allows: 'anybody',
    success: { status: 200, what: 'The document.', body: documentSchema },
    run: () => answerOf(documentSchema, (document ??= describe())),
  });
  const describe = () =>
    openApiDocument([...allOperations, described], { origin, cookieName: sessionCookie.name });
  let document: ReturnType<typeof describe> | undefined;
  return described;
}
