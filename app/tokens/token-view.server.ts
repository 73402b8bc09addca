import type { Session } from '#app/sessions/index.ts';
import { readScopes, tokenScopes, type TokenMeta } from './token-schema.ts';

/** A token as its owner sees it: never the token itself. */
export interface TokenView {
  id: string;
  name: string;
  /** "See sessions, Manage sessions". */
  allows: string;
  createdAt: string;
  /** null: it was not used yet. */
  lastUsedAt: string | null;
  expiresAt: string;
}

/** What the pages show of a token. */
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

/** When a token was last used, to within a minute or so; null: not yet. */
export function lastUsedAt({ createdAt, lastSeenAt }: Session): Date | null {
  return lastSeenAt > createdAt ? lastSeenAt : null;
}

/** What a token is called. Each has a name from the start. */
export function tokenName({ label }: Pick<Session, 'label'>): string {
  return label ?? 'Access token';
}
