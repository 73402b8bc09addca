import { useNonce } from './nonce.ts';

/** The browser does not tell scripts whether what it has sent by itself is still on its way. */
const MAX_MS = 15_000;

declare global {
  interface Window {
    /** When this page last sent a form that has not arrived, of `performance.now()`. */
    submittedAtMs?: number;
  }
}

const NOTE = 'addEventListener("submit",function(){submittedAtMs=performance.now()})';

/**
 * Notes when a form is sent, from the first byte of the page on: a form may be sent before the scripts
 * have arrived, and Remix tells React of one only when that has time.
 */
export function SubmissionMarker() {
  const nonce = useNonce();
  return (
    <script nonce={nonce} suppressHydrationWarning dangerouslySetInnerHTML={{ __html: NOTE }} />
  );
}

/** True: a form of this page was sent, and where it leads to may be yet to come. */
export function isSubmitting(): boolean {
  const { submittedAtMs = -Infinity } = window;
  return performance.now() - submittedAtMs < MAX_MS;
}

/** What was sent has arrived. */
export function forgetSubmission(): void {
  delete window.submittedAtMs;
}
