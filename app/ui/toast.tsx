import { X } from 'lucide-react';
import { useState } from 'react';
import { useHydrated } from './use-hydrated.ts';

/** The id of the last element of every page, which is the live region. */
export const LAST_OF_PAGE = 'last-of-page';

/**
 * A short message about the last action. The live region is in every page, so that screen readers
 * announce a new message. The message disappears by CSS, unless the user is reading it; with scripts it
 * has a close button.
 */
export function Toast({ text, id }: { text: string | null; id: string | null }) {
  const [closedId, setClosedId] = useState<string | null>(null);
  const canClose = useHydrated();

  return (
    <div
      role="status"
      id={LAST_OF_PAGE}
      className="pointer-events-none fixed inset-x-0 bottom-0 z-20 grid justify-items-center p-4"
    >
      {text !== null && id !== closedId && (
        <div
          key={id}
          className="toast pointer-events-auto flex max-w-lg items-center gap-2 rounded-2xl bg-ink py-2 pr-2 pl-5 text-ground shadow-lg"
        >
          <p className="py-1.5 pr-3">{text}</p>
          {canClose && (
            <button
              type="button"
              aria-label="Close this message"
              className="grid size-9 shrink-0 place-items-center rounded-xl hover:bg-ground/15"
              onClick={() => setClosedId(id)}
            >
              <X aria-hidden className="size-4" />
            </button>
          )}
        </div>
      )}
    </div>
  );
}
