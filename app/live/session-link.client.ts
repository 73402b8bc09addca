import { createSharedConnection } from './worker-connection.ts';
import type { SessionMessage } from './session-messages.ts';

type OnNews = (news: SessionMessage) => void;

/** A page's share in the one connection of its browser. */
export interface SessionConnection {
  /** Tells every page of this browser, this one too. */
  tell(news: SessionMessage): void;
  close(): void;
}

/**
 * Links this page to the news of its session: through a worker that all pages share, else through
 * that page among them that was elected, else by a connection of its own.
 */
export function connectToSession(onNews: OnNews): SessionConnection {
  if ('SharedWorker' in window) return linkThroughWorker(onNews);
  return 'BroadcastChannel' in window && 'locks' in navigator
    ? linkThroughElected(onNews)
    : linkAlone(onNews);
}

function linkThroughWorker(onNews: OnNews): SessionConnection {
  const worker = new SharedWorker(new URL('./session-worker.ts', import.meta.url), {
    type: 'module',
    name: 'session',
  });
  let instead: SessionConnection | null = null;
  let isClosed = false;
  // Where workers of this kind cannot be had after all.
  worker.onerror = () => {
    if (!isClosed) instead ??= linkThroughElected(onNews);
  };
  worker.port.onmessage = ({ data }: MessageEvent<SessionMessage>) => onNews(data);
  worker.port.postMessage('join');
  return {
    tell: (news) => (instead ? instead.tell(news) : worker.port.postMessage(news)),
    close() {
      isClosed = true;
      instead?.close();
      worker.port.postMessage('leave');
      worker.port.close();
    },
  };
}

const JOINED = 'joined';

// Whoever holds the lock holds the connection; the browser passes it on when that page goes.
function linkThroughElected(onNews: OnNews): SessionConnection {
  const channel = new BroadcastChannel('session');
  const closed = new AbortController();
  let following: ReturnType<typeof createSharedConnection<null>> | null = null;
  const tellAll = (_page: null, news: SessionMessage) => {
    channel.postMessage(news);
    onNews(news);
  };
  channel.onmessage = ({ data }: MessageEvent<typeof JOINED | SessionMessage>) => {
    if (data === JOINED) following?.join(null);
    else onNews(data);
  };
  const hold = () =>
    new Promise<void>((resolve) => {
      const held = (following = createSharedConnection(tellAll));
      held.join(null);
      closed.signal.addEventListener('abort', () => {
        held.leave(null);
        resolve();
      });
    });
  navigator.locks.request('session-events', { signal: closed.signal }, hold).catch(() => {
    // Closed before its turn came.
  });
  channel.postMessage(JOINED);
  return {
    tell: (news) => tellAll(null, news),
    close() {
      closed.abort();
      channel.close();
    },
  };
}

function linkAlone(onNews: OnNews): SessionConnection {
  const following = createSharedConnection<null>((_page, news) => onNews(news));
  following.join(null);
  return { tell: following.hear, close: () => following.leave(null) };
}
