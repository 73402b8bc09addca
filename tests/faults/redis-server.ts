// A server without a framework, with its sessions in Redis. Arguments: its port, the URL of Redis, and
// `leased` for a session cache.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from 'redis';
import { listenWithRedis } from '../../app/sessions/feeds/redis-subscription.ts';
import { leasedRedisFeed } from '../../app/sessions/leases/leased-redis.ts';
import { SessionCache } from '../../app/sessions/session-cache.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { redisSessionStore } from '../../app/sessions/stores/redis.ts';

const [port = '0', url = '', cache = ''] = process.argv.slice(2);
const RECONNECT_AFTER_MS = 50;
/** A silent connection is closed after this time. */
const SILENCE_MS = 1500;
const client = createClient({
  url,
  pingInterval: SILENCE_MS / 3,
  socket: { socketTimeout: SILENCE_MS, reconnectStrategy: () => RECONNECT_AFTER_MS },
});
client.on('error', () => undefined);
await client.connect();
const feed =
  cache === 'leased'
    ? leasedRedisFeed({
        send: (command) => client.sendCommand(command),
        listen: () => listenWithRedis(createClient({ url, socket: { reconnectStrategy: false } })),
        log: { info: () => undefined, warn: () => undefined },
      })
    : null;
const sessions = new Sessions({
  store: redisSessionStore({ redis: client, timeoutMs: 2000 }),
  ...(feed && { feed, cache: new SessionCache({ feed }) }),
  maxPerUser: 1_000_000,
});

const isReady = () => (feed ? feed.isCurrent() : client.isReady);
const statusOf = async (method: string, path: string, token: string): Promise<number> => {
  if (path === '/readyz') return isReady() ? 200 : 503;
  const resumed = await sessions.resume(token, new Date());
  if (method === 'GET') return resumed.state === 'live' ? 200 : 401;
  await sessions.revoke(token.split('.')[0]!, { reason: 'signed-out' }, new Date());
  return 204;
};
const server = createServer((request, response) => {
  const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  statusOf(request.method ?? '', request.url ?? '', token).then(
    (status) => response.writeHead(status).end(),
    () => response.writeHead(503).end(),
  );
});
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`serving on ${(server.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => {
  void (feed?.close() ?? Promise.resolve()).then(() => process.exit(0));
});
