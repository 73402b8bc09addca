import { shareFollowing } from './shared-connection.ts';
import type { PageNews } from './session-messages.ts';

type OnNews = (news: PageNews) => void;

/** A page's share in the one connection of its browser. */
export interface SessionLink {
  /** Tells every page of this browser, this one too. */
  tell(news: PageNews): void;
  close(): void;
}

/**
 * Links this page to the news of its session: through a worker that all pages share, else through
 * that page among them that was elected, else by a connection of its own.
 */
export function linkToSession(onNews: OnNews): SessionLink {
  if ('SharedWorker' in window) return linkThroughWorker(onNews);
  return 'BroadcastChannel' in window && 'locks' in navigator
    ? linkThroughElected(onNews)
    : linkAlone(onNews);
}

function linkThroughWorker(onNews: OnNews): SessionLink {
  const worker = new SharedWorker(new URL('./session-worker.ts', import.meta.url), {
    type: 'module',
    name: 'session',
  });
  let instead: SessionLink | null = null;
  let isClosed = false;
  // Where workers of this kind cannot be had after all.
  worker.onerror = () => {
    if (!isClosed) instead ??= linkThroughElected(onNews);
  };
  worker.port.onmessage = ({ data }: MessageEvent<PageNews>) => onNews(data);
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
function linkThroughElected(onNews: OnNews): SessionLink {
  const channel = new BroadcastChannel('session');
  const closed = new AbortController();
  let following: ReturnType<typeof shareFollowing<null>> | null = null;
  const tellAll = (_page: null, news: PageNews) => {
    channel.postMessage(news);
    onNews(news);
  };
  channel.onmessage = ({ data }: MessageEvent<typeof JOINED | PageNews>) => {
    if (data === JOINED) following?.join(null);
    else onNews(data);
  };
  const hold = () =>
    new Promise<void>((resolve) => {
      const held = (following = shareFollowing(tellAll));
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

function linkAlone(onNews: OnNews): SessionLink {
  const following = shareFollowing<null>((_page, news) => onNews(news));
  following.join(null);
  return { tell: following.hear, close: () => following.leave(null) };
}
