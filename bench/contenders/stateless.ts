import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { getIronSession, sealData } from 'iron-session';
import { cookieOf, USER, type OpenContender } from './contender.ts';

const HOUR_SECONDS = 3600;

/** The user in a signed cookie: the cheapest session, which cannot be revoked. */
export const hmac: OpenContender = async () => {
  const key = randomBytes(32);
  const sign = (text: string) => createHmac('sha256', key).update(text).digest();
  const payload = Buffer.from(
    JSON.stringify({ ...USER, until: Date.now() + HOUR_SECONDS * 1000 }),
  ).toString('base64url');
  const cookie = `${payload}.${sign(payload).toString('base64url')}`;
  return {
    use(app, answer) {
      app.get('/me', (request, response, next) => {
        const [text = '', signature = ''] = (
          cookieOf(request.headers.cookie, 'session') ?? ''
        ).split('.');
        const given = Buffer.from(signature, 'base64url');
        const right = sign(text);
        if (given.length !== right.length || !timingSafeEqual(given, right)) {
          return void response.sendStatus(401);
        }
        const { id, email, until } = JSON.parse(Buffer.from(text, 'base64url').toString());
        if (until < Date.now()) return void response.sendStatus(401);
        response.locals.user = { id, email };
        void answer(request, response, next);
      });
    },
    headers: { cookie: `session=${cookie}` },
    revoke: null,
  };
};

export const jwt: OpenContender = async () => {
  const key = randomBytes(32);
  const token = await new SignJWT({ email: USER.email })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(USER.id)
    .setExpirationTime(`${HOUR_SECONDS}s`)
    .sign(key);
  return {
    use(app, answer) {
      app.get('/me', (request, response, next) => {
        const given = cookieOf(request.headers.cookie, 'session') ?? '';
        jwtVerify(given, key, { algorithms: ['HS256'] }).then(
          ({ payload }) => {
            response.locals.user = { id: payload.sub, email: payload.email };
            void answer(request, response, next);
          },
          () => response.sendStatus(401),
        );
      });
    },
    headers: { cookie: `session=${token}` },
    revoke: null,
  };
};

export const ironSession: OpenContender = async () => {
  const options = { cookieName: 'session', password: randomBytes(32).toString('hex') };
  const sealed = await sealData({ user: USER }, options);
  return {
    use(app, answer) {
      app.get('/me', (request, response, next) => {
        getIronSession<{ user?: typeof USER }>(request, response, options).then(({ user }) => {
          if (!user) return void response.sendStatus(401);
          response.locals.user = user;
          void answer(request, response, next);
        }, next);
      });
    },
    headers: { cookie: `session=${sealed}` },
    revoke: null,
  };
};
