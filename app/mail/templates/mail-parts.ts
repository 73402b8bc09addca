import type { ReactNode } from 'react';

/** What a template says; the frame around it is the same for all. */
export interface MailParts {
  /** Shown by locked phones and in lists: never a code, and no word of what somebody else typed. */
  subject: string;
  /** What lists show after the subject; the same holds. */
  preheader: string;
  title: string;
  body: ReactNode;
  /** Why the person gets this. */
  why: string;
}
