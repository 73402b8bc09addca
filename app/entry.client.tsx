import { RemixBrowser } from '@remix-run/react';
import { startTransition, StrictMode } from 'react';
import { hydrateRoot } from 'react-dom/client';

/** What Remix leaves in the page for itself, as far as it matters here. */
interface RemixWindow {
  __remixContext: { stream?: ReadableStream<Uint8Array> };
}

void pageDataArrived().then(() => {
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
 * `RemixBrowser` suspends until the page's data is read. A key that is pressed in that moment has
 * React 18 hydrate at once, which cannot wait, and fails (#345). So the data is waited for before.
 */
async function pageDataArrived(): Promise<void> {
  const context = (window as unknown as RemixWindow).__remixContext;
  if (!context.stream) return;
  const [forRemix, forUs] = context.stream.tee();
  context.stream = forRemix;
  await new Response(forUs).arrayBuffer();
}

// Shows a page of our own when the network is gone; it caches that page and nothing else.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/service-worker.js').catch(() => {
    // Without it the browser shows its own page; nothing is lost.
  });
}
