import { TOKEN_PREFIX } from '#app/tokens/access-tokens.server.ts';

/** The token of an `Authorization` header (RFC 6750 §2.1): of a session, or a personal access token. */
export type Bearer =
  | { kind: 'session' | 'token'; token: string }
  /** Another scheme, or more than one token: it is refused, and a cookie is not used instead. */
  | { kind: 'unreadable' };

const BEARER = /^bearer +([\w.-]+) *$/i;

/** Returns the bearer token of a header; `null` without an `Authorization` header. */
export function readBearer(header: string | undefined): Bearer | null {
  if (header === undefined) return null;
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) return { kind: 'unreadable' };
  return token.startsWith(TOKEN_PREFIX)
    ? { kind: 'token', token: token.slice(TOKEN_PREFIX.length) }
    : { kind: 'session', token };
}
