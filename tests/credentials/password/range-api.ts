import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A local server with the range API of Have I Been Pwned. */
export interface RangeApi {
  url: string;
  /** All requests so far. */
  asked: { path: string; headers: IncomingHttpHeaders; body: string }[];
  /** The leaked passwords, and how often each has leaked. */
  leaked: Map<string, number>;
  /** If set, responds instead of the range API. */
  answer: ((response: ServerResponse) => void) | null;
  close(): Promise<void>;
}

export const sha1 = (text: string) =>
  createHash('sha1').update(text, 'utf8').digest('hex').toUpperCase();

const PADDING_LINES = 20;

export async function startRangeApi(): Promise<RangeApi> {
  const api: Omit<RangeApi, 'url' | 'close'> = { asked: [], leaked: new Map(), answer: null };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString('utf8')));
    request.on('end', () => {
      const path = request.url ?? '';
      shared.asked.push({ path, headers: request.headers, body });
      if (shared.answer) {
        shared.answer(response);
        return;
      }
      response.end(rangeOf(path.slice(-5), shared.leaked));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const shared: RangeApi = Object.assign(api, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
  return shared;
}

function rangeOf(prefix: string, leaked: Map<string, number>): string {
  const known = [...leaked]
    .filter(([password]) => sha1(password).startsWith(prefix))
    .map(([password, count]) => `${sha1(password).slice(5)}:${count}`);
  const padding = Array.from(
    { length: PADDING_LINES },
    (_, line) => `${sha1(`${line}`).slice(5)}:0`,
  );
  return [...known, ...padding].sort().join('\r\n');
}
