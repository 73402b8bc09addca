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
 * Reads the page's data before React hydrates. The first call of `RemixBrowser` starts the read, and
 * throws its promise before any hook. Without this, a key or click during the read makes React 18
 * hydrate synchronously, which cannot suspend, and fails (#345).
 */
async function pageDataRead(): Promise<void> {
  try {
    RemixBrowser({});
  } catch (reading) {
    await reading;
  }
}

// Shows the application's offline page without a network. It caches only that page.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/service-worker.js').catch(() => {
    // Without the worker, the browser shows its own offline page.
  });
}
