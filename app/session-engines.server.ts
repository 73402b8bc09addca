import type { Env } from '#app/config/env.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { Metrics } from '#app/operations/metrics.server.ts';
import { DAY_MS, SECOND_MS, Sessions, type NewsFeed } from '#app/sessions/index.ts';
import { SessionCache, uncachedLookup, type Lookup } from '#app/sessions/session-cache.ts';
import type { SessionFeed } from '#app/sessions/session-feed.ts';
import { countEndedSessions } from '#app/sessions/stores/counting-store.ts';
import { prismaSessionStore } from '#app/sessions/stores/prisma.ts';
import { MAX_TOKENS, TOKEN_DAYS, type TokenMeta } from '#app/tokens/token-schema.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import {
  USER_COLUMNS,
  USER_SUBQUERIES,
  type User,
  type UserColumn,
  type UserSubquery,
} from '#app/visit/user.ts';

const LONGEST_TOKEN_MS = Math.max(...TOKEN_DAYS) * DAY_MS;

interface SessionEnginesOptions {
  feed: NewsFeed;
  /** The same feed if memory may answer under leases; `null`: every request reads its row. */
  leased: SessionFeed | null;
  metrics: Metrics;
}

/** Makes two engines over one table, for sessions and for access tokens. Neither sees the other's rows. */
export function createSessionEngines(
  env: Env,
  { client, provider, rows, checkpoint }: Database,
  { feed, leased, metrics }: SessionEnginesOptions,
) {
  const onLookup = (result: Lookup) => metrics.lookups.inc({ result });
  const max = env.SESSION_CACHE_SIZE;
  const table = {
    client,
    provider,
    rows,
    checkpoint,
    userColumns: USER_COLUMNS,
    userSubqueries: USER_SUBQUERIES,
  };
  const optionsOf = <Meta>(kind: 'session' | 'token') => ({
    feed: leased ?? feed,
    cache: leased
      ? new SessionCache<Meta, User>({ feed: leased, max, onLookup })
      : uncachedLookup<Meta, User>(onLookup),
    store: countEndedSessions(
      prismaSessionStore<Meta, UserColumn, UserSubquery>({ ...table, kind }),
      (reason, count) => metrics.revocations.inc({ reason }, count),
    ),
    retentionMs: env.SESSION_RETENTION_DAYS * DAY_MS,
  });
  const sessions = new Sessions<SessionMeta, User>({
    ...optionsOf('session'),
    timeouts: {
      idleMs: env.SESSION_IDLE_SECONDS * SECOND_MS,
      lifetimeMs: env.SESSION_LIFETIME_SECONDS * SECOND_MS,
      rememberedIdleMs: env.REMEMBERED_SESSION_IDLE_SECONDS * SECOND_MS,
      rememberedLifetimeMs: env.REMEMBERED_SESSION_LIFETIME_SECONDS * SECOND_MS,
      freshMs: env.SESSION_FRESH_SECONDS * SECOND_MS,
      touchIntervalMs: env.SESSION_TOUCH_SECONDS * SECOND_MS,
    },
    maxPerUser: env.SESSIONS_PER_USER,
  });
  const tokenSessions = new Sessions<TokenMeta, User>({
    ...optionsOf('token'),
    expiry: 'fixed',
    timeouts: {
      idleMs: LONGEST_TOKEN_MS,
      lifetimeMs: LONGEST_TOKEN_MS,
      touchIntervalMs: env.SESSION_TOUCH_SECONDS * SECOND_MS,
    },
    // `AccessTokens.create` refuses long before; the engine must never end a token to make room.
    maxPerUser: MAX_TOKENS * 2,
  });
  return { sessions, tokenSessions };
}
