import { useNonce } from './nonce.ts';

/** How long a submission counts as pending: the browser does not tell scripts when it has failed. */
const MAX_MS = 15_000;

declare global {
  interface Window {
    /** When this page last submitted a form without a response yet, as a time of `performance.now()`. */
    submittedAtMs?: number;
  }
}

const RECORD_SUBMIT = 'addEventListener("submit",function(){submittedAtMs=performance.now()})';

/**
 * An inline script that records when a form is submitted. A form may be submitted before the other
 * scripts have loaded, and Remix reports a submission to React only in a low-priority update.
 */
export function SubmissionMarker() {
  const nonce = useNonce();
  return (
    <script
      nonce={nonce}
      suppressHydrationWarning
      dangerouslySetInnerHTML={{ __html: RECORD_SUBMIT }}
    />
  );
}

/** True while a form of this page may still wait for its response. */
export function isSubmitting(): boolean {
  const { submittedAtMs = -Infinity } = window;
  return performance.now() - submittedAtMs < MAX_MS;
}

/** Clears the record after a submission has its response. */
export function forgetSubmission(): void {
  delete window.submittedAtMs;
}
