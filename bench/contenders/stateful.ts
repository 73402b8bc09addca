import { randomUUID } from 'node:crypto';
import { PrismaSessionStore } from '@quixo3/prisma-session-store';
import Database from 'better-sqlite3';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { fromNodeHeaders } from 'better-auth/node';
import { RedisStore } from 'connect-redis';
import type { Express, RequestHandler } from 'express';
import session, { type SessionData, type Store } from 'express-session';
import { createClient } from 'redis';
import { openDatabase } from '../../app/database/database.server.ts';
import { cookieOf, USER, type Contender, type OpenContender } from './contender.ts';
import { openFourColumns } from './four-columns.ts';

const DAY_MS = 86_400_000;
const SECRET = 'a secret for the bench only';
const quiet = { info: () => undefined, warn: () => undefined };

declare module 'express-session' {
  interface SessionData {
    user: typeof USER;
  }
}

/** Returns express-session with a store and the user in the session's data, which needs the fewest reads. */
async function overStore(store: Store, createApp: () => Promise<Express>): Promise<Contender> {
  const sessions = session({
    store,
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: DAY_MS },
  });
  // Sign in once, as an application does, to get the cookie.
  const signIn = await createApp();
  signIn.use(sessions).get('/', (request, response) => {
    request.session.user = USER;
    response.end();
  });
  const server = signIn.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  const [cookie = ''] = answer.headers.getSetCookie()[0]!.split(';');
  server.close().closeAllConnections();
  const sid = decodeURIComponent(cookie.split('=')[1]!).slice(2).split('.')[0]!;
  return {
    use(app: Express, answer: RequestHandler) {
      app.get('/me', sessions, (request, response, next) => {
        if (!request.session.user) return void response.sendStatus(401);
        response.locals.user = request.session.user;
        void answer(request, response, next);
      });
    },
    headers: { cookie },
    revoke: () =>
      new Promise((resolve, reject) =>
        store.destroy(sid, (error?: Error) => (error ? reject(error) : resolve())),
      ),
    saveNewSession: () =>
      new Promise((resolve, reject) => {
        const data = { cookie: { originalMaxAge: DAY_MS }, user: USER } as SessionData;
        store.set(randomUUID(), data, (error?: Error) => (error ? reject(error) : resolve()));
      }),
  };
}

const newApp = async () => (await import('express')).default();

export const connectRedis: OpenContender = async ({ redisUrl }) => {
  const client = createClient({ url: redisUrl });
  await client.connect();
  return overStore(new RedisStore({ client }), newApp);
};

export const prismaSessionStore: OpenContender = async ({ folder }) => {
  const client = await openFourColumns(folder);
  const store = new PrismaSessionStore(client as never, { logger: false } as never);
  return overStore(store as never, newApp);
};

/** The two queries that every page needs in an application in the style of the Epic Stack. */
export const twoQueries: OpenContender = async ({ folder }) => {
  const { client } = await openDatabase({ databaseUrl: `file:${folder}/two.db`, log: quiet });
  await client.user.create({ data: { ...USER, name: 'Ada' } });
  const now = new Date();
  const expiresAt = new Date(now.getTime() + DAY_MS);
  const id = 'a'.repeat(22);
  const save = async (id: string) => {
    await client.session.create({
      data: {
        id,
        userId: USER.id,
        secretHash: '',
        userAgent: '',
        ipAddress: '',
        remember: false,
        createdAt: now,
        lastSeenAt: now,
        reauthenticatedAt: now,
        expiresAt,
      } as never,
    });
  };
  await save(id);
  return {
    use(app, answer) {
      app.get('/me', (request, response, next) => {
        const given = cookieOf(request.headers.cookie, 'session');
        const findUser = async () => {
          const where = { id: given ?? '', expiresAt: { gt: new Date() } };
          const found = await client.session.findUnique({ where, select: { userId: true } });
          return (
            found &&
            client.user.findUnique({
              where: { id: found.userId },
              select: { id: true, email: true },
            })
          );
        };
        findUser().then((user) => {
          if (!user) return void response.sendStatus(401);
          response.locals.user = user;
          void answer(request, response, next);
        }, next);
      });
    },
    headers: { cookie: `session=${id}` },
    revoke: async () => {
      await client.session.delete({ where: { id } });
    },
    saveNewSession: () => save(randomUUID()),
  };
};

const betterAuthWith =
  (cookieCache: boolean): OpenContender =>
  async ({ folder }) => {
    const options = {
      secret: SECRET,
      baseURL: 'http://localhost',
      logger: { disabled: true },
      database: new Database(`${folder}/better-auth.db`),
      emailAndPassword: { enabled: true },
      session: { cookieCache: { enabled: cookieCache, maxAge: 300 } },
      rateLimit: { enabled: false },
      telemetry: { enabled: false },
    };
    const auth = betterAuth(options);
    await (await getMigrations(options)).runMigrations();
    const answer = await auth.api.signUpEmail({
      body: { email: USER.email, name: 'Ada', password: 'a long enough password' },
      asResponse: true,
    });
    const cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0]!)
      .join('; ');
    const { user } = (await answer.json()) as { user: { id: string } };
    return {
      use(app, respond) {
        app.get('/me', (request, response, next) => {
          auth.api.getSession({ headers: fromNodeHeaders(request.headers) }).then((found) => {
            if (!found) return void response.sendStatus(401);
            // better-auth generates its own ids.
            const id = found.user.id === user.id ? USER.id : found.user.id;
            response.locals.user = { id, email: found.user.email };
            void respond(request, response, next);
          }, next);
        });
      },
      headers: { cookie },
      // With the cookie cache a revoked session is accepted for five more minutes, by design.
      revoke: cookieCache
        ? null
        : async () => {
            await auth.api.revokeSessions({ headers: new Headers({ cookie }) });
          },
      signIn: async () => {
        const { email } = USER;
        await auth.api.signInEmail({ body: { email, password: 'a long enough password' } });
      },
    };
  };

export const betterAuthPlain = betterAuthWith(false);
export const betterAuthCached = betterAuthWith(true);
