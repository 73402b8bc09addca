import { Form, useBeforeUnload, useBlocker } from '@remix-run/react';
import { Check, Copy, Download, Printer } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { Button } from '#app/ui/button.tsx';
import { useHydrated } from '#app/ui/use-hydrated.ts';

interface RecoveryCodeSheetProps {
  codes: string[];
  email: string;
  /** The day on which they were created: "2026-11-21". */
  madeOn: string;
  /** The path that "Done" leads to. */
  doneTo: string;
}

const buttonLook =
  'inline-flex min-h-11 items-center justify-center gap-2 rounded-xl border border-control bg-raised px-4 font-medium text-ink hover:bg-sunken sm:min-h-10';

/** Shows recovery codes to copy, download or print. Asks before the user leaves without saving them. */
export function RecoveryCodeSheet({ codes, email, madeOn, doneTo }: RecoveryCodeSheetProps) {
  const saved = useRef<HTMLInputElement>(null);
  const [isCopied, setIsCopied] = useState(false);
  const hasScripts = useHydrated();
  const id = useId();
  const file = fileText({ codes, email, madeOn });

  return (
    <div className="grid max-w-136 gap-8">
      <div className="grid gap-4">
        <p className="hidden print:block">
          Latchkey, {email}, made on {madeOn}. Each works once.
        </p>
        <ul
          aria-label="Recovery codes"
          className="grid gap-x-8 gap-y-2 rounded-2xl bg-sunken px-6 py-5 font-mono sm:grid-cols-2"
        >
          {codes.map((code) => (
            <li key={code} className="whitespace-nowrap select-all">
              {code}
            </li>
          ))}
        </ul>
        <div className="flex flex-wrap gap-3 print:hidden">
          {/* The page itself holds the file: the browser sends no request. */}
          <a
            className={buttonLook}
            href={`data:text/plain;charset=utf-8,${encodeURIComponent(file)}`}
            download="latchkey-recovery-codes.txt"
          >
            <Download aria-hidden className="size-4.5" strokeWidth={1.75} />
            Download
          </a>
          {hasScripts && (
            <>
              <button
                type="button"
                className={buttonLook}
                onClick={() => {
                  void navigator.clipboard.writeText(codes.join('\n')).then(
                    () => setIsCopied(true),
                    () => setIsCopied(false),
                  );
                }}
              >
                {isCopied ? (
                  <Check aria-hidden className="size-4.5" strokeWidth={1.75} />
                ) : (
                  <Copy aria-hidden className="size-4.5" strokeWidth={1.75} />
                )}
                {isCopied ? 'Copied' : 'Copy'}
              </button>
              <button type="button" className={buttonLook} onClick={() => window.print()}>
                <Printer aria-hidden className="size-4.5" strokeWidth={1.75} />
                Print
              </button>
            </>
          )}
        </div>
        <p role="status" className="sr-only">
          {isCopied ? 'The codes are copied.' : ''}
        </p>
      </div>
      {/* No field has a name, so nothing is sent. The browser itself requires the tick. */}
      <Form method="get" action={doneTo} className="grid gap-6 print:hidden">
        <div className="flex gap-3">
          <input
            ref={saved}
            type="checkbox"
            id={id}
            required
            className="mt-0.5 size-5 shrink-0 accent-(--accent)"
          />
          <label htmlFor={id}>I have saved them</label>
        </div>
        <div>
          <Button>Done</Button>
        </div>
      </Form>
      <ConfirmLeaving isSaved={() => saved.current?.checked ?? false} />
    </div>
  );
}

/** Asks before the user leaves the page with unsaved codes; they may leave nevertheless. */
function ConfirmLeaving({ isSaved }: { isSaved: () => boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      !isSaved() && currentLocation.pathname !== nextLocation.pathname,
  );
  useBeforeUnload((event) => {
    if (!isSaved()) event.preventDefault();
  });
  const isAsking = blocker.state === 'blocked';
  useEffect(() => {
    if (isAsking) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isAsking]);

  return (
    <dialog
      ref={dialog}
      aria-labelledby="leaving"
      onCancel={() => blocker.reset?.()}
      className="question appear m-auto w-[calc(100%-2rem)] max-w-104 rounded-2xl border border-line bg-raised p-6 text-ink shadow-xl"
    >
      <h2 id="leaving" className="text-lead font-semibold">
        Leave without having saved them?
      </h2>
      <div className="mt-2 grid gap-5">
        <p className="text-muted">
          They are not shown again. Without them and without your app you could not sign in.
        </p>
        <div className="flex flex-wrap justify-end gap-3">
          <Button type="button" look="quiet" onClick={() => blocker.reset?.()}>
            Stay here
          </Button>
          <Button type="button" look="danger" onClick={() => blocker.proceed?.()}>
            Leave
          </Button>
        </div>
      </div>
    </dialog>
  );
}

function fileText({ codes, email, madeOn }: Omit<RecoveryCodeSheetProps, 'doneTo'>): string {
  return [
    `Latchkey recovery codes of ${email}, made on ${madeOn}.`,
    'Each signs you in once when your authenticator app is out of reach.',
    '',
    ...codes,
    '',
  ].join('\r\n');
}
