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
/** So long the server has to say that the end was put off elsewhere, before a page speaks up by itself. */
const GRACE_MS = 3_000;
/** A page that is on its way elsewhere, by its own doing, gets so long to arrive. */
const ON_ITS_WAY_MS = 3_000;
const LOOK_AGAIN_MS = 250;
const MAX_TIMER_MS = 2 ** 31 - 1;

interface LiveSessionProps {
  /** True: what is on the page is nobody's business any more, and has to go at once. */
  onSignedOut: (isOver: boolean) => void;
}

interface Expiry {
  untilMs: number;
  canStay: boolean;
}

/**
 * Keeps an open page in step with its session: away with it at once when the session is over, a
 * notice before it ends by itself, and word to the page when another session came or went.
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
      // Signing out here, or in again, leads to a page of its own. Going elsewhere would cut it off, also
      // where the answer takes its time.
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
    // The browser may keep the page as it stands, and show it again by "Back": covered until it is
    // known whose turn it is.
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
      // The page has gone elsewhere by itself: to one for somebody who is signed out.
      clearTimeout(leaving);
      onSignedOut(false);
    };
  }, [onSignedOut, isBusy]);

  useEffect(() => {
    if (!expiry) return;
    const leftMs = expiry.untilMs - performance.now();
    // The server says it once more when the end is near.
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

/** Tells whether the page is being left, or a form of it is on its way. */
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

/** 'live', or why it is not; null when that cannot be told. */
async function askState(): Promise<string | null> {
  try {
    const { status, headers } = await fetch(SESSION_EVENTS, { method: 'HEAD', cache: 'no-store' });
    if (status === 204) return headers.get(ENDED_HEADER) ?? 'unknown';
    return status === 200 ? 'live' : null;
  } catch {
    return null;
  }
}

/** When the session ends now; null when nobody could be told. */
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

/** What the server had put into the page for its scripts. */
function forgetPageData(): void {
  for (const script of document.querySelectorAll('script:not([src])')) script.textContent = '';
}

function loginPath(): string {
  const here = location.pathname + location.search;
  return here === '/' ? '/login' : `/login?${new URLSearchParams({ redirectTo: here })}`;
}
