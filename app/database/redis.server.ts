import type { Log } from '#app/operations/log.server.ts';

/** A connection to Redis. Connects with the first command, and reconnects whenever it breaks. */
export interface Redis {
  /**
   * Sends one command, and returns the answer.
   *
   * @throws {RedisUnavailableError} if there is no answer within two seconds. Redis may still have
   *   executed the command.
   */
  send(command: string[]): Promise<unknown>;
  /** Closes the connection. */
  close(): void;
}

/** Redis could not answer. Answer 503: an outage says nothing about a limit. */
export class RedisUnavailableError extends Error {
  override name = 'RedisUnavailableError';
  constructor(cause: unknown) {
    super('Redis is not available.', { cause });
  }
}

const CONNECT_WITHIN_MS = 5000;
const ANSWER_WITHIN_MS = 2000;
const RECONNECT_AFTER_AT_MOST_MS = 1000;
const RECONNECT_STEP_MS = 50;
/** The most commands that wait for a connection or an answer; further commands fail at once. */
const MAX_WAITING = 1000;

/** Creates the client without connecting: the application must start and show pages without Redis. */
export async function openRedis({ url, log }: { url: string; log: Log }): Promise<Redis> {
  const { createClient } = await import('redis');
  const client = createClient({
    url,
    commandsQueueMaxLength: MAX_WAITING,
    socket: {
      connectTimeout: CONNECT_WITHIN_MS,
      reconnectStrategy: (retries) =>
        Math.min((retries + 1) * RECONNECT_STEP_MS, RECONNECT_AFTER_AT_MOST_MS),
    },
  });
  // Every failed attempt emits an error; one log line per outage is enough.
  let isDown = false;
  client.on('error', (error: unknown) => {
    if (!isDown) log.error({ err: error }, 'Redis is not available; reconnecting');
    isDown = true;
  });
  client.on('ready', () => {
    if (isDown) log.info('Redis is available again');
    isDown = false;
  });
  let connecting: Promise<unknown> | null = null;
  const connect = () =>
    (connecting ??= client.connect().catch((error: unknown) => {
      connecting = null;
      throw error;
    }));

  return {
    async send(command) {
      const abort = new AbortController();
      const { signal: abortSignal } = abort;
      const answer = connect().then(() => {
        abortSignal.throwIfAborted();
        return client.sendCommand(command, { abortSignal });
      });
      try {
        return await withinTime(answer, abort);
      } catch (error) {
        throw new RedisUnavailableError(error);
      }
    },
    close() {
      if (client.isOpen) client.destroy();
    },
  };
}

async function withinTime<Answer>(
  answer: Promise<Answer>,
  abort: AbortController,
): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      // A command that was not sent yet must not be sent later.
      abort.abort();
      reject(new Error(`Redis did not answer within ${ANSWER_WITHIN_MS} ms.`));
    }, ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
