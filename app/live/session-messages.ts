import { useEffect } from 'react';

/** A message to an open page about its session. */
export type SessionMessage =
  /** The session ended; `reason` is an `EndReason`, or 'unknown'. */
  | { kind: 'ended'; reason: string }
  /** A session of the user changed. */
  | { kind: 'sessions' }
  /** When the session expires. */
  | { kind: 'expires'; leftMs: number; canStay: boolean };

const SESSIONS_CHANGED = 'latchkey:sessions';
/** Changes come in groups: a sign-in may end another session, "sign out everywhere else" ends many. */
const GATHER_MS = 150;

/** Tells the current page that the user's sessions have changed. */
export function dispatchSessionsChanged(): void {
  window.dispatchEvent(new Event(SESSIONS_CHANGED));
}

/** Calls `onChanged` when the user's sessions have changed, on any device. */
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
