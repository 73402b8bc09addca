import * as z from 'zod';

/** What a personal access token may be allowed, and what to call it. */
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

/** What is kept with a token: what it may do, and nothing else. */
export interface TokenMeta {
  scopes: TokenScope[];
}

/** For how many days a token can be made. */
export const TOKEN_DAYS = [7, 30, 90, 365] as const;
export type TokenDays = (typeof TOKEN_DAYS)[number];
/** What is chosen until somebody chooses otherwise. */
export const DEFAULT_TOKEN_DAYS = 30;
/** Live tokens that one person may have. */
export const MAX_TOKENS = 50;

const MAX_NAME_CHARACTERS = 40;

/** What a token is for, 1 to 40 characters on one line. */
export const tokenNameSchema = z
  .string('Say what it is for.')
  .trim()
  .min(1, 'Say what it is for.')
  .refine((name) => [...name].length <= MAX_NAME_CHARACTERS, {
    error: `Use at most ${MAX_NAME_CHARACTERS} characters.`,
  })
  .regex(/^\P{Cc}*$/u, 'Leave out line breaks and other control characters.');

/**
 * The scopes of a token. What was kept by another version of the application, and is no scope of
 * this one, allows nothing.
 */
export function readScopes(meta: TokenMeta | null): TokenScope[] {
  const kept: readonly unknown[] = Array.isArray(meta?.scopes) ? meta.scopes : [];
  return scopeNames.filter((scope) => kept.includes(scope));
}
