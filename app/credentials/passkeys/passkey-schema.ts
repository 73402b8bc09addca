import * as z from 'zod';

/** At most 1023 bytes (WebAuthn §5.8.3), in base64url. */
const MAX_ID_CHARACTERS = 1364;
const MAX_PART_CHARACTERS = 16_384;
const MAX_JSON_CHARACTERS = 49_152;
const MAX_NAME_CHARACTERS = 40;

const base64url = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[\w-]+$/);
const idSchema = base64url(MAX_ID_CHARACTERS);
const partSchema = base64url(MAX_PART_CHARACTERS);

const NO_ANSWER = 'Your browser sent nothing that we could read. Try again.';

/** Parses the JSON text of a field; any other text is an error of the field. */
const jsonOf = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string({ error: NO_ANSWER })
    .max(MAX_JSON_CHARACTERS, NO_ANSWER)
    .transform((text, context): z.output<Schema> => {
      const parsed = schema.safeParse(parseJson(text));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: 'custom', message: NO_ANSWER });
      return z.NEVER;
    });

// We request no extensions, so their results are dropped.
const envelope = {
  id: idSchema,
  rawId: idSchema,
  type: z.literal('public-key'),
  clientExtensionResults: z.unknown().transform(() => ({})),
};

/** A browser's answer when a passkey was used (`AuthenticationResponseJSON`), as JSON text. */
export const assertionSchema = jsonOf(
  z.object({
    ...envelope,
    response: z.object({
      clientDataJSON: partSchema,
      authenticatorData: partSchema,
      signature: partSchema,
      userHandle: idSchema.optional(),
    }),
  }),
);
export type Assertion = z.output<typeof assertionSchema>;

/** A browser's answer when a passkey was created (`RegistrationResponseJSON`), as JSON text. */
export const newPasskeySchema = jsonOf(
  z.object({
    ...envelope,
    response: z.object({
      clientDataJSON: partSchema,
      attestationObject: partSchema,
      transports: z.array(z.string().max(32)).max(8).catch([]).default([]),
    }),
  }),
);
export type NewPasskey = z.output<typeof newPasskeySchema>;

/** A name for a passkey, 1 to 40 characters on one line. */
export const passkeyNameSchema = z
  .string({ error: 'Enter a name.' })
  .trim()
  .min(1, 'Enter a name.')
  .refine((name) => [...name].length <= MAX_NAME_CHARACTERS, {
    error: `Use at most ${MAX_NAME_CHARACTERS} characters.`,
  })
  .regex(/^\P{Cc}*$/u, 'Leave out line breaks and other control characters.');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
