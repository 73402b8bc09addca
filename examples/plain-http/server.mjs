// Sessions without any framework. A real application checks a password before it starts one.
import { createServer } from 'node:http';
import { Sessions } from 'latchkey-sessions';
import { memorySessionStore } from 'latchkey-sessions/stores/memory';

const sessions = new Sessions({ store: memorySessionStore() });

const tokenIn = ({ cookie = '' }) => /(?:^|; )session=([^;]+)/.exec(cookie)?.[1] ?? '';

const server = createServer(async ({ method, url, headers }, response) => {
  const now = new Date();
  const resumed = await sessions.resume(tokenIn(headers), now);
  const session = resumed.state === 'live' ? resumed.session : null;
  const userAgent = headers['user-agent'];
  if (method === 'POST' && url === '/sign-in') {
    const { token } = await sessions.start({ userId: 'ann', userAgent, replaces: session }, now);
    response.setHeader('Set-Cookie', `session=${token}; Path=/; HttpOnly; SameSite=Lax`);
  }
  if (method === 'POST' && url === '/sign-out' && session) {
    await sessions.revoke(session.id, { reason: 'signed-out', by: session.id }, now);
  }
  response.end(session ? `Hello, ${session.userId}.` : 'Who are you?');
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}`);
});
