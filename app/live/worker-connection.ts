import { followSession } from './follow-session.ts';
import type { SessionMessage } from './session-messages.ts';

/**
 * Follows the session once for several pages. Starts with the first page, stops with the last, and tells
 * a page that joins later when the session expires.
 */
export function createSharedConnection<Page>(tell: (page: Page, news: SessionMessage) => void) {
  const pages = new Set<Page>();
  let stop: (() => void) | null = null;
  let expires: { untilMs: number; canStay: boolean } | null = null;

  const hear = (news: SessionMessage) => {
    if (news.kind === 'expires') {
      expires = { untilMs: performance.now() + news.leftMs, canStay: news.canStay };
    }
    const told = [...pages];
    // The next sign-in starts a new connection.
    if (news.kind === 'ended') end();
    for (const page of told) tell(page, news);
  };
  const end = () => {
    stop?.();
    stop = expires = null;
    pages.clear();
  };

  return {
    join(page: Page): void {
      pages.add(page);
      stop ??= followSession(hear);
      if (!expires) return;
      const { untilMs, canStay } = expires;
      tell(page, { kind: 'expires', leftMs: untilMs - performance.now(), canStay });
    },
    leave(page: Page): void {
      pages.delete(page);
      if (pages.size === 0) end();
    },
    /** Sends a page's message to all pages. */
    hear,
  };
}
