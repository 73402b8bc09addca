/** A connection that receives published messages. It must not reconnect: it might have missed some. */
export interface RedisSubscription {
  subscribe(channel: string, listener: (text: string) => void): Promise<unknown>;
  /** The listener is called when the connection broke or may have; any number of times. */
  onLost(listener: () => void): void;
  close(): Promise<unknown>;
}

/** A client of the package `redis` that is not connected yet, as `createClient()` returns it. */
export interface NodeRedisListener {
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  on(event: 'error' | 'end' | 'reconnecting', listener: () => void): unknown;
  destroy(): void;
}

/** A client of the package `ioredis`, created with `lazyConnect: true`. */
export interface IoredisListener {
  connect(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  on(event: 'error' | 'end' | 'close', listener: () => void): unknown;
  disconnect(): void;
}

/**
 * Connects a `redis` client for a feed, which closes it as soon as it breaks.
 *
 * @throws the error of `connect()`, after closing the client.
 */
export async function listenWithRedis(client: NodeRedisListener): Promise<RedisSubscription> {
  const loss = createLossSignal();
  for (const event of ['error', 'end', 'reconnecting'] as const)
    client.on(event, () => loss.emit());
  const close = () => {
    client.destroy();
    return Promise.resolve();
  };
  await connectOrClose(client, close);
  return {
    subscribe: (channel, listener) => client.subscribe(channel, listener),
    onLost: (listener) => loss.subscribe(listener),
    close,
  };
}

/** Connects an `ioredis` client; see {@link listenWithRedis}. */
export async function listenWithIoredis(client: IoredisListener): Promise<RedisSubscription> {
  const loss = createLossSignal();
  for (const event of ['error', 'end', 'close'] as const) client.on(event, () => loss.emit());
  const listeners = new Map<string, (text: string) => void>();
  client.on('message', (channel, text) => listeners.get(channel)?.(text));
  const close = () => {
    client.disconnect();
    return Promise.resolve();
  };
  await connectOrClose(client, close);
  return {
    subscribe(channel, listener) {
      listeners.set(channel, listener);
      return client.subscribe(channel);
    },
    onLost: (listener) => loss.subscribe(listener),
    close,
  };
}

async function connectOrClose(
  client: { connect(): Promise<unknown> },
  close: () => Promise<unknown>,
): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

/** Returns a signal that the connection broke. A listener that subscribes later is called at once. */
function createLossSignal() {
  const listeners: (() => void)[] = [];
  let isLost = false;
  return {
    emit() {
      isLost = true;
      for (const listener of listeners) listener();
    },
    subscribe(listener: () => void) {
      listeners.push(listener);
      if (isLost) listener();
    },
  };
}
