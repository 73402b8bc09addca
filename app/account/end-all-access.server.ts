import type { EndReason, Sessions } from '#app/sessions/index.ts';
import type { TokenSessions } from '#app/tokens/access-tokens.server.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';

interface EndAllAccessOptions {
  sessions: Pick<Sessions<SessionMeta, User>, 'revokeOthers'>;
  tokenSessions: Pick<TokenSessions, 'revokeOthers'>;
}

export type EndAllAccess = (
  visit: Pick<Visit, 'now'>,
  userId: string,
  reason: EndReason,
) => Promise<void>;

/**
 * Ends every session and every token of a user. Call it when an attacker may have had access: they may
 * have created a token.
 */
export const createEndAllAccess =
  ({ sessions, tokenSessions }: EndAllAccessOptions): EndAllAccess =>
  async ({ now }, userId, reason) => {
    await sessions.revokeOthers(userId, null, { reason }, now);
    await tokenSessions.revokeOthers(userId, null, { reason }, now);
  };
