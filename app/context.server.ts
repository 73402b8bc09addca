import type { App } from '#app/application.ts';
import type { ResponseProgress } from '#app/http/file-stream.server.ts';
import type { Visit } from '#app/visit/visit.ts';

/** What a route gets. */
export interface PageContext {
  app: App;
  visit: Visit;
  /** Of this response's Content-Security-Policy. */
  nonce: string;
  outgoing: ResponseProgress;
}

declare module '@remix-run/node' {
  // The data of loaders reach the page as they are, not by way of JSON.
  interface Future {
    v3_singleFetch: true;
  }
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- declaration merging needs an interface
  interface AppLoadContext extends PageContext {}
}
