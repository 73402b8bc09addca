import type { SessionMessage } from './session-messages.ts';

/** The path of the event stream; see `app/live/session-streams.server.ts`. */
export const SESSION_EVENTS = '/session/events';
export const ENDED_HEADER = 'Session-Ended';
const SECOND_MS = 1000;
/** The server sends a heartbeat three times as often; a connection silent for this long is dead. */
const SILENCE_MS = 65 * SECOND_MS;
const MAX_PAUSE_MS = 30 * SECOND_MS;
/** One "unknown" may be a race between a new token and its cookie; this many in a row end the session. */
const LEAST_UNKNOWN = 2;

interface Outcome {
  /** Reconnect after this many milliseconds; `null`: never. */
  pauseMs: number | null;
  isUnknown?: boolean;
}

/**
 * Follows the events of this browser's session over one connection. Reconnects when it breaks, with
 * exponential back-off and jitter. Runs in a worker or in a page.
 *
 * @param onNews called with every message; `ended` is the last one.
 * @returns a function that stops following.
 */
export function followSession(onNews: (news: SessionMessage) => void): () => void {
  const stopped = new AbortController();
  let failures = 0;
  let unknowns = 0;
  let retryMs = 2 * SECOND_MS;
  let wasConnected = false;

  const backOff = (leastMs = 0): Outcome => {
    failures += 1;
    const pauseMs = Math.min(MAX_PAUSE_MS, SECOND_MS * 2 ** (failures - 1));
    return { pauseMs: leastMs + pauseMs * (0.5 + Math.random()) };
  };

  const end = (reason: string): Outcome => {
    onNews({ kind: 'ended', reason });
    return { pauseMs: null };
  };

  const take = (event: string, data: string): Outcome | null => {
    if (event === 'ended') return end((JSON.parse(data) as { reason: string }).reason);
    if (event === 'sessions') onNews({ kind: 'sessions' });
    if (event === 'expires') {
      const { leftMs, canStay } = JSON.parse(data) as { leftMs: number; canStay: boolean };
      onNews({ kind: 'expires', leftMs, canStay });
    }
    return null;
  };

  const connect = async (): Promise<Outcome> => {
    const connection = new AbortController();
    let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
    // Cancels the reader if there is one: browsers log an error if a body is aborted while it is read.
    const stop = () => {
      if (reader) reader.cancel().catch(() => undefined);
      else connection.abort();
    };
    stopped.signal.addEventListener('abort', stop);
    let silence = setTimeout(stop, SILENCE_MS);
    try {
      const answer = await fetch(SESSION_EVENTS, { signal: connection.signal, cache: 'no-store' });
      if (answer.status === 204) {
        const reason = answer.headers.get(ENDED_HEADER) ?? 'unknown';
        unknowns += 1;
        if (reason !== 'unknown' || unknowns >= LEAST_UNKNOWN) return end(reason);
        return { pauseMs: SECOND_MS };
      }
      if (answer.status === 403) return { pauseMs: null };
      if (answer.status !== 200 || !answer.body) {
        return backOff(Number(answer.headers.get('Retry-After') ?? 0) * SECOND_MS);
      }
      failures = unknowns = 0;
      // Changes during the interruption were missed.
      if (wasConnected) onNews({ kind: 'sessions' });
      wasConnected = true;
      reader = answer.body.getReader();
      const decoder = new TextDecoder();
      for (let text = ''; ;) {
        const { done, value } = await reader.read();
        if (done) return { pauseMs: retryMs * (0.5 + Math.random()) };
        clearTimeout(silence);
        silence = setTimeout(stop, SILENCE_MS);
        const events = (text + decoder.decode(value, { stream: true })).split('\n\n');
        text = events.pop() ?? '';
        for (const lines of events) {
          const field = (name: string) =>
            new RegExp(`^${name}: (.*)$`, 'm').exec(lines)?.[1] ?? null;
          retryMs = Number(field('retry') ?? retryMs);
          const outcome = take(field('event') ?? '', field('data') ?? '');
          if (outcome) return outcome;
        }
      }
    } catch {
      return backOff();
    } finally {
      clearTimeout(silence);
      stopped.signal.removeEventListener('abort', stop);
      stop();
    }
  };

  void (async () => {
    while (!stopped.signal.aborted) {
      const { pauseMs } = await connect();
      if (pauseMs === null) return;
      await pause(pauseMs, stopped.signal);
    }
  })();
  return () => stopped.abort();
}

/** Waits, but not longer than until the network is back. */
function pause(pauseMs: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const goOn = () => {
      clearTimeout(timer);
      removeEventListener('online', goOn);
      stopped.removeEventListener('abort', goOn);
      resolve();
    };
    const timer = setTimeout(goOn, pauseMs);
    addEventListener('online', goOn);
    stopped.addEventListener('abort', goOn);
  });
}
