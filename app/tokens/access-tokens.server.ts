import * as z from 'zod';
import type { Activity } from '#app/activity/record-activity.server.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import { createOneTimeCookie } from '#app/http/one-time-cookie.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import type { EndReason, Session, Sessions } from '#app/sessions/index.ts';
import { DAY_MS } from '#app/sessions/time.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { TokenDays, TokenMeta, TokenScope } from './token-schema.ts';
import { tokenName } from './token-view.server.ts';

/**
 * The prefix of every personal access token, so that secret scanners recognise a leaked one. A session
 * token is never looked up among access tokens, nor the other way round.
 */
export const TOKEN_PREFIX = 'latchkey_';

interface NewToken {
  name: string;
  scopes: TokenScope[];
  days: TokenDays;
}

/** Access tokens are sessions of their own kind; no cookie carries them. */
export type TokenSessions = Sessions<TokenMeta, User>;

interface AccessTokensOptions {
  tokenSessions: Pick<TokenSessions, 'start' | 'list' | 'find' | 'revoke' | 'revokeOthers'>;
  activity: Pick<Activity, 'record'>;
}

export type AccessTokens = ReturnType<typeof createAccessTokens>;

/** The personal access tokens of users. */
export function createAccessTokens({ tokenSessions, activity }: AccessTokensOptions) {
  /** Returns how many live tokens a user has, at most `limit`. */
  const count = async (visit: Visit, userId: string, limit?: number): Promise<number> => {
    const options = limit === undefined ? {} : { limit };
    const { live } = await tokenSessions.list(userId, visit.now, options);
    return live.length;
  };

  return {
    count,

    /** Returns a token of this user, live or ended; `null` for an unknown id, or another user's. */
    find: async (userId: string, id: string | undefined): Promise<Session<TokenMeta> | null> =>
      id === undefined ? null : tokenSessions.find(id, userId),

    /** Returns a user's live tokens, newest activity first. */
    async list(visit: Visit, userId: string): Promise<Session<TokenMeta>[]> {
      return (await tokenSessions.list(userId, visit.now)).live;
    },

    /**
     * Creates a token, records it and mails the user. Its route requires a fresh proof.
     *
     * @param max live tokens that a user may have.
     * @returns the token, which is stored nowhere; `null` if the user has `max` already.
     */
    async create(
      visit: Visit,
      userId: string,
      { name, scopes, days }: NewToken,
      max: number,
    ): Promise<string | null> {
      if ((await count(visit, userId, max)) >= max) return null;
      const expiresAt = new Date(visit.now.getTime() + days * DAY_MS);
      const { userAgent, ipAddress, country } = visit.device;
      const { token } = await tokenSessions.start(
        { userId, label: name, expiresAt, meta: { scopes }, userAgent, ipAddress, country },
        visit.now,
      );
      await activity.record(visit, userId, { kind: 'token-made', token: name });
      return TOKEN_PREFIX + token;
    },

    /**
     * Revokes a token and records it. False if it had ended already.
     *
     * @param by public id of the session, or token, that asks for it.
     */
    async revoke(visit: Visit, token: Session<TokenMeta>, by: string): Promise<boolean> {
      const { id, userId } = token;
      const revocation = { reason: 'signed-out-elsewhere', by, userId } as const;
      const isEnded = await tokenSessions.revoke(id, revocation, visit.now);
      const event = { kind: 'token-revoked', token: tokenName(token) } as const;
      if (isEnded) await activity.record(visit, userId, event, by);
      return isEnded;
    },

    /**
     * Revokes every token of a user except the one that asks, and records it. Returns how many.
     *
     * @param by public id of the session, or token, that asks for it.
     */
    async revokeAll(visit: Visit, userId: string, by: string, reason: EndReason): Promise<number> {
      const ended = await tokenSessions.revokeOthers(userId, by, { reason, by }, visit.now);
      if (ended.length > 0) {
        const event = { kind: 'tokens-revoked', count: ended.length } as const;
        await activity.record(visit, userId, event, by);
      }
      return ended.length;
    },
  };
}

/** Carries a new token, with its name, to the page that shows it, once. */
export const createNewTokens = (options: {
  sealedCookie: SealedCookieFactory;
  replayGuard: Pick<ReplayGuard, 'claim'>;
}) =>
  createOneTimeCookie({
    name: 'new-access-token',
    schema: z.object({ name: z.string(), token: z.string() }),
    ...options,
  });
