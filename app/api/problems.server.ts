import * as z from 'zod';
import { MINUTE_MS, SECOND_MS } from '#app/sessions/index.ts';
import type { JsonAnswer } from './answer.server.ts';

/** Problem details (RFC 9457). */
export const problemSchema = z.object({
  type: z
    .url()
    .meta({ description: 'Identifies the kind of problem; the page at this address explains it.' }),
  title: z.string().meta({ description: 'The kind, in a few words.' }),
  status: z.int(),
  detail: z.string().meta({ description: 'What to do about it, in a sentence for the user.' }),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .meta({ description: 'What is wrong with each field; "" means the whole body.' }),
});

interface ProblemKind {
  status: number;
  title: string;
  detail: string;
}

/** Every kind of problem that the API answers with, by the name at the end of its `type`. */
export const problems = {
  'not-json': {
    status: 400,
    title: 'That is no JSON',
    detail: 'The body could not be read as JSON.',
  },
  'not-signed-in': {
    status: 401,
    title: 'Not signed in',
    detail: 'Sign in, and send the token as "Authorization: Bearer …".',
  },
  'wrong-credentials': {
    status: 401,
    title: 'Wrong e-mail or password',
    detail: 'Wrong e-mail or password.',
  },
  'sign-in-lapsed': {
    status: 401,
    title: 'Sign-in lapsed',
    detail: 'That took too long, or was finished already. Begin again with the password.',
  },
  'proof-required': {
    status: 401,
    title: 'A recent proof is needed',
    detail:
      'The last proof of who you are is too old for this. Confirm at /api/confirm, then try again.',
  },
  'other-origin': {
    status: 403,
    title: 'Sent from elsewhere',
    detail:
      'A cookie counts only from pages of this application. Nothing was done; use a bearer token.',
  },
  'scope-missing': {
    status: 403,
    title: 'Not allowed by this token',
    detail: 'This access token was not made for that.',
  },
  'not-found': { status: 404, title: 'Not found', detail: 'There is nothing here.' },
  'method-not-allowed': {
    status: 405,
    title: 'Not done that way',
    detail: 'This address does not take that method; see the header Allow.',
  },
  'nothing-to-type': {
    status: 409,
    title: 'Nothing to confirm with',
    detail:
      'This account has no password and no app: confirm with a passkey or a provider, in a browser.',
  },
  'download-under-way': {
    status: 409,
    title: 'A download is under way',
    detail:
      'One is being made already. Wait until it is done, at most ten minutes, then try again.',
  },
  'too-large': {
    status: 413,
    title: 'Too large',
    detail: 'The body is larger than any here needs.',
  },
  'not-json-type': {
    status: 415,
    title: 'Only JSON is read',
    detail: 'Send the body as application/json, in UTF-8 and not compressed.',
  },
  'invalid-fields': {
    status: 422,
    title: 'Some of it is not right',
    detail: 'Look at the errors, field by field.',
  },
  'too-often': {
    status: 429,
    title: 'Tried too often',
    detail: 'Wait as long as the header Retry-After says, then try again.',
  },
  failed: { status: 500, title: 'Failed', detail: 'Something went wrong on our side.' },
  unavailable: {
    status: 503,
    title: 'Not available',
    detail:
      'Something that this stands on is down. You are still signed in; try again in a moment.',
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemName = keyof typeof problems;

interface ProblemDetails {
  detail?: string;
  errors?: { field: string; message: string }[];
  headers?: JsonAnswer['headers'];
}

/** Returns the address that explains a kind of problem. */
const problemType = (origin: string, name: ProblemName) => `${origin}/developers#${name}`;

/** Returns the response for a problem. */
export function problem(
  { origin }: { origin: string },
  name: ProblemName,
  { detail, errors, headers }: ProblemDetails = {},
): JsonAnswer {
  const kind: ProblemKind = problems[name];
  const body: z.input<typeof problemSchema> = {
    type: problemType(origin, name),
    title: kind.title,
    status: kind.status,
    detail: detail ?? kind.detail,
    ...(errors && { errors }),
  };
  return {
    status: kind.status,
    body,
    headers: {
      'Content-Type': 'application/problem+json',
      // RFC 9110 §11.6.1: a 401 must name a scheme for authentication.
      ...(kind.status === 401 && { 'WWW-Authenticate': 'Bearer' }),
      ...headers,
    },
  };
}

/** Returns the response for a field that has the right form and a wrong value. */
export function fieldProblem(context: { origin: string }, field: string, message: string) {
  return problem(context, 'invalid-fields', { errors: [{ field, message }] });
}

/** Returns 429 (RFC 6585 §4). */
export function tooManyRequestsProblem(
  context: { origin: string },
  retryAfterSeconds: number,
): JsonAnswer {
  const minutes = Math.ceil((retryAfterSeconds * SECOND_MS) / MINUTE_MS);
  const wait = minutes === 1 ? 'a minute' : `${minutes} minutes`;
  return problem(context, 'too-often', {
    detail: `That was tried too often. Wait ${wait}, then try again.`,
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
}

/** Returns the step-up challenge of RFC 9470: it asks for re-authentication, not for a sign-in. */
export function proofRequired(context: { origin: string }, freshMs: number): JsonAnswer {
  const challenge = `Bearer error="insufficient_user_authentication", max_age=${freshMs / SECOND_MS}`;
  return problem(context, 'proof-required', { headers: { 'WWW-Authenticate': challenge } });
}
