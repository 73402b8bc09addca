import { Form } from '@remix-run/react';
import { Download } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '#app/ui/button.tsx';

const POLL_INTERVAL_MS = 200;

interface DownloadFormProps {
  action: string;
  look?: 'primary' | 'secondary';
  children: string;
}

/**
 * A form whose response is a file, so the page stays. With scripts it says that the file is being made,
 * until it begins to arrive; then the browser shows the progress.
 */
export function DownloadForm({ action, look = 'primary', children }: DownloadFormProps) {
  const mark = useRef<HTMLInputElement>(null);
  const [expectedMark, setExpectedMark] = useState<string | null>(null);
  const [hasBegun, setHasBegun] = useState(false);

  useEffect(() => {
    if (expectedMark === null) return;
    const timer = setInterval(() => {
      if (!document.cookie.split('; ').includes(`download=${expectedMark}`)) return;
      setExpectedMark(null);
      setHasBegun(true);
    }, POLL_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [expectedMark]);

  const onSubmit = () => {
    const newMark = crypto.randomUUID();
    if (mark.current) mark.current.value = newMark;
    setHasBegun(false);
    setExpectedMark(newMark);
  };
  return (
    <Form
      method="post"
      action={action}
      reloadDocument
      onSubmit={onSubmit}
      className="flex flex-wrap items-center gap-x-4 gap-y-2"
    >
      {/* Uncontrolled: React would reset a value of its own before the form is submitted. */}
      <input ref={mark} type="hidden" name="mark" />
      <Button look={look} pending={expectedMark !== null} pendingText="Making your file…">
        <Download aria-hidden className="size-4.5" strokeWidth={1.75} />
        {children}
      </Button>
      <p role="status" className="text-small text-muted">
        {hasBegun && 'Your file is arriving; your browser shows how far it is.'}
      </p>
    </Form>
  );
}
