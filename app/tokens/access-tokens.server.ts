import type { TokenDays, TokenScope } from './token-schema.ts';
import type { PageContext } from '#app/context.server.ts';
import { DAY_MS, type EndReason } from '#app/sessions/index.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';
import { deviceOf } from '#app/sign-in/sign-in.server.ts';

/**
 * Stands before every personal access token: what leaked can be told for what it is, and no session's
 * token is ever looked for among these, nor one of these among sessions.
 */
export const TOKEN_PREFIX = 'latchkey_';

export interface NewToken {
  name: string;
  scopes: TokenScope[];
  days: TokenDays;
}

/**
 * Makes a personal access token; only right after its owner proved who they are. It is written down, and
 * its owner is told by mail.
 *
 * @param most live ones that a person may have.
 * @returns the token, which is kept nowhere; null when there are as many as there may be.
 */
export async function makeToken(
  context: PageContext,
  userId: string,
  { name, scopes, days }: NewToken,
  most: number,
): Promise<string | null> {
  const { tokens, now } = context;
  if ((await countTokens(context, userId, most)) >= most) return null;
  const expiresAt = new Date(now.getTime() + days * DAY_MS);
  const { token } = await tokens.start(
    { userId, label: name, expiresAt, meta: { scopes }, ...deviceOf(context) },
    now,
  );
  await recordActivity(context, userId, { kind: 'token-made', token: name });
  return TOKEN_PREFIX + token;
}

/** How many live tokens there are, up to `most`. */
export async function countTokens(
  { tokens, now }: Pick<PageContext, 'tokens' | 'now'>,
  userId: string,
  most?: number,
): Promise<number> {
  const { live } = await tokens.list(userId, now, most === undefined ? {} : { limit: most });
  return live.length;
}

/**
 * Revokes a token of this user and writes it down. False when it was over already.
 *
 * @param by public id of the session, or token, that asks for it.
 */
export async function revokeToken(
  context: PageContext,
  { id, userId, name }: { id: string; userId: string; name: string },
  by: string,
): Promise<boolean> {
  const revocation = { reason: 'signed-out-elsewhere', by, userId } as const;
  const isEnded = await context.tokens.revoke(id, revocation, context.now);
  if (isEnded) await recordActivity(context, userId, { kind: 'token-revoked', token: name }, by);
  return isEnded;
}

/**
 * Revokes every token of this user but the one that asks for it, if one does, and writes it down.
 * Answers how many they were.
 *
 * @param by public id of the session, or token, that asks for it.
 */
export async function revokeTokens(
  context: PageContext,
  userId: string,
  by: string,
  reason: EndReason,
): Promise<number> {
  const ended = await context.tokens.revokeOthers(userId, by, { reason, by }, context.now);
  if (ended.length > 0) {
    await recordActivity(context, userId, { kind: 'tokens-revoked', count: ended.length }, by);
  }
  return ended.length;
}

/**
 * Ends every session and every token of this user: after whatever says that somebody else may have
 * been in the account, for who was may have made a token.
 */
export async function endAllAccess(
  { sessions, tokens, now }: Pick<PageContext, 'sessions' | 'tokens' | 'now'>,
  userId: string,
  reason: EndReason,
): Promise<void> {
  await sessions.revokeOthers(userId, null, { reason }, now);
  await tokens.revokeOthers(userId, null, { reason }, now);
}
