import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCleanup } from '#app/privacy/hourly-cleanup.server.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { BrowserLike } from '../fixtures/browser-like.ts';
import { openBrowser, signIn, signUp } from '../fixtures/users.ts';
import { PATIENCE } from '../fixtures/patience.ts';

const TOKEN = 'a-token-of-32-characters-or-more!';
const DAY_MS = 86_400_000;

/** Values by their name and labels, as in `latchkey_revocations_total{reason="cap"}`. */
type Values = Map<string, number>;

const withToken = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
const valuesIn = (text: string): Values =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
  );

describe('with METRICS_TOKEN', () => {
  let application: TestApplication;
  beforeAll(async () => {
    application = await startApplication({ env: { METRICS_TOKEN: TOKEN } });
  });
  afterAll(() => application.close());

  const read = async () => {
    const answer = await openBrowser(application).get('/metrics', withToken(TOKEN));
    expect(answer.status).toBe(200);
    return answer;
  };
  const values = async () => valuesIn((await read()).text);
  const requestsOf = (all: Values, labels: string) =>
    all.get(`latchkey_request_duration_seconds_count{${labels}}`) ?? 0;

  test('METRICS_TOKEN as bearer token gets the metrics, which must not be cached', async () => {
    const { headers, text } = await read();
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
      'latchkey_live_streams',
      'latchkey_session_lookups_total',
      'latchkey_password_hashes_waiting',
      'latchkey_feed_linked',
    ]) {
      expect(text, name).toMatch(new RegExp(`^${name}\\b`, 'm'));
    }
  });

  test('without METRICS_TOKEN in the request, /metrics answers like an unknown path', async () => {
    const browser = openBrowser(application);
    const shapeOf = async (path: string, options = {}) => {
      const { status, headers, text } = await browser.get(path, options);
      const nonce = /'nonce-([^']+)'/.exec(String(headers['content-security-policy']))![1]!;
      return {
        status,
        names: Object.keys(headers).sort(),
        text: text.replaceAll(nonce, 'NONCE').replaceAll(path.slice(1), 'PATH'),
      };
    };
    const notFound = await shapeOf('/made-up');
    expect(notFound.status).toBe(404);
    for (const options of [
      {},
      withToken('wrong'),
      withToken(TOKEN.slice(0, -1)),
      withToken(`${TOKEN}x`),
      withToken(''),
      { headers: { Authorization: `Basic ${TOKEN}` } },
      { headers: { Authorization: TOKEN } },
    ]) {
      expect(await shapeOf('/metrics', options)).toEqual(notFound);
    }
    expect((await browser.get(`/metrics?token=${TOKEN}`)).status).toBe(404);
  });

  test('requests are counted by the pattern of their route, never by their path', async () => {
    const user = await signUp(application);
    const before = await values();
    for (let count = 0; count < 20; count += 1) {
      await user.browser.get(`/settings/sessions/made-up-${count}/name`);
      await openBrowser(application).get(`/made-up-${count}`);
      await openBrowser(application)
        .ask('/', { method: `MADEUP${count}` })
        .catch(() => null);
    }
    await user.browser.get('/settings/sessions.data');
    await user.browser.get('/settings/sessions/others/sign-out');
    await user.browser.get('/favicon.svg');
    await vi.waitFor(async () => {
      const after = await values();
      const grown = (labels: string) => requestsOf(after, labels) - requestsOf(before, labels);
      expect(grown('method="GET",route="/settings/sessions/:sessionId/name",status="4xx"')).toBe(
        20,
      );
      expect(grown('method="GET",route="*",status="4xx"')).toBe(20);
      expect(grown('method="GET",route="/settings/sessions",status="2xx"')).toBe(1);
      expect(grown('method="GET",route="/settings/sessions/others/sign-out",status="2xx"')).toBe(1);
      expect(grown('method="GET",route="(file)",status="2xx"')).toBe(1);
      expect([...after.keys()].join('\n')).not.toMatch(/made-up|MADEUP/);
    }, PATIENCE);
  });

  test('every session lookup is counted, and a visitor without a session causes none', async () => {
    const user = await signUp(application);
    const lookups = async () => {
      const all = await values();
      return ['hit', 'miss', 'bypass'].map((result) =>
        all.get(`latchkey_session_lookups_total{result="${result}"}`)!,
      );
    };
    await user.browser.get('/settings/profile');
    const before = await lookups();
    for (let count = 0; count < 5; count += 1) await user.browser.get('/settings/profile');
    await openBrowser(application).get('/');
    const grown = (await lookups()).map((count, index) => count - before[index]!);
    expect(grown).toEqual([0, 5, 0]);
  });

  test('ended sessions are counted by reason, and pruned rows are counted', async () => {
    const user = await signUp(application);
    await signIn(application, user);
    await signIn(application, user);
    await user.browser.post('/settings/sessions/others/sign-out', {});
    const phone = await signIn(application, user);
    await phone.post('/logout', {});
    const all = await values();
    expect(all.get('latchkey_revocations_total{reason="signed-out-elsewhere"}')).toBe(2);
    expect(all.get('latchkey_revocations_total{reason="signed-out"}')).toBe(1);
    const later = new Date(application.clock.now().getTime() + 90 * DAY_MS);
    await runCleanup(application.application, later);
    const pruned = await values();
    expect(pruned.get('latchkey_pruned_rows_total{what="ended sessions"}')).toBeGreaterThan(2);
  });

  test('the metrics contain no data of a user or a session', async () => {
    const user = await signUp(application);
    const [id = ''] = (await user.browser.sessionToken())!.split('.');
    await user.browser.get(`/settings/sessions/${id}/name`);
    const { text } = await read();
    for (const secret of [user.email, user.name, id, TOKEN]) {
      expect(text).not.toContain(secret);
    }
  });
});

