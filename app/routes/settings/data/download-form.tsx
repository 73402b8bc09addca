import { Form } from '@remix-run/react';
import { Download } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '#app/ui/button.tsx';

const LOOK_EVERY_MS = 200;

interface DownloadFormProps {
  action: string;
  look?: 'primary' | 'secondary';
  children: string;
}

/**
 * A form that is answered with a file, while the page stays. With scripts it says that the file is
 * being made, and when it has begun to arrive: from then on the browser itself shows how far it is.
 */
export function DownloadForm({ action, look = 'primary', children }: DownloadFormProps) {
  const mark = useRef<HTMLInputElement>(null);
  const [awaited, setAwaited] = useState<string | null>(null);
  const [hasBegun, setHasBegun] = useState(false);

  useEffect(() => {
    if (awaited === null) return;
    const timer = setInterval(() => {
      if (!document.cookie.split('; ').includes(`download=${awaited}`)) return;
      setAwaited(null);
      setHasBegun(true);
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [awaited]);

  const onSubmit = () => {
    const made = crypto.randomUUID();
    if (mark.current) mark.current.value = made;
    setHasBegun(false);
    setAwaited(made);
  };
  return (
    <Form
      method="post"
      action={action}
      reloadDocument
      onSubmit={onSubmit}
      className="flex flex-wrap items-center gap-x-4 gap-y-2"
    >
      {/* Without a value of React's, which it would set again before the form is sent. */}
      <input ref={mark} type="hidden" name="mark" />
      <Button look={look} pending={awaited !== null} pendingText="Making your file…">
        <Download aria-hidden className="size-4.5" strokeWidth={1.75} />
        {children}
      </Button>
      <p role="status" className="text-small text-muted">
        {hasBegun && 'Your file is arriving; your browser shows how far it is.'}
      </p>
    </Form>
  );
}
