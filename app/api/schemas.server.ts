import * as z from 'zod';
import { tokenScopeSchema } from '#app/tokens/token-schema.ts';
import { deviceNameSchema } from '#app/devices/device-view.server.ts';

const time = (description: string) => z.iso.datetime().meta({ description });

const userSchema = z
  .object({ id: z.string(), email: z.string(), name: z.string() })
  .meta({ description: 'Whose session or token it is.' });

const id = z.string().meta({ description: 'Public: it names a session and proves nothing.' });
const kind = z
  .enum(['session', 'token'])
  .meta({ description: 'A device that is signed in, or a personal access token.' });
const scopes = z
  .array(tokenScopeSchema)
  .nullable()
  .meta({ description: 'What a token may do; null for a session, which may do anything.' });

/** Who asks. */
export const currentSessionSchema = z.object({
  person: userSchema,
  session: z.object({
    id,
    kind,
    scopes,
    expiresAt: time('When it ends by itself.'),
    provenAt: time('The last full proof of who the person is.'),
    isFresh: z
      .boolean()
      .meta({ description: 'True while that proof is recent enough for anything sensitive.' }),
  }),
});

/** A session, or token, in the list of a person. */
export const listedSessionSchema = z.object({
  id,
  kind,
  name: z
    .string()
    .meta({ description: 'The name it was given, or what the device says of itself.' }),
  isNamed: z.boolean().meta({ description: 'Whether it was given one.' }),
  isCurrent: z.boolean().meta({ description: 'True for the one that asks.' }),
  device: z.string().meta({ description: 'Browser and system that began it.' }),
  place: z.string(),
  ipAddress: z.string(),
  provenBy: z.string().nullable().meta({ description: 'What the person signed in with.' }),
  scopes,
  createdAt: time('When it began.'),
  lastUsedAt: z.iso
    .datetime()
    .nullable()
    .meta({ description: 'To within a minute or so; null: not since it was made.' }),
  expiresAt: time('When it ends by itself.'),
});

export const sessionListSchema = z.object({ sessions: z.array(listedSessionSchema) });

const token = z.string().meta({
  description: 'For "Authorization: Bearer …". It is shown here and nowhere else.',
});

/** What comes of signing in. */
export const signedInSchema = z.object({
  state: z.literal('signed-in'),
  token,
  ...currentSessionSchema.shape,
});

export const secondFactorStepSchema = z.object({
  state: z.literal('second-factor'),
  pending: z.string().meta({ description: 'To be sent along with the code. It signs nobody in.' }),
  expiresAt: time('Until when it can be.'),
});

export const signInSchema = z.discriminatedUnion('state', [signedInSchema, secondFactorStepSchema]);

export const confirmedSchema = z.object({
  token: token.nullable().meta({
    description: 'In place of the one before, which is dead; null where a cookie was asked by.',
  }),
  ...currentSessionSchema.shape,
});

export const endedSchema = z.object({
  sessions: z.int().meta({ description: 'How many devices were signed out.' }),
  tokens: z.int().meta({ description: 'How many tokens were revoked.' }),
});

/** A name for a session; null takes it away. */
export const nameSchema = z
  .string()
  .nullable()
  .transform((name) => name ?? undefined)
  .pipe(deviceNameSchema)
  .meta({ description: 'At most 40 characters on one line. null or nothing takes the name away.' });
