import type { Log } from '#app/operations/log.server.ts';

/** A connection to Redis, made when the first command asks for it and again whenever it breaks. */
export interface Redis {
  /**
   * The answer to one command.
   *
   * @throws {RedisUnavailableError} when there is none within two seconds; it may have been carried
   *   out all the same.
   */
  send(command: string[]): Promise<unknown>;
  /** Lets go of the connection. */
  close(): void;
}

/** Redis could not answer. Nothing may be concluded then; answer 503. */
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
/** Commands that wait for a connection or an answer; beyond them each is refused at once. */
const MAX_WAITING = 1000;

/** Opens no connection yet: the application starts, and shows its pages, without Redis too. */
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
  // Every failed attempt is an error of its own: one line an outage is enough.
  let isDown = false;
  client.on('error', (error: unknown) => {
    if (!isDown) log.error({ err: error }, 'Redis is not available; it is tried again until it is');
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
      // What was not sent yet shall not be sent later.
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
