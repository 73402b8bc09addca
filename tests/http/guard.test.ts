import type { LoaderFunction, ServerBuild } from '@remix-run/node';
import { describe, expect, test, vi } from 'vitest';
import { guardBuild } from '#app/http/guard.server.ts';
import { open } from '#app/http/route-access.ts';
import { RedisUnavailableError } from '#app/database/redis.server.ts';
import { StoreUnavailableError, type ResumedSession } from '#app/sessions/index.ts';

const ORIGIN = 'http://localhost:3000';
const PERSON = { id: 'ada', email: 'ada@example.com', name: 'Ada' };
const LIVE = { state: 'live', session: { id: 'one' }, user: PERSON } as ResumedSession<
  unknown,
  typeof PERSON
>;

/** A build of one route that has forgotten its guard. */
const buildOf = (run: LoaderFunction) =>
  ({
    routes: { forgetful: { id: 'forgetful', module: { loader: run, action: run } } },
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
  const run = build.routes.forgetful!.module[kind] as LoaderFunction;
  try {
    return await run({ request, params: {}, context: context as never });
  } catch (thrown) {
    return thrown;
  }
};

describe.each(['loader', 'action'] as const)('a route whose %s forgot its guard', (kind) => {
  const run = vi.fn(() => 'a secret');
  const guarded = guardBuild(buildOf(run), new Map());

  test.each([
    ['nobody', { state: 'unknown' }],
    ['somebody whose session is over', { ...LIVE, state: 'ended' }],
    ['a session of nobody', { ...LIVE, user: null }],
  ])('is closed to %s', async (_who, resumed) => {
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

  test('is open to who is signed in', async () => {
    expect(
      await ask(
        guarded,
        kind,
        contextOf(() => Promise.resolve(LIVE)),
      ),
    ).toBe('a secret');
  });

  test('is closed while nobody can tell who asks', async () => {
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

  test('is open to anybody once it stands among the public ones', async () => {
    const opened = guardBuild(buildOf(run), new Map([['forgetful', open('A test needs it.')]]));
    const context = contextOf(() => Promise.resolve({ state: 'unknown' }));
    expect(await ask(opened, kind, context)).toBe('a secret');
  });
});

describe('what a route throws', () => {
  const asked = async (error: unknown) => {
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

  test('when a dependency is down is 503, and nobody pays for it', async () => {
    const { answer, refund, context } = await asked(new StoreUnavailableError(new Error('gone')));
    expect((answer as Response).status).toBe(503);
    expect((answer as Response).headers.get('set-cookie')).toBe('session=renewed');
    expect(refund).toHaveBeenCalledTimes(1);
    expect(context.log.error).toHaveBeenCalledTimes(1);
  });

  test('is 503 too when the try cannot be given back: the counters may be what is down', async () => {
    const build = buildOf(() => {
      throw new RedisUnavailableError(new Error('gone'));
    });
    const context = contextOf(() => Promise.resolve(LIVE));
    const lastTry = vi.fn(() => Promise.resolve());
    context.owed.tries.add(() => Promise.reject(new RedisUnavailableError(new Error('gone'))));
    context.owed.tries.add(lastTry);
    const answer = await ask(guardBuild(build, new Map()), 'action', context);
    expect((answer as Response).status).toBe(503);
    expect(lastTry).toHaveBeenCalledTimes(1);
  });

  test('is its own otherwise: an answer, or a mistake', async () => {
    for (const error of [new Response(null, { status: 404 }), new TypeError('a mistake')]) {
      const { answer, refund } = await asked(error);
      expect(answer).toBe(error);
      expect(refund).not.toHaveBeenCalled();
    }
  });
});

test('a try that was answered is not given back by an outage after it', async () => {
  const refund = vi.fn(() => Promise.resolve());
  const context = contextOf(() => Promise.resolve(LIVE));
  const build = buildOf(() => {
    context.owed.tries.add(refund);
    return 'a wrong password';
  });
  expect(await ask(guardBuild(build, new Map()), 'action', context)).toBe('a wrong password');
  expect(context.owed.tries.size).toBe(0);
});
