import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startApplication } from '../fixtures/application.ts';
import { listen } from '../fixtures/event-stream.ts';
import { signUp } from '../fixtures/users.ts';
import { startScript, type RunningScript } from './run-script.ts';

const WITHIN_MS = 10_000;
const WAIT = { timeout: WITHIN_MS, interval: 20 };
const FORM = 'theme=dark&redirectTo=%2Flogin';

let folder = '';
let running: RunningScript | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-stop-'));
});
afterEach(async () => {
  running?.process.kill('SIGKILL');
  await running?.finished;
  running = undefined;
  rmSync(folder, { recursive: true });
});

/** Starts the application as `npm start` does, in a separate process. Returns the port. */
async function start(env: Record<string, string> = {}): Promise<number> {
  running = startScript('start.js', {
    PORT: '0',
    DATABASE_URL: `file:${path.join(folder, 'latchkey.db')}`,
    SECRETS_FILE: path.join(folder, 'secrets.json'),
    OUTBOX_FOLDER: path.join(folder, 'outbox'),
    ...env,
  });
  const [, port] = await running.waitForOutput(
    /"origin":"http:\/\/localhost:(\d+)","msg":"Latchkey is serv/,
  );
  return Number(port);
}

/** Sends the first half of a form. `finish` sends the rest and returns the response. */
async function sendHalfAForm(port: number) {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  const closed = once(socket, 'close');
  // The server may cut off the connection with a reset.
  socket.on('error', () => undefined);
  socket.write(
    [
      'POST /theme HTTP/1.1',
      `Host: localhost:${port}`,
      'Accept: text/html',
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${FORM.length}`,
      'Sec-Fetch-Site: same-origin',
      'Expect: 100-continue',
      '',
      FORM.slice(0, 5),
    ].join('\r\n'),
  );
  // The server has started to process the request.
  await vi.waitFor(() => expect(answer).toContain('100 Continue'), WAIT);
  return {
    socket,
    async finish() {
      socket.write(FORM.slice(5));
      await closed;
      return answer.replace(/^HTTP\/1.1 100 Continue\r\n\r\n/, '');
    },
  };
}

const isRefused = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
const statusOf = async (port: number, path: string) =>
  (await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' })).status;

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('the server accepts no more connections, and finishes the running request', async () => {
    const port = await start();
    const form = await sendHalfAForm(port);
    running!.process.kill(signal);
    await running!.waitForOutput(/Latchkey is stopping/);
    await vi.waitFor(async () => expect(await isRefused(port)).toBe(true), WAIT);
    expect(running!.process.exitCode).toBeNull();
    const answer = await form.finish();
    expect(answer).toMatch(/^HTTP\/1.1 302 /);
    expect(answer).toMatch(/^Location: \/login\r$/im);
    expect(answer).toMatch(/^Set-Cookie: theme=dark/im);
    // The client must not send another request on this connection.
    expect(answer).toMatch(/^Connection: close\r$/im);
    const { exitCode, stderr, stdout } = await running!.finished;
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/"path":"\/theme","status":302/);
    expect(stdout).not.toMatch(/"level":(40|50|60)/);
  });
});

test('with STOP_DELAY_SECONDS a stopping server is not ready but still serves for that time', async () => {
  const port = await start({ STOP_DELAY_SECONDS: '2' });
  expect(await statusOf(port, '/readyz')).toBe(200);
  running!.process.kill('SIGTERM');
  await running!.waitForOutput(/Latchkey is stopping/);
  expect(await statusOf(port, '/readyz')).toBe(503);
  expect(await statusOf(port, '/login')).toBe(200);
  expect(await statusOf(port, '/healthz')).toBe(200);
  expect((await running!.finished).exitCode).toBe(0);
});

test('idle connections do not delay a stop', async () => {
  const port = await start({ STOP_WITHIN_SECONDS: '60' });
  const agent = new Agent({ keepAlive: true });
  const [response] = (await once(
    get({ agent, port, host: '127.0.0.1', path: '/healthz' }),
    'response',
  )) as [import('node:http').IncomingMessage];
  await once(response.resume(), 'end');
  const unused = connect(port, '127.0.0.1');
  unused.on('error', () => undefined);
  await once(unused, 'connect');
  running!.process.kill('SIGTERM');
  const { exitCode, stdout } = await running!.finished;
  expect(exitCode).toBe(0);
  // Connections that delay a stop are cut off after a time limit, which is logged.
  expect(stdout).not.toContain('connections were cut');
  agent.destroy();
});

test('a request that never ends is cut off after STOP_WITHIN_SECONDS', async () => {
  const port = await start({ STOP_WITHIN_SECONDS: '3' });
  const form = await sendHalfAForm(port);
  const cutOff = once(form.socket, 'close');
  running!.process.kill('SIGTERM');
  const { exitCode, stdout } = await running!.finished;
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/"level":40,.*"cut":1,"msg":"connections were cut/);
  await cutOff;
});

test('a stop ends event streams before the last request finishes, so that browsers connect to another node', async () => {
  const started = await startApplication();
  const user = await signUp(started);
  const stream = await listen(started, user.browser);
  expect(stream.status).toBe(200);
  const form = await sendHalfAForm(started.port);
  const closed = started.close();
  await stream.ended;
  expect(stream.events().map(({ event }) => event)).not.toContain('ended');
  expect(await form.finish()).toMatch(/^HTTP\/1.1 302 /);
  await closed;
});
