import { X } from 'lucide-react';
import { useState } from 'react';
import { useHydrated } from './use-hydrated.ts';

/** The id of what comes last in every page, since the live region does. */
export const LAST_OF_PAGE = 'last-of-page';

/**
 * What just happened, in a line. The live region stands in every page, so that what appears in it
 * is announced. It goes by itself, by its style sheet alone, unless it is being read; with scripts
 * it can be put away.
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
