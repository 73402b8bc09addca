import { RemixBrowser } from '@remix-run/react';
import { startTransition, StrictMode } from 'react';
import { hydrateRoot } from 'react-dom/client';

void pageDataRead().then(() => {
  startTransition(() => {
    hydrateRoot(
      document,
      <StrictMode>
        <RemixBrowser />
      </StrictMode>,
    );
  });
});

/**
 * `RemixBrowser` suspends until the page's data is read, and starts to read it when it is first
 * called: then it throws the promise of it, before any hook. A key or a click in that time has React 18
 * hydrate at once, which cannot wait, and fails (#345). So the data is read before React comes in.
 */
async function pageDataRead(): Promise<void> {
  try {
    RemixBrowser({});
  } catch (reading) {
    await reading;
  }
}

// Shows a page of our own when the network is gone; it caches that page and nothing else.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/service-worker.js').catch(() => {
    // Without it the browser shows its own page; nothing is lost.
  });
}
