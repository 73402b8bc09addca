import { useNavigate } from '@remix-run/react';
import { useEffect, useRef, type ReactNode } from 'react';

interface DialogProps {
  title: string;
  /** The page below the dialog, to which Escape returns. */
  backTo: string;
  children: ReactNode;
}

/**
 * A dialog that has its own URL. Without scripts it is at the top of its page. With scripts it is modal:
 * it traps the focus, and Escape closes it.
 */
export function Dialog({ title, backTo, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const navigate = useNavigate();

  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    element.close();
    element.showModal();
    return () => element.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      open
      aria-labelledby="question"
      onCancel={(event) => {
        event.preventDefault();
        navigate(backTo, { preventScrollReset: true });
      }}
      className="question appear static mb-8 w-full max-w-104 rounded-2xl border border-line bg-raised p-6 text-ink shadow-xl floating:fixed floating:inset-0 floating:z-30 floating:m-auto floating:h-fit floating:max-h-[calc(100dvh-2rem)] floating:w-[calc(100%-2rem)] floating:overflow-y-auto"
    >
      <h2 id="question" className="text-lead font-semibold">
        {title}
      </h2>
      <div className="mt-2 grid gap-5">{children}</div>
    </dialog>
  );
}
