import type { Session } from '#app/sessions/index.ts';
import { readScopes, tokenScopes, type TokenMeta } from './token-schema.ts';

/** A token as its user sees it: without the token itself. */
interface TokenView {
  id: string;
  name: string;
  /** "See sessions, Manage sessions". */
  allows: string;
  createdAt: string;
  /** `null` if it was not used yet. */
  lastUsedAt: string | null;
  expiresAt: string;
}

/** Returns what the pages show of a token. */
export function viewToken(token: Session<TokenMeta>): TokenView {
  const { id, createdAt, expiresAt } = token;
  return {
    id,
    name: tokenName(token),
    createdAt: createdAt.toISOString(),
    allows: readScopes(token.meta)
      .map((scope) => tokenScopes[scope].title)
      .join(', '),
    lastUsedAt: lastUsedAt(token)?.toISOString() ?? null,
    expiresAt: expiresAt.toISOString(),
  };
}

/** Returns when a token was last used, accurate to about a minute; `null` if it was not used yet. */
export function lastUsedAt({ createdAt, lastSeenAt }: Session): Date | null {
  return lastSeenAt > createdAt ? lastSeenAt : null;
}

/** Returns the name of a token. Each is created with one. */
export function tokenName({ label }: Pick<Session, 'label'>): string {
  return label ?? 'Access token';
}
