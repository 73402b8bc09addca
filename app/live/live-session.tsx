import { useFetchers, useNavigation } from '@remix-run/react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { SignedOutScreen } from './ended-screen.tsx';
import { ExpiryNotice } from './expiry-notice.tsx';
import { ENDED_HEADER, SESSION_EVENTS } from './follow-session.ts';
import { connectToSession, type SessionConnection } from './session-link.client.ts';
import { dispatchSessionsChanged, type SessionMessage } from './session-messages.ts';
import { forgetSubmission, isSubmitting } from '#app/ui/submission-marker.tsx';

const NOTICE_MS = 120_000;
/** How long to wait for the server to report an extension by another page, before the notice opens. */
const GRACE_MS = 3_000;
/** How long a navigation of the page itself may take before the redirect to the login page. */
const ON_ITS_WAY_MS = 3_000;
const LOOK_AGAIN_MS = 250;
const MAX_TIMER_MS = 2 ** 31 - 1;

interface LiveSessionProps {
  /** True: the session has ended, so the content of the page must be removed at once. */
  onSignedOut: (isOver: boolean) => void;
}

interface Expiry {
  untilMs: number;
  canStay: boolean;
}

/**
 * Keeps an open page in sync with its session: replaces the page when the session ends, shows a notice
 * before it expires, and tells the page when another session of the user starts or ends.
 */
export function LiveSession({ onSignedOut }: LiveSessionProps) {
  const [expiry, setExpiry] = useState<Expiry | null>(null);
  const [isNear, setIsNear] = useState(false);
  const [isOver, setIsOver] = useState(false);
  const link = useRef<SessionConnection | null>(null);
  const isBusy = useIsOnItsWay();

  useEffect(() => {
    let leaving: ReturnType<typeof setTimeout> | undefined;
    const leave = (reason: string) => {
      flushSync(() => {
        setIsOver(true);
        onSignedOut(true);
      });
      forgetPageData();
      // Signing out or in on this page navigates by itself. A redirect would interrupt that, even if the
      // response is slow.
      const waitMs = isBusy() || reason === 'replaced' ? ON_ITS_WAY_MS : 0;
      const go = () => {
        if (isBusy()) leaving = setTimeout(go, LOOK_AGAIN_MS);
        else location.replace(loginPath());
      };
      clearTimeout(leaving);
      leaving = setTimeout(go, waitMs);
    };
    const hear = (news: SessionMessage) => {
      if (news.kind === 'ended') leave(news.reason);
      else if (news.kind === 'sessions') dispatchSessionsChanged();
      else {
        setExpiry({ untilMs: performance.now() + news.leftMs, canStay: news.canStay });
        if (news.leftMs > NOTICE_MS) setIsNear(false);
      }
    };
    const open = () => (link.current ??= connectToSession(hear));
    const close = () => {
      link.current?.close();
      link.current = null;
    };
    // The browser may keep the page in its back/forward cache. Hides the page until the session is known
    // to be live.
    const hide = () => {
      document.documentElement.hidden = true;
      close();
    };
    const show = async ({ persisted }: PageTransitionEvent) => {
      if (!persisted) return;
      const state = await askState();
      if (state === null) return location.reload();
      if (state !== 'live') leave(state);
      else open();
      document.documentElement.hidden = false;
    };
    const showAgain = (event: PageTransitionEvent) => void show(event);
    open();
    window.addEventListener('pagehide', hide);
    window.addEventListener('pageshow', showAgain);
    return () => {
      window.removeEventListener('pagehide', hide);
      window.removeEventListener('pageshow', showAgain);
      close();
      // The page has navigated by itself, to a page for signed-out visitors.
      clearTimeout(leaving);
      onSignedOut(false);
    };
  }, [onSignedOut, isBusy]);

  useEffect(() => {
    if (!expiry) return;
    const leftMs = expiry.untilMs - performance.now();
    // The server sends the expiry once more when it is near.
    const waitMs = leftMs <= NOTICE_MS ? 0 : leftMs - NOTICE_MS + GRACE_MS;
    if (waitMs > MAX_TIMER_MS) return;
    const timer = setTimeout(() => setIsNear(true), waitMs);
    return () => clearTimeout(timer);
  }, [expiry]);

  const close = useCallback(() => setIsNear(false), []);
  const stay = useCallback(async () => {
    const news = await askToStay();
    if (news) link.current?.tell(news);
    return news !== null;
  }, []);

  if (isOver) return <SignedOutScreen loginPath={loginPath()} />;
  return isNear && expiry ? <ExpiryNotice {...expiry} onStay={stay} onClose={close} /> : null;
}

/** Returns a function that is true while the page navigates or submits a form. */
function useIsOnItsWay(): () => boolean {
  const isNavigating = useNavigation().state !== 'idle';
  const isSending = useFetchers().length > 0 || isNavigating;
  const isOnItsWay = useRef(false);
  const leftAtMs = useRef(-Infinity);
  useLayoutEffect(() => {
    isOnItsWay.current = isSending;
    return isSending ? forgetSubmission : undefined;
  }, [isSending]);
  useEffect(() => {
    const note = () => (leftAtMs.current = performance.now());
    window.addEventListener('beforeunload', note);
    return () => window.removeEventListener('beforeunload', note);
  }, []);
  return useCallback(
    () =>
      isOnItsWay.current || isSubmitting() || performance.now() - leftAtMs.current < ON_ITS_WAY_MS,
    [],
  );
}

/** Returns 'live', or why the session ended; `null` if the server does not answer. */
async function askState(): Promise<string | null> {
  try {
    const { status, headers } = await fetch(SESSION_EVENTS, { method: 'HEAD', cache: 'no-store' });
    if (status === 204) return headers.get(ENDED_HEADER) ?? 'unknown';
    return status === 200 ? 'live' : null;
  } catch {
    return null;
  }
}

/** Extends the session, and returns its new expiry; `null` if the request failed. */
async function askToStay(): Promise<SessionMessage | null> {
  try {
    const answer = await fetch('/session/stay', { method: 'POST', redirect: 'manual' });
    if (!answer.ok) return null;
    const { leftMs, canStay } = (await answer.json()) as { leftMs: number; canStay: boolean };
    return { kind: 'expires', leftMs, canStay };
  } catch {
    return null;
  }
}

/** Clears the data that the server put into inline scripts. */
function forgetPageData(): void {
  for (const script of document.querySelectorAll('script:not([src])')) script.textContent = '';
}

function loginPath(): string {
  const here = location.pathname + location.search;
  return here === '/' ? '/login' : `/login?${new URLSearchParams({ redirectTo: here })}`;
}
