import type { ServerResponse } from 'node:http';
import { SECOND_MS } from '#app/sessions/index.ts';

/** Proxies close what is silent for a minute; many of them for half of one. */
const HEARTBEAT_MS = 20 * SECOND_MS;
/** Whoever leaves this much unread is gone, or wants to fill our memory. */
const MAX_UNREAD_BYTES = 64 * 1024;
/** Between these many milliseconds a browser waits before it comes back: not all at once. */
const RETRY_MS = { least: 1000, most: 4000 };

/**
 * Headers of an event stream. `no-transform` keeps proxies (and our own compression) from gathering
 * what is to leave at once, `X-Accel-Buffering` keeps nginx from it.
 */
export const EVENT_STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
} as const;

/** What one browser is told, one event after the other (WHATWG HTML, "Server-sent events"). */
export interface EventStream {
  /** @param data one line of text. */
  send(event: string, data: string): void;
  /** Says that it is still there, when nothing else has for a while. */
  beat(now: Date): void;
  /** Ends the answer; what was sent before arrives. */
  end(): void;
}

/** Begins an event stream as the answer to a request. */
export function openEventStream(response: ServerResponse, now: Date): EventStream {
  let spokeAtMs = now.getTime();
  const write = (text: string) => {
    if (response.writableEnded || response.destroyed) return;
    response.write(text);
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  };
  response.writeHead(200, EVENT_STREAM_HEADERS);
  const retryMs = RETRY_MS.least + Math.random() * (RETRY_MS.most - RETRY_MS.least);
  write(`retry: ${Math.round(retryMs)}\n\n`);
  return {
    send: (event, data) => write(`event: ${event}\ndata: ${data}\n\n`),
    beat(at) {
      // A clock that jumped back must not silence it.
      if (Math.abs(at.getTime() - spokeAtMs) < HEARTBEAT_MS) return;
      spokeAtMs = at.getTime();
      write(': still here\n\n');
    },
    end: () => response.end(),
  };
}
