import { TOKEN_PREFIX } from '#app/tokens/access-tokens.server.ts';

/** What stands behind "Bearer" (RFC 6750 §2.1): the token of a session, or one that a person made. */
export type Bearer =
  | { kind: 'session' | 'token'; token: string }
  /** Another scheme, or more than one token: it opens nothing, and no cookie is looked at instead. */
  | { kind: 'unreadable' };

const BEARER = /^bearer +([\w.-]+) *$/i;

/** null: the request brings no `Authorization` at all. */
export function readBearer(header: string | undefined): Bearer | null {
  if (header === undefined) return null;
  const held = BEARER.exec(header)?.[1];
  if (held === undefined) return { kind: 'unreadable' };
  return held.startsWith(TOKEN_PREFIX)
    ? { kind: 'token', token: held.slice(TOKEN_PREFIX.length) }
    : { kind: 'session', token: held };
}
