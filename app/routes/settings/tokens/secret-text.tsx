import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { useHydrated } from '#app/ui/use-hydrated.ts';

/** Shows a secret that is shown only once: a click selects all of it, and with scripts a button copies it. */
export function SecretText({ label, text }: { label: string; text: string }) {
  const [isCopied, setIsCopied] = useState(false);
  const hasScripts = useHydrated();
  return (
    <div className="grid gap-4">
      <p
        aria-label={label}
        role="group"
        className="rounded-2xl bg-sunken px-6 py-5 font-mono break-all select-all"
      >
        {text}
      </p>
      {hasScripts && (
        <div>
          <button
            type="button"
            className="inline-flex min-h-11 items-center justify-center gap-2 rounded-xl border border-control bg-raised px-4 font-medium text-ink hover:bg-sunken sm:min-h-10"
            onClick={() => {
              void navigator.clipboard.writeText(text).then(
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
        </div>
      )}
      <p role="status" className="sr-only">
        {isCopied ? 'It is copied.' : ''}
      </p>
    </div>
  );
}
