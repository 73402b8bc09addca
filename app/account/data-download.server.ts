import type { Database } from '#app/db.server.ts';

const FORMAT = 'latchkey-data';
const VERSION = 1;
const ROWS_A_PAGE = 200;

/**
 * Everything kept about a user, as JSON text in pieces: the profile, the ways in to the account, every
 * session still on record, ended ones too, and what happened to the account. Never a key, a hash or
 * any other secret. It comes when the first of it was read: a database that is down can still be told
 * from an empty file.
 *
 * Columns are named one by one, so that a new one stays out until somebody decides that it goes in.
 */
export async function dataDownload(
  db: Database['client'],
  userId: string,
  now: Date,
): Promise<AsyncIterable<string>> {
  const { password, totp, recoveryCodes, passkeys, connections, ...profile } =
    await db.user.findUniqueOrThrow({
      where: { id: userId },
      select: {
        id: true,
        email: true,
        emailVerifiedAt: true,
        name: true,
        createdAt: true,
        updatedAt: true,
        password: { select: { changedAt: true } },
        totp: { select: { createdAt: true } },
        recoveryCodes: { select: { createdAt: true, usedAt: true } },
        passkeys: { select: { name: true, createdAt: true, lastUsedAt: true, isBackedUp: true } },
        connections: {
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
          select: {
            ...{ issuer: true, subject: true, provider: true, displayName: true },
            ...{ createdAt: true, lastUsedAt: true },
          },
        },
      },
    });
  const head = {
    ...{ format: FORMAT, version: VERSION, exportedAt: now },
    ...{ profile, password, totp, recoveryCodes, passkeys, connections },
  };
  return piecesOf(head, {
    sessions: sessionsOf(db, userId),
    activities: activitiesOf(db, userId),
  });
}

async function* piecesOf(
  head: object,
  lists: Record<string, AsyncIterable<object>>,
): AsyncGenerator<string> {
  yield JSON.stringify(head, null, 2).slice(0, -2);
  for (const [name, rows] of Object.entries(lists)) {
    yield `,\n  "${name}": [`;
    let separator = '\n';
    for await (const row of rows) {
      yield `${separator}    ${JSON.stringify(row)}`;
      separator = ',\n';
    }
    yield '\n  ]';
  }
  yield '\n}\n';
}

// In pages, so that memory stays small however many there are.
async function* sessionsOf(db: Database['client'], userId: string) {
  let after: string | undefined;
  for (;;) {
    const page = await db.session.findMany({
      where: { userId, ...(after === undefined ? {} : { id: { gt: after } }) },
      orderBy: { id: 'asc' },
      take: ROWS_A_PAGE,
      select: {
        id: true,
        label: true,
        userAgent: true,
        ipAddress: true,
        country: true,
        remember: true,
        createdAt: true,
        lastSeenAt: true,
        expiresAt: true,
        reauthenticatedAt: true,
        revokedAt: true,
        revokedReason: true,
        revokedBy: true,
        meta: true,
      },
    });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < ROWS_A_PAGE) return;
  }
}

async function* activitiesOf(db: Database['client'], userId: string) {
  let after: string | undefined;
  for (;;) {
    const page = await db.activity.findMany({
      where: { userId, ...(after === undefined ? {} : { id: { gt: after } }) },
      orderBy: { id: 'asc' },
      take: ROWS_A_PAGE,
      select: {
        id: true,
        kind: true,
        at: true,
        sessionId: true,
        userAgent: true,
        ipAddress: true,
        country: true,
        detail: true,
      },
    });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < ROWS_A_PAGE) return;
  }
}