describe('with METRICS_PORT', () => {
  test('with METRICS_PORT the metrics are served on that port only', async () => {
    const application = await startApplication({ env: { METRICS_PORT: '0' } });
    const own = new BrowserLike(`http://127.0.0.1:${application.metricsPort}`);
    const { status, text, headers } = await own.get('/metrics');
    expect(status).toBe(200);
    expect(text).toContain('latchkey_live_streams 0');
    expect(headers['x-powered-by']).toBeUndefined();
    expect((await own.get('/')).status).toBe(404);
    expect((await own.get('/login')).status).toBe(404);
    expect((await openBrowser(application).get('/metrics')).status).toBe(404);
    await application.close();
    await expect(own.get('/metrics')).rejects.toThrow('ECONNREFUSED');
  });

  test('with METRICS_PORT and METRICS_TOKEN both the port and the token are required', async () => {
    const application = await startApplication({
      env: { METRICS_PORT: '0', METRICS_TOKEN: TOKEN },
    });
    const own = new BrowserLike(`http://127.0.0.1:${application.metricsPort}`);
    expect((await own.get('/metrics')).status).toBe(404);
    expect((await own.get('/metrics', withToken(TOKEN))).status).toBe(200);
    expect((await openBrowser(application).get('/metrics', withToken(TOKEN))).status).toBe(404);
    await application.close();
  });

  test('two applications in one process have separate metrics', async () => {
    const [first, other] = await Promise.all(
      [1, 2].map(() => startApplication({ env: { METRICS_TOKEN: TOKEN } })),
    );
    await openBrowser(first!).get('/login');
    const read = async (of: TestApplication) =>
      valuesIn((await openBrowser(of).get('/metrics', withToken(TOKEN))).text);
    const LOGIN =
      'latchkey_request_duration_seconds_count{method="GET",route="/login",status="2xx"}';
    await vi.waitFor(async () => expect((await read(first!)).get(LOGIN)).toBe(1), PATIENCE);
    expect((await read(other!)).get(LOGIN)).toBeUndefined();
    await Promise.all([first!.close(), other!.close()]);
  });
});

test('without METRICS_TOKEN and METRICS_PORT there are no metrics', async () => {
  const application = await startApplication();
  expect(application.metricsPort).toBeNull();
  for (const options of [{}, withToken(''), withToken('undefined'), withToken('null')]) {
    expect((await openBrowser(application).get('/metrics', options)).status).toBe(404);
  }
  await application.close();
});
