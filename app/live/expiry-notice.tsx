import { useEffect, useRef, useState } from 'react';
import { Button } from '#app/ui/button.tsx';

interface ExpiryNoticeProps {
  /** When the session expires, as a time of `performance.now()`. */
  untilMs: number;
  /** False: the session reaches its maximum lifetime, and activity cannot extend it. */
  canStay: boolean;
  /** Resolves to true if the request succeeded. */
  onStay: () => Promise<boolean>;
  onClose: () => void;
}

const MINUTE_MS = 60_000;
const REFRESH_MS = 5_000;
const TYPED_INTO = 'input, textarea, select, [contenteditable]';

/**
 * Warns that the session is about to expire. Takes the focus, unless the user is typing, and returns it
 * on closing. Escape closes it.
 */
export function ExpiryNotice({ untilMs, canStay, onStay, onClose }: ExpiryNoticeProps) {
  const notice = useRef<HTMLDialogElement>(null);
  const [minutes, setMinutes] = useState(() => minutesUntil(untilMs));
  const [state, setState] = useState<'asking' | 'pending' | 'failed'>('asking');

  useEffect(() => {
    const timer = setInterval(() => setMinutes(minutesUntil(untilMs)), REFRESH_MS);
    return () => clearInterval(timer);
  }, [untilMs]);

  useEffect(() => {
    const before = document.activeElement;
    // An open modal dialog blocks the rest of the page, so the notice must open as a modal above it.
    if (document.querySelector('dialog:modal')) {
      notice.current?.close();
      notice.current?.showModal();
    } else if (!before?.matches(TYPED_INTO)) {
      notice.current?.querySelector('button')?.focus();
    }
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  useEffect(() => {
    const closeByEscape = (event: KeyboardEvent) => {
      if (event.key === 'Escape') onClose();
    };
    document.addEventListener('keydown', closeByEscape);
    return () => document.removeEventListener('keydown', closeByEscape);
  }, [onClose]);

  const stay = async () => {
    setState('pending');
    if (!(await onStay())) setState('failed');
  };

  return (
    <dialog
      ref={notice}
      open
      role="alertdialog"
      aria-labelledby="expiry-title"
      aria-describedby="expiry-text"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      className="question appear fixed inset-x-4 top-auto bottom-4 z-30 mx-auto grid w-auto max-w-120 gap-4 rounded-2xl border border-line bg-raised p-6 text-ink shadow-xl"
    >
      <div className="grid gap-1">
        <h2 id="expiry-title" className="text-lead font-semibold">
          You will be signed out in {minutes}
        </h2>
        <p id="expiry-text" className="text-muted">
          {textFor(state, canStay)}
        </p>
      </div>
      <div className="flex flex-wrap gap-3">
        {canStay && (
          <Button type="button" pending={state === 'pending'} onClick={() => void stay()}>
            Stay signed in
          </Button>
        )}
        <Button type="button" look={canStay ? 'quiet' : 'secondary'} onClick={onClose}>
          {canStay ? 'Not now' : 'I see'}
        </Button>
      </div>
    </dialog>
  );
}

function minutesUntil(untilMs: number): string {
  const minutes = Math.round((untilMs - performance.now()) / MINUTE_MS);
  if (minutes < 1) return 'less than a minute';
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

function textFor(state: 'asking' | 'pending' | 'failed', canStay: boolean): string {
  if (state === 'failed') return 'That did not reach us. Try once more.';
  return canStay
    ? 'You have been away for a while. What you have not saved would be lost.'
    : 'You have been signed in for as long as this device may be. Save what you are doing, then sign in again.';
}
