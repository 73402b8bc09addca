import * as z from 'zod';

/** The scopes of personal access tokens, with their texts. */
export const tokenScopes = {
  'sessions:read': {
    title: 'See sessions',
    what: 'Where you are signed in, and your tokens; your name and e-mail.',
  },
  'sessions:manage': {
    title: 'Manage sessions',
    what: 'Name and sign out devices, and revoke tokens, without asking you again.',
  },
  download: {
    title: 'Download your data',
    what: 'Everything that is kept about you, as a file.',
  },
} as const;

export type TokenScope = keyof typeof tokenScopes;

const scopeNames = Object.keys(tokenScopes) as TokenScope[];

export const tokenScopeSchema = z.enum(scopeNames);

/** The data that is stored with a token. */
export interface TokenMeta {
  scopes: TokenScope[];
}

/** The lifetimes that a user can choose for a token. */
export const TOKEN_DAYS = [7, 30, 90, 365] as const;
export type TokenDays = (typeof TOKEN_DAYS)[number];
/** The lifetime that the form selects at first. */
export const DEFAULT_TOKEN_DAYS = 30;
/** Live tokens that one user may have. */
export const MAX_TOKENS = 50;

const MAX_NAME_CHARACTERS = 40;

/** A name for a token, 1 to 40 characters on one line. */
export const tokenNameSchema = z
  .string('Say what it is for.')
  .trim()
  .min(1, 'Say what it is for.')
  .refine((name) => [...name].length <= MAX_NAME_CHARACTERS, {
    error: `Use at most ${MAX_NAME_CHARACTERS} characters.`,
  })
  .regex(/^\P{Cc}*$/u, 'Leave out line breaks and other control characters.');

/**
 * Returns the scopes of a token. A scope that another version of the application stored, and that this
 * version does not know, is ignored.
 */
export function readScopes(meta: TokenMeta | null): TokenScope[] {
  const stored: readonly unknown[] = Array.isArray(meta?.scopes) ? meta.scopes : [];
  return scopeNames.filter((scope) => stored.includes(scope));
}
