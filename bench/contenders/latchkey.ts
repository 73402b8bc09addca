import pg from 'pg';
import { createClient } from 'redis';
import { openDatabase } from '../../app/database/database.server.ts';
import type { NewsFeed } from '../../app/sessions/session-feed.ts';
import type { SessionStore } from '../../app/sessions/session-store.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { prismaSessionStore } from '../../app/sessions/stores/prisma.ts';
import { redisSessionStore } from '../../app/sessions/stores/redis.ts';
import { cookieOf, USER, type Environment, type OpenContender } from './contender.ts';

const LINK_TIMEOUT_MS = 10_000;
const quiet = { info: () => undefined, warn: () => undefined };

type Carrier = 'cookie' | 'bearer';
type User = typeof USER;

async function openOn(
  { store, feed }: { store: SessionStore<User, User>; feed?: NewsFeed },
  carrier: Carrier,
) {
  const sessions = new Sessions<User, User>({ store, feed });
  const deadline = performance.now() + LINK_TIMEOUT_MS;
  while (feed && !feed.isLinked()) {
    if (performance.now() > deadline) throw new Error('the session feed does not connect');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { token, session } = await sessions.start({ userId: USER.id, meta: USER }, new Date());
  const tokenOf =
    carrier === 'cookie'
      ? (header: string | undefined) => cookieOf(header, 'session')
      : (header: string | undefined) => header?.replace(/^Bearer /, '') ?? null;
  const name = carrier === 'cookie' ? 'cookie' : 'authorization';
  const contender: Awaited<ReturnType<OpenContender>> = {
    use(app, answer) {
      app.get('/me', (request, response, next) => {
        const given = tokenOf(request.headers[name]);
        if (given === null) return void response.sendStatus(401);
        sessions.resume(given, new Date()).then((resumed) => {
          if (resumed.state !== 'live') return void response.sendStatus(401);
          // Redis has no users, so there the session itself holds the user.
          response.locals.user = resumed.user ?? resumed.session.meta;
          void answer(request, response, next);
        }, next);
      });
    },
    headers:
      carrier === 'cookie' ? { cookie: `session=${token}` } : { authorization: `Bearer ${token}` },
    revoke: async () => {
      await sessions.revoke(session.id, { reason: 'signed-out' }, new Date());
    },
  };
  return contender;
}

async function onDatabase(databaseUrl: string) {
  const { client, provider, rows, openFeed } = await openDatabase({ databaseUrl, log: quiet });
  await client.user.create({ data: { ...USER, name: 'Ada' } });
  const userColumns = ['id', 'email'] as const;
  const store = prismaSessionStore<User, (typeof userColumns)[number]>({
    client,
    provider,
    rows,
    userColumns,
  });
  return { store: store as never, feed: await openFeed(quiet) };
}

async function onRedis({ redisUrl }: Environment) {
  const client = createClient({ url: redisUrl });
  await client.connect();
  return { store: redisSessionStore<User>({ redis: client }) };
}

/** Creates a database on this server, and returns its URL. */
async function newDatabase(postgresUrl: string): Promise<string> {
  const name = `latchkey_${process.pid}`;
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  return url.href;
}

export const onSqlite =
  (carrier: Carrier): OpenContender =>
  async ({ folder }) =>
    openOn(await onDatabase(`file:${folder}/latchkey.db`), carrier);
export const onPostgres =
  (carrier: Carrier): OpenContender =>
  async ({ postgresUrl }) =>
    openOn(await onDatabase(await newDatabase(postgresUrl)), carrier);
export const inRedis =
  (carrier: Carrier): OpenContender =>
  async (environment) =>
    openOn(await onRedis(environment), carrier);
