import type { MailContent } from './mail.ts';

/** A mail as it is read: the same in HTML and in plain text. */
export interface RenderedMail {
  subject: string;
  html: string;
  text: string;
}

/** A mail on its way out. */
export interface AddressedMail extends RenderedMail {
  /** Stays the same when it is sent again. */
  id: string;
  kind: MailContent['kind'];
  to: string;
  at: Date;
}

/** Brings mail to where it is read. */
export interface MailTransport {
  /**
   * Comes back when the other end has taken the mail.
   *
   * @param signal ends the attempt.
   * @throws {RefusedMailError} when trying again is no use; anything else when it may be.
   */
  deliver(letter: AddressedMail, signal: AbortSignal): Promise<void>;
  /** Lets go of connections. What is under way fails. */
  close(): void;
}

/** The other end will not take this mail, now or later (RFC 5321, 4.2.1: replies 5yz). */
export class RefusedMailError extends Error {
  constructor(
    /** What to find it by in a log: says nothing of the mail. */
    readonly code: string,
  ) {
    super(`The mail was refused: ${code}.`);
    this.name = 'RefusedMailError';
  }
}
