/** A connection that hears what is published. It must not reconnect by itself: it would not know what it missed. */
export interface RedisSubscription {
  subscribe(channel: string, listener: (text: string) => void): Promise<unknown>;
  /** Called when the connection broke, or may have; any number of times. */
  onLost(listener: () => void): void;
  close(): Promise<unknown>;
}

/** A client of the package `redis` that is not connected yet: what `createClient()` answers. */
export interface NodeRedisListener {
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  on(event: 'error' | 'end' | 'reconnecting', listener: () => void): unknown;
  destroy(): void;
}

/** A client of the package `ioredis`, made with `lazyConnect: true`. */
export interface IoredisListener {
  connect(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  on(event: 'error' | 'end' | 'close', listener: () => void): unknown;
  disconnect(): void;
}

/**
 * Connects a `redis` client for a feed, which lets go of it as soon as it breaks.
 *
 * @throws what `connect()` throws; nothing is left open then.
 */
export async function listenWithRedis(client: NodeRedisListener): Promise<RedisSubscription> {
  const breaking = createBreaking();
  for (const event of ['error', 'end', 'reconnecting'] as const)
    client.on(event, () => breaking.tell());
  const close = () => {
    client.destroy();
    return Promise.resolve();
  };
  await connectOr(close, client);
  return {
    subscribe: (channel, listener) => client.subscribe(channel, listener),
    onLost: (listener) => breaking.hear(listener),
    close,
  };
}

/** The same for an `ioredis` client. */
export async function listenWithIoredis(client: IoredisListener): Promise<RedisSubscription> {
  const breaking = createBreaking();
  for (const event of ['error', 'end', 'close'] as const) client.on(event, () => breaking.tell());
  const listeners = new Map<string, (text: string) => void>();
  client.on('message', (channel, text) => listeners.get(channel)?.(text));
  const close = () => {
    client.disconnect();
    return Promise.resolve();
  };
  await connectOr(close, client);
  return {
    subscribe(channel, listener) {
      listeners.set(channel, listener);
      return client.subscribe(channel);
    },
    onLost: (listener) => breaking.hear(listener),
    close,
  };
}

async function connectOr(
  close: () => Promise<unknown>,
  client: { connect(): Promise<unknown> },
): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

/** Whoever asks after it broke is told so too. */
function createBreaking() {
  const listeners: (() => void)[] = [];
  let isBroken = false;
  return {
    tell() {
      isBroken = true;
      for (const listener of listeners) listener();
    },
    hear(listener: () => void) {
      listeners.push(listener);
      if (isBroken) listener();
    },
  };
}
