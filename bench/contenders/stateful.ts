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
import { cookieOf, PERSON, type Contender, type OpenContender } from './contender.ts';
import { openFourColumns } from './four-columns.ts';

const DAY_MS = 86_400_000;
const SECRET = 'a secret that signs nothing of anybody';
const quiet = { info: () => undefined, warn: () => undefined };

declare module 'express-session' {
  interface SessionData {
    user: typeof PERSON;
  }
}

/** express-session over a store, with the person in its data: the fewest reads that it can do with. */
async function overStore(store: Store, createApp: () => Promise<Express>): Promise<Contender> {
  const sessions = session({
    store,
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: DAY_MS },
  });
  // A sign-in as an application does it, to have the cookie that it gives.
  const signIn = await createApp();
  signIn.use(sessions).get('/', (request, response) => {
    request.session.user = PERSON;
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
    end: () =>
      new Promise((resolve, reject) =>
        store.destroy(sid, (error?: Error) => (error ? reject(error) : resolve())),
      ),
    keepNew: () =>
      new Promise((resolve, reject) => {
        const kept = { cookie: { originalMaxAge: DAY_MS }, user: PERSON } as SessionData;
        store.set(randomUUID(), kept, (error?: Error) => (error ? reject(error) : resolve()));
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

/** What a page of an application in the Epic Stack's style does at the least. */
export const twoQueries: OpenContender = async ({ folder }) => {
  const { client } = await openDatabase({ databaseUrl: `file:${folder}/two.db`, log: quiet });
  await client.user.create({ data: { ...PERSON, name: 'Ada' } });
  const now = new Date();
  const expiresAt = new Date(now.getTime() + DAY_MS);
  const id = 'a'.repeat(22);
  const keep = async (id: string) => {
    await client.session.create({
      data: {
        id,
        userId: PERSON.id,
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
  await keep(id);
  return {
    use(app, answer) {
      app.get('/me', (request, response, next) => {
        const given = cookieOf(request.headers.cookie, 'session');
        const look = async () => {
          const where = { id: given ?? '', expiresAt: { gt: new Date() } };
          const held = await client.session.findUnique({ where, select: { userId: true } });
          return (
            held &&
            client.user.findUnique({
              where: { id: held.userId },
              select: { id: true, email: true },
            })
          );
        };
        look().then((user) => {
          if (!user) return void response.sendStatus(401);
          response.locals.user = user;
          void answer(request, response, next);
        }, next);
      });
    },
    headers: { cookie: `session=${id}` },
    end: async () => {
      await client.session.delete({ where: { id } });
    },
    keepNew: () => keep(randomUUID()),
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
      body: { email: PERSON.email, name: 'Ada', password: 'a long enough password' },
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
            // It makes up its own ids.
            const id = found.user.id === user.id ? PERSON.id : found.user.id;
            response.locals.user = { id, email: found.user.email };
            void respond(request, response, next);
          }, next);
        });
      },
      headers: { cookie },
      // With the cookie cache the one that is ended is let in for five minutes more, by design.
      end: cookieCache
        ? null
        : async () => {
            await auth.api.revokeSessions({ headers: new Headers({ cookie }) });
          },
      signIn: async () => {
        const { email } = PERSON;
        await auth.api.signInEmail({ body: { email, password: 'a long enough password' } });
      },
    };
  };

export const betterAuthPlain = betterAuthWith(false);
export const betterAuthCached = betterAuthWith(true);
