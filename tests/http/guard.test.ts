import type { LoaderFunction, ServerBuild } from '@remix-run/node';
import { describe, expect, test, vi } from 'vitest';
import { guardBuild } from '#app/http/guard.server.ts';
import { open } from '#app/http/route-access.ts';
import { RedisUnavailableError } from '#app/database/redis.server.ts';
import { StoreUnavailableError, type ResumedSession } from '#app/sessions/index.ts';

const ORIGIN = 'http://localhost:3000';
const USER = { id: 'ada', email: 'ada@example.com', name: 'Ada' };
const LIVE = { state: 'live', session: { id: 'one' }, user: USER } as ResumedSession<
  unknown,
  typeof USER
>;

/** Returns a build with one route that has no row in the table of URLs. */
const buildOf = (run: LoaderFunction) =>
  ({
    routes: { unlisted: { id: 'unlisted', module: { loader: run, action: run } } },
  }) as unknown as ServerBuild;

const contextOf = (session: () => Promise<unknown>) => ({
  session,
  sessions: { settle: () => Promise.resolve() },
  origin: ORIGIN,
  owed: { cookies: [] as string[], tries: new Set<() => Promise<void>>() },
  log: { error: vi.fn() },
});

const ask = async (
  build: ServerBuild,
  kind: 'loader' | 'action',
  context: ReturnType<typeof contextOf>,
): Promise<unknown> => {
  const request = new Request(`${ORIGIN}/somewhere`, {
    method: kind === 'action' ? 'POST' : 'GET',
  });
  const run = build.routes.unlisted!.module[kind] as LoaderFunction;
  try {
    return await run({ request, params: {}, context: context as never });
  } catch (thrown) {
    return thrown;
  }
};

describe.each(['loader', 'action'] as const)(
  'the %s of a route without a row in the table',
  (kind) => {
    const run = vi.fn(() => 'a secret');
    const guarded = guardBuild(buildOf(run), new Map());

    test.each([
      ['without a session', { state: 'unknown' }],
      ['with an ended session', { ...LIVE, state: 'ended' }],
      ['with a session without a user', { ...LIVE, user: null }],
    ])('an unlisted route redirects a visitor %s to the login page', async (_who, resumed) => {
      run.mockClear();
      const answer = await ask(
        guarded,
        kind,
        contextOf(() => Promise.resolve(resumed)),
      );
      expect(answer).toBeInstanceOf(Response);
      expect((answer as Response).headers.get('location')).toMatch(/^\/login/);
      expect(run).not.toHaveBeenCalled();
    });

    test('an unlisted route is open to a signed-in user', async () => {
      expect(
        await ask(
          guarded,
          kind,
          contextOf(() => Promise.resolve(LIVE)),
        ),
      ).toBe('a secret');
    });

    test('an unlisted route responds 503 if the session store is unavailable', async () => {
      run.mockClear();
      const context = contextOf(() => {
        throw new StoreUnavailableError(new Error('gone'));
      });
      const answer = (await ask(guarded, kind, context)) as Response;
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('10');
      expect(context.log.error).toHaveBeenCalledTimes(1);
      expect(run).not.toHaveBeenCalled();
    });

    test('a route that is declared open runs without a session', async () => {
      const opened = guardBuild(buildOf(run), new Map([['unlisted', open('A test needs it.')]]));
      const context = contextOf(() => Promise.resolve({ state: 'unknown' }));
      expect(await ask(opened, kind, context)).toBe('a secret');
    });
  },
);

describe('an error that a route throws', () => {
  const askRouteThatThrows = async (error: unknown) => {
    const build = buildOf(() => {
      throw error;
    });
    const context = contextOf(() => Promise.resolve(LIVE));
    context.owed.cookies.push('session=renewed');
    const refund = vi.fn(() => Promise.resolve());
    context.owed.tries.add(refund);
    const answer = await ask(guardBuild(build, new Map()), 'action', context);
    return { answer, refund, context };
  };

  test('a failed dependency causes a 503, and the attempt is refunded', async () => {
    const { answer, refund, context } = await askRouteThatThrows(
      new StoreUnavailableError(new Error('gone')),
    );
    expect((answer as Response).status).toBe(503);
    expect((answer as Response).headers.get('set-cookie')).toBe('session=renewed');
    expect(refund).toHaveBeenCalledTimes(1);
    expect(context.log.error).toHaveBeenCalledTimes(1);
  });

  test('a failed dependency causes a 503 even if an attempt cannot be refunded', async () => {
    const build = buildOf(() => {
      throw new RedisUnavailableError(new Error('gone'));
    });
    const context = contextOf(() => Promise.resolve(LIVE));
    const lastRefund = vi.fn(() => Promise.resolve());
    context.owed.tries.add(() => Promise.reject(new RedisUnavailableError(new Error('gone'))));
    context.owed.tries.add(lastRefund);
    const answer = await ask(guardBuild(build, new Map()), 'action', context);
    expect((answer as Response).status).toBe(503);
    expect(lastRefund).toHaveBeenCalledTimes(1);
  });

  test('a thrown Response and other errors are passed on without a refund', async () => {
    for (const error of [new Response(null, { status: 404 }), new TypeError('a mistake')]) {
      const { answer, refund } = await askRouteThatThrows(error);
      expect(answer).toBe(error);
      expect(refund).not.toHaveBeenCalled();
    }
  });
});

test('an attempt is no longer refundable once its request got a response', async () => {
  const refund = vi.fn(() => Promise.resolve());
  const context = contextOf(() => Promise.resolve(LIVE));
  const build = buildOf(() => {
    context.owed.tries.add(refund);
    return 'a wrong password';
  });
  expect(await ask(guardBuild(build, new Map()), 'action', context)).toBe('a wrong password');
  expect(context.owed.tries.size).toBe(0);
});
