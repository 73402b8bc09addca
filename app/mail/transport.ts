import type { MailContent } from './mail.ts';

/** A rendered mail; HTML and plain text have the same content. */
export interface RenderedMail {
  subject: string;
  html: string;
  text: string;
}

/** A rendered mail with its recipient. */
export interface AddressedMail extends RenderedMail {
  /** The same for every attempt. */
  id: string;
  kind: MailContent['kind'];
  to: string;
  at: Date;
}

/** Delivers mails. */
export interface MailTransport {
  /**
   * Resolves when the receiving server has accepted the mail.
   *
   * @param signal aborts the attempt.
   * @throws {RefusedMailError} if a retry is useless; any other error if a retry may succeed.
   */
  deliver(mail: AddressedMail, signal: AbortSignal): Promise<void>;
  /** Closes the connections. Running deliveries fail. */
  close(): void;
}

/** The receiving server permanently refused the mail (RFC 5321, 4.2.1: replies 5yz). */
export class RefusedMailError extends Error {
  constructor(
    /** For the log: contains nothing of the mail. */
    readonly code: string,
  ) {
    super(`The mail was refused: ${code}.`);
    this.name = 'RefusedMailError';
  }
}
