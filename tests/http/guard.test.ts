import type { LoaderFunction, ServerBuild } from '@remix-run/node';
import { describe, expect, test, vi } from 'vitest';
import { RedisUnavailableError } from '#app/database/redis.server.ts';
import { createGuard } from '#app/http/guard.server.ts';
import { open, type RouteAccess } from '#app/http/route-access.ts';
import { createSettleVisit } from '#app/http/settle-visit.server.ts';
import { StoreUnavailableError } from '#app/sessions/index.ts';
import type { Visit } from '#app/visit/visit.ts';
import { createTestVisit } from '../fixtures/visit.ts';

const ORIGIN = 'http://localhost:3000';
const USER = { id: 'ada', email: 'ada@example.com', name: 'Ada', picture: null };
type Resumed = Awaited<ReturnType<Visit['session']>>;
const LIVE = { state: 'live', session: { id: 'one' }, user: USER } as Resumed;

/** A build of one route without any check of its own. */
const buildOf = (run: LoaderFunction) =>
  ({
    routes: { unchecked: { id: 'unchecked', module: { loader: run, action: run } } },
  }) as unknown as ServerBuild;

const freshProof = { require: vi.fn(() => Promise.resolve({} as never)) };
const guardWith = (access = new Map<string, RouteAccess>()) =>
  createGuard({
    origin: ORIGIN,
    access,
    savedForms: { restore: (_visit, request) => Promise.resolve(request) },
    freshProof,
    settleVisit: createSettleVisit({
      sessions: { settle: () => Promise.resolve() },
      sessionCookie: { remove: () => {} },
    }),
  });

const visitOf = (session: () => Promise<Resumed>) =>
  createTestVisit({ session, log: { info: vi.fn(), warn: vi.fn(), error: vi.fn() } });

const ask = async (
  build: ServerBuild,
  kind: 'loader' | 'action',
  visit: Visit,
): Promise<unknown> => {
  const request = new Request(`${ORIGIN}/somewhere`, {
    method: kind === 'action' ? 'POST' : 'GET',
  });
  const run = build.routes.unchecked!.module[kind] as LoaderFunction;
  try {
    return await run({ request, params: {}, context: { visit } as never });
  } catch (thrown) {
    return thrown;
  }
};

const withoutUser: [what: string, resumed: Resumed][] = [
  ['an unknown token', { state: 'unknown' }],
  ['an ended session', { ...LIVE, state: 'ended' } as Resumed],
  ['a session without a user', { ...LIVE, user: null } as Resumed],
];

describe.each(['loader', 'action'] as const)(
  'a route that is in no row of the table: %s',
  (kind) => {
    const run = vi.fn(() => 'a secret');
    const guarded = guardWith()(buildOf(run));

    test.each(withoutUser)(
      'a request with %s is redirected to the login page',
      async (_who, resumed) => {
        run.mockClear();
        const visit = visitOf(() => Promise.resolve(resumed));
        const answer = await ask(guarded, kind, visit);
        expect(answer).toBeInstanceOf(Response);
        expect((answer as Response).headers.get('location')).toMatch(/^\/login/);
        expect(run).not.toHaveBeenCalled();
      },
    );

    test('a signed-in user may open it', async () => {
      const visit = visitOf(() => Promise.resolve(LIVE));
      expect(await ask(guarded, kind, visit)).toBe('a secret');
    });

    test('a store that is down is answered with 503', async () => {
      run.mockClear();
      const visit = visitOf(() => Promise.reject(new StoreUnavailableError(new Error('gone'))));
      const answer = (await ask(guarded, kind, visit)) as Response;
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('10');
      expect(visit.log.error).toHaveBeenCalledTimes(1);
      expect(run).not.toHaveBeenCalled();
    });

    test('a route that the table calls open may be opened by everyone', async () => {
      const access = new Map([['unchecked', open('A test needs it.')]]);
      const visit = visitOf(() => Promise.resolve({ state: 'unknown' }));
      expect(await ask(guardWith(access)(buildOf(run)), kind, visit)).toBe('a secret');
    });
  },
);

test.each([
  ['fresh', 'loader', 1],
  ['fresh', 'action', 1],
  ['fresh-form', 'loader', 0],
  ['fresh-form', 'action', 1],
  ['signed-in', 'action', 0],
] as const)('a route at level %s asks for a fresh proof: %s', async (level, kind, times) => {
  freshProof.require.mockClear();
  const access = new Map<string, RouteAccess>([['unchecked', { level }]]);
  const visit = visitOf(() => Promise.resolve(LIVE));
  const build = guardWith(access)(buildOf(() => 'a secret'));
  expect(await ask(build, kind, visit)).toBe('a secret');
  expect(freshProof.require).toHaveBeenCalledTimes(times);
});

describe('a route that throws', () => {
  const asked = async (error: unknown) => {
    const build = buildOf(() => {
      throw error;
    });
    const visit = visitOf(() => Promise.resolve(LIVE));
    const refund = vi.fn(() => Promise.resolve());
    visit.openAttempts.add(refund);
    const answer = await ask(guardWith()(build), 'action', visit);
    return { answer, refund, visit };
  };

  test('an outage in a route is answered with 503 and refunds open attempts', async () => {
    const { answer, refund, visit } = await asked(new StoreUnavailableError(new Error('gone')));
    expect((answer as Response).status).toBe(503);
    expect(refund).toHaveBeenCalledTimes(1);
    expect(visit.log.error).toHaveBeenCalledTimes(1);
  });

  test('an outage is answered with 503 even if an attempt cannot be refunded', async () => {
    const build = buildOf(() => {
      throw new RedisUnavailableError(new Error('gone'));
    });
    const visit = visitOf(() => Promise.resolve(LIVE));
    const lastAttempt = vi.fn(() => Promise.resolve());
    visit.openAttempts.add(() => Promise.reject(new RedisUnavailableError(new Error('gone'))));
    visit.openAttempts.add(lastAttempt);
    const answer = await ask(guardWith()(build), 'action', visit);
    expect((answer as Response).status).toBe(503);
    expect(lastAttempt).toHaveBeenCalledTimes(1);
  });

  test('a thrown response or a programming error passes through the guard unchanged', async () => {
    for (const error of [new Response(null, { status: 404 }), new TypeError('a mistake')]) {
      const { answer, refund } = await asked(error);
      expect(answer).toBe(error);
      expect(refund).not.toHaveBeenCalled();
    }
  });
});

test('an attempt that was answered is not refunded by a later outage', async () => {
  const refund = vi.fn(() => Promise.resolve());
  const visit = visitOf(() => Promise.resolve(LIVE));
  const build = buildOf(() => {
    visit.openAttempts.add(refund);
    return 'a wrong password';
  });
  expect(await ask(guardWith()(build), 'action', visit)).toBe('a wrong password');
  expect(visit.openAttempts.size).toBe(0);
});
