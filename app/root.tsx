import type { LinksFunction, LoaderFunctionArgs, MetaFunction } from '@remix-run/node';
import {
  isRouteErrorResponse,
  Links,
  Meta,
  Outlet,
  Scripts,
  ScrollRestoration,
  useRouteError,
  useRouteLoaderData,
} from '@remix-run/react';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { readTheme } from '#app/http/theme.server.ts';
import type { User } from '#app/visit/user.ts';
import { findSignedIn } from '#app/visit/visit.ts';
import { ErrorPage, offlineText, textForStatus } from '#app/ui/error-page.tsx';
import { useHydrated } from '#app/ui/use-hydrated.ts';
import { useNonce } from '#app/ui/nonce.ts';
import { SiteFrame } from '#app/ui/site-frame.tsx';
import { SubmissionMarker } from '#app/ui/submission-marker.tsx';
import { useSubmittedTheme } from '#app/ui/theme-on-its-way.ts';
import type { ThemeName } from '#app/ui/theme-switch.tsx';
import { LAST_OF_PAGE, Toast } from '#app/ui/toast.tsx';
import stylesheet from './tailwind.css?url';

export const links: LinksFunction = () => [
  { rel: 'stylesheet', href: stylesheet },
  { rel: 'icon', href: '/favicon.svg', type: 'image/svg+xml' },
  { rel: 'icon', href: '/favicon.png', type: 'image/png', sizes: '64x64' },
  { rel: 'apple-touch-icon', href: '/apple-touch-icon.png' },
  { rel: 'manifest', href: '/site.webmanifest' },
];

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [{ title: 'Latchkey' }];

export async function loader({ context: { app, visit, nonce } }: LoaderFunctionArgs) {
  const signedIn = await findSignedIn(visit);
  const message = app.toast.take(visit);
  return {
    user: signedIn && userOnPage(signedIn.user),
    theme: readTheme(visit),
    origin: app.origin,
    toast: message === null ? null : { text: message, id: nonce },
  };
}

// Loaded only for signed-in users. If the code fails to load, the page works without live updates.
const LiveSession = lazy(() =>
  import('#app/live/live-session.tsx').then(
    (module) => ({ default: module.LiveSession }),
    () => ({ default: () => null }),
  ),
);

const userOnPage = ({ name, email, picture }: User) => ({ name, email, picture });

/** The document around every page. On error pages the loader's data may be missing. */
export function Layout({ children }: { children: ReactNode }) {
  const nonce = useNonce();
  const page = useRouteLoaderData<typeof loader>('root');
  const themeOnItsWay = useSubmittedTheme();
  const isHydrated = useHydrated();
  const [isOver, setIsOver] = useState(false);
  const theme = (themeOnItsWay ?? page?.theme ?? 'system') as ThemeName;
  return (
    <html lang="en" data-theme={theme}>
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={theme === 'system' ? 'light dark' : theme} />
        {/* Delays the first paint until the whole page is parsed, so that nothing moves afterwards. */}
        <link rel="expect" href={`#${LAST_OF_PAGE}`} blocking="render" />
        {/* Before the style sheet: a script after it would wait for it. */}
        <SubmissionMarker />
        <Meta />
        <Links />
      </head>
      <body>
        {!isOver && (
          <>
            <SiteFrame user={page?.user} theme={theme}>
              {children}
            </SiteFrame>
            <Toast text={page?.toast?.text ?? null} id={page?.toast?.id ?? null} />
          </>
        )}
        {page?.user && isHydrated && (
          <Suspense>
            <LiveSession onSignedOut={setIsOver} />
          </Suspense>
        )}
        <ScrollRestoration nonce={nonce} />
        <Scripts nonce={nonce} />
      </body>
    </html>
  );
}

export default function App() {
  return <Outlet />;
}

export function ErrorBoundary() {
  const error = useRouteError();
  if (isRouteErrorResponse(error)) {
    return <ErrorPage {...textForStatus(error.status, error.data)} />;
  }
  const isOffline = typeof navigator !== 'undefined' && 'onLine' in navigator && !navigator.onLine;
  return <ErrorPage {...(isOffline ? offlineText : textForStatus(500))} />;
}
