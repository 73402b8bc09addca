import { createSharedConnection } from './worker-connection.ts';
import type { SessionMessage } from './session-messages.ts';

type OnNews = (news: SessionMessage) => void;

/** A page's part in the shared connection of its browser. */
export interface SessionConnection {
  /** Sends a message to every page of this browser, including this one. */
  tell(news: SessionMessage): void;
  close(): void;
}

/**
 * Connects this page to the events of its session: through a worker shared by all pages; without
 * shared workers, through one elected page; without that, by its own connection.
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
  // The worker may fail to load although the browser supports shared workers.
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

// The page that holds the lock has the connection; when it closes, the browser gives another the lock.
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
    // The page closed before it got the lock.
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
