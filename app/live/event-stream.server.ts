import type { ServerResponse } from 'node:http';
import { SECOND_MS } from '#app/sessions/index.ts';

/** Proxies close silent connections after a minute, many after half a minute. */
const HEARTBEAT_MS = 20 * SECOND_MS;
/** A client that leaves more than this unread is gone, or tries to exhaust the server's memory. */
const MAX_UNREAD_BYTES = 64 * 1024;
/** A browser reconnects after a random pause in this range, so that not all browsers do so at once. */
const RETRY_MS = { least: 1000, most: 4000 };

/**
 * Headers of an event stream. `no-transform` stops proxies and this server's compression from buffering
 * events, and `X-Accel-Buffering` stops nginx.
 */
const EVENT_STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
} as const;

/** A stream of events to one browser (WHATWG HTML, "Server-sent events"). */
export interface EventStream {
  /** @param data one line of text. */
  send(event: string, data: string): void;
  /** Sends a heartbeat, if the last one was long enough ago. */
  beat(now: Date): void;
  /** Ends the response; events that were sent before still arrive. */
  end(): void;
}

/** Opens an event stream as the response to a request. */
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
      // The absolute difference, so that a clock that jumps back does not stop the heartbeat.
      if (Math.abs(at.getTime() - spokeAtMs) < HEARTBEAT_MS) return;
      spokeAtMs = at.getTime();
      write(': still here\n\n');
    },
    end: () => response.end(),
  };
}
