import type { SessionMessage } from './session-messages.ts';
import { createSharedConnection } from './worker-connection.ts';

/** The single connection that all pages of a browser share. */
const following = createSharedConnection<MessagePort>((page, news) => page.postMessage(news));
const worker = self as unknown as { onconnect: ((event: MessageEvent) => void) | null };

worker.onconnect = ({ ports: [page] }) => {
  if (!page) return;
  page.onmessage = ({ data }: MessageEvent<'join' | 'leave' | SessionMessage>) => {
    if (data === 'join') following.join(page);
    else if (data === 'leave') following.leave(page);
    else following.hear(data);
  };
};
