import { useEffect } from 'react';

/** What an open page is told of its session. */
export type SessionMessage =
  /** It is over; `reason` is the server's word for it. */
  | { kind: 'ended'; reason: string }
  /** Something happened to the person's sessions. */
  | { kind: 'sessions' }
  /** When it ends by itself. */
  | { kind: 'expires'; leftMs: number; canStay: boolean };

const SESSIONS_CHANGED = 'latchkey:sessions';
/** Several come together: one sign-in ends another session, "everywhere else" ends many. */
const GATHER_MS = 150;

/** Tells the page on show that the person's sessions are no longer what they were. */
export function dispatchSessionsChanged(): void {
  window.dispatchEvent(new Event(SESSIONS_CHANGED));
}

/** Calls back when the person's sessions changed, wherever that was done. */
export function useSessionsChanged(onChanged: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const gather = () => {
      clearTimeout(timer);
      timer = setTimeout(onChanged, GATHER_MS);
    };
    window.addEventListener(SESSIONS_CHANGED, gather);
    return () => {
      clearTimeout(timer);
      window.removeEventListener(SESSIONS_CHANGED, gather);
    };
  }, [onChanged]);
}
