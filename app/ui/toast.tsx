import { X } from 'lucide-react';
import { useEffect, useState, useSyncExternalStore } from 'react';

const SHOWN_MS = 8_000;

const neverChanges = () => () => undefined;
const inBrowser = () => true;
const onServer = () => false;

/**
 * What just happened, in a line. The live region stands in every page, so that what appears in it
 * is announced. With scripts it can be put away, and goes by itself unless it is being read.
 */
export function Toast({ text, id }: { text: string | null; id: string | null }) {
  const [hiddenId, setHiddenId] = useState<string | null>(null);
  const [isHeld, setIsHeld] = useState(false);
  const canClose = useSyncExternalStore(neverChanges, inBrowser, onServer);
  const isShown = text !== null && id !== hiddenId;

  useEffect(() => {
    if (!isShown || isHeld) return;
    const timer = setTimeout(() => setHiddenId(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id, isShown, isHeld]);

  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 bottom-0 z-20 grid justify-items-center p-4"
    >
      {isShown && (
        // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- it only waits while it is read
        <div
          className="toast pointer-events-auto flex max-w-lg items-center gap-2 rounded-2xl bg-ink py-2 pr-2 pl-5 text-ground shadow-lg"
          onMouseEnter={() => setIsHeld(true)}
          onMouseLeave={() => setIsHeld(false)}
          onFocus={() => setIsHeld(true)}
          onBlur={() => setIsHeld(false)}
        >
          <p className="py-1.5 pr-3">{text}</p>
          {canClose && (
            <button
              type="button"
              aria-label="Close this message"
              className="grid size-9 place-items-center rounded-xl hover:bg-ground/15"
              onClick={() => setHiddenId(id)}
            >
              <X aria-hidden className="size-4" />
            </button>
          )}
        </div>
      )}
    </div>
  );
}
