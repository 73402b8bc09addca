import type { Database } from '#app/database/database.server.ts';

/** The content of every kind of mail. Times are ISO 8601 in UTC. */
export type MailContent =
  /** For a sign-up with this address; the code verifies it. */
  | { kind: 'sign-up-code'; code: string; link: string }
  /** For a sign-up with the address of an existing account. */
  | { kind: 'sign-up-taken'; loginLink: string; resetLink: string }
  | { kind: 'password-reset-code'; name: string; code: string; link: string }
  /** Sent to the new address of an account. */
  | { kind: 'email-change-code'; name: string; code: string; link: string }
  /** Sent to the former address; the link undoes the change. */
  | { kind: 'email-changed'; name: string; newEmail: string; undoLink: string; undoUntil: string }
  /** The last mail to a deleted account. It has no name, because that is erased. */
  | { kind: 'account-deleted'; receiptId: string; at: string }
  /** A security notice to the user. The link reports that it was not them. */
  | ({ kind: 'notice'; name: string; event: NoticeEvent; notMeLink: string | null } & EventOrigin);

/** The device, place and time of an event. */
interface EventOrigin {
  /** "Firefox 131 on Windows". */
  device: string;
  /** "Austria", "Local network" or "Unknown place". */
  place: string;
  at: string;
}

export type NoticeEvent =
  | { what: 'new-device' }
  | { what: 'password-changed' }
  | { what: 'password-reset' }
  | { what: 'totp-on' }
  | { what: 'totp-off' }
  | { what: 'recovery-codes-new' }
  | { what: 'recovery-code-used'; left: number }
  | { what: 'passkey-added'; passkey: string }
  | { what: 'passkey-removed'; passkey: string }
  | { what: 'connection-added'; provider: string }
  | { what: 'connection-removed'; provider: string }
  | { what: 'token-made'; token: string }
  | { what: 'download-made' }
  | { what: 'many-failed-attempts' };

/** The table of queued mails. */
export type MailTable = Pick<Database['client'], 'outgoingMail'>;

export interface Mail {
  /** The address as the user typed it. The transport checks it before it goes into a header. */
  to: string;
  /** The account that the mail is about; its deletion removes the queued mail. `null`: no account. */
  userId: string | null;
  content: MailContent;
  /** The mail is not sent after this time, because it is then useless. */
  expiresAt: Date;
}

/** Queues mails for sending. */
export interface Mailer {
  /** False if mail cannot be sent; features that need mail are then off. */
  readonly isOn: boolean;
  /**
   * Queues a mail. Resolves when the mail is stored, not when it is delivered, so that the time of the
   * response does not reveal whether an address has an account.
   *
   * @param mail `null` takes the same time, but sends nothing.
   * @param within the client of a transaction that stores the mail. Default: without a transaction.
   * @throws the database's error during an outage.
   */
  send(mail: Mail | null, now: Date, within?: MailTable): Promise<void>;
}
