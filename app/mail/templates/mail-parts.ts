import type { ReactNode } from 'react';

/** The parts of a mail that differ by template; see `Frame`. */
export interface MailParts {
  /** Shown on locked phones and in lists: never contains a code, or text that another user typed. */
  subject: string;
  /** The preview that lists show after the subject; the same rule applies. */
  preheader: string;
  title: string;
  body: ReactNode;
  /** Tells the user why they got this mail. */
  why: string;
}
