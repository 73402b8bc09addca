import { useNonce } from './nonce.ts';

/** Remix has told React of a form by then, and says itself when it has arrived. */
const UNTIL_KNOWN_MS = 5_000;
/** The browser does not tell scripts whether what it has sent by itself is still on its way. */
const BY_THE_BROWSER_MS = 15_000;

interface Submission {
  /** Of `performance.now()`. */
  atMs: number;
  /** True: the browser sent it by itself, as it does before scripts have arrived. */
  byBrowser: boolean;
}

declare global {
  interface Window {
    latestSubmission?: Submission;
  }
}

const NOTE = `addEventListener("submit",function(e){latestSubmission={atMs:performance.now(),byBrowser:!e.defaultPrevented}})`;

/**
 * Notes when a form is sent, from the first byte of the page on: a form may be sent before the scripts
 * have arrived, and Remix tells React of one only when that has time.
 */
export function SubmissionNote() {
  const nonce = useNonce();
  return (
    <script nonce={nonce} suppressHydrationWarning dangerouslySetInnerHTML={{ __html: NOTE }} />
  );
}

/** True: a form of this page was sent so lately that the page it leads to may be yet to come. */
export function wasJustSubmitted(): boolean {
  const { latestSubmission } = window;
  if (!latestSubmission) return false;
  const waitMs = latestSubmission.byBrowser ? BY_THE_BROWSER_MS : UNTIL_KNOWN_MS;
  return performance.now() - latestSubmission.atMs < waitMs;
}
