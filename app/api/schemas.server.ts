import * as z from 'zod';
import { tokenScopeSchema } from '#app/tokens/token-schema.ts';
import { deviceNameSchema } from '#app/devices/device-view.server.ts';

const time = (description: string) => z.iso.datetime().meta({ description });

const userSchema = z
  .object({ id: z.string(), email: z.string(), name: z.string() })
  .meta({ description: 'The user of the session or token.' });

const id = z.string().meta({ description: 'Public: it identifies a session and gives no access.' });
const kind = z
  .enum(['session', 'token'])
  .meta({ description: 'A device that is signed in, or a personal access token.' });
const scopes = z
  .array(tokenScopeSchema)
  .nullable()
  .meta({ description: 'What a token may do; null for a session, which may do anything.' });

/** The session or token of a request, and its user. */
export const currentSessionSchema = z.object({
  person: userSchema,
  session: z.object({
    id,
    kind,
    scopes,
    expiresAt: time('When it expires.'),
    provenAt: time('When the user last gave a full proof of identity.'),
    isFresh: z
      .boolean()
      .meta({ description: 'True while that proof is recent enough for sensitive operations.' }),
  }),
});

/** A session or token in the list of a user. */
export const listedSessionSchema = z.object({
  id,
  kind,
  name: z
    .string()
    .meta({ description: 'The name that the user gave it, or a description of the device.' }),
  isNamed: z.boolean().meta({ description: 'True if the user gave it a name.' }),
  isCurrent: z.boolean().meta({ description: 'True for the session or token of the request.' }),
  device: z.string().meta({ description: 'Browser and system that started it.' }),
  place: z.string(),
  ipAddress: z.string(),
  provenBy: z.string().nullable().meta({ description: 'How the user signed in.' }),
  scopes,
  createdAt: time('When it was created.'),
  lastUsedAt: z.iso
    .datetime()
    .nullable()
    .meta({ description: 'Accurate to about a minute; null if it was not used yet.' }),
  expiresAt: time('When it expires.'),
});

export const sessionListSchema = z.object({ sessions: z.array(listedSessionSchema) });

const token = z.string().meta({
  description: 'For "Authorization: Bearer …". It is shown only here.',
});

/** The result of a finished sign-in. */
export const signedInSchema = z.object({
  state: z.literal('signed-in'),
  token,
  ...currentSessionSchema.shape,
});

const secondFactorStepSchema = z.object({
  state: z.literal('second-factor'),
  pending: z.string().meta({ description: 'Send it with the code. It gives no access alone.' }),
  expiresAt: time('When it expires.'),
});

export const signInSchema = z.discriminatedUnion('state', [signedInSchema, secondFactorStepSchema]);

export const confirmedSchema = z.object({
  token: token.nullable().meta({
    description:
      'Replaces the earlier token, which is no longer valid; null for a session with a cookie.',
  }),
  ...currentSessionSchema.shape,
});

export const endedSchema = z.object({
  sessions: z.int().meta({ description: 'How many devices were signed out.' }),
  tokens: z.int().meta({ description: 'How many tokens were revoked.' }),
});

/** A name for a session; `null` removes it. */
export const nameSchema = z
  .string()
  .nullable()
  .transform((name) => name ?? undefined)
  .pipe(deviceNameSchema)
  .meta({
    description: 'At most 40 characters on one line. null or an empty text removes the name.',
  });
