import type { Database } from '#app/database/database.server.ts';

/** Every mail that is sent, and what it has to say. Times are ISO 8601 in UTC. */
export type MailContent =
  /** Somebody makes an account with this address: the code proves that it is theirs. */
  | { kind: 'sign-up-code'; code: string; link: string }
  /** Somebody tried to make an account with the address of one that is there. */
  | { kind: 'sign-up-taken'; loginLink: string; resetLink: string }
  | { kind: 'password-reset-code'; name: string; code: string; link: string }
  /** To the new address of an account. */
  | { kind: 'email-change-code'; name: string; code: string; link: string }
  /** To the old address; the link undoes it. */
  | { kind: 'email-changed'; name: string; newEmail: string; undoLink: string; undoUntil: string }
  /** The last one: the account is gone. It knows no name any more. */
  | { kind: 'account-deleted'; receiptId: string; at: string }
  /** Something happened that the person should know of. The link says that it was not them. */
  | ({ kind: 'notice'; name: string; event: NoticeEvent; notMeLink: string | null } & EventOrigin);

/** On what device, from where and when it happened. */
export interface EventOrigin {
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

/** The table in which mail waits. */
export type MailTable = Pick<Database['client'], 'outgoingMail'>;

export interface Mail {
  /** The address, as a person typed it: it reaches a header, and is checked there. */
  to: string;
  /** Whose account it is about: mail that waits goes with the account. null: none. */
  userId: string | null;
  content: MailContent;
  /** After that it is of no use and is not sent any more. */
  expiresAt: Date;
}

/** Sends mail, or says that it cannot. */
export interface Mailer {
  /** False where there is no way to send mail: what needs it is off. */
  readonly isOn: boolean;
  /**
   * Takes a mail to be sent; it comes back when the mail is kept, not when it has arrived, so that an
   * answer takes no longer for an address that is known. null: takes as long, and sends nothing.
   *
   * @param within the client of a transaction with which it is kept or not; left out: on its own.
   * @throws what the database throws when it is down.
   */
  send(mail: Mail | null, now: Date, within?: MailTable): Promise<void>;
}
