import type { MailContent, NoticeEvent } from '#app/mail/mail.ts';

const ORIGIN = 'https://latchkey.example';
const WHERE = { device: 'Firefox 145 on macOS', place: 'Austria', at: '2026-11-21T12:00:00.000Z' };

const EVENTS: NoticeEvent[] = [
  { what: 'new-device' },
  { what: 'password-changed' },
  { what: 'password-reset' },
  { what: 'totp-on' },
  { what: 'totp-off' },
  { what: 'recovery-codes-new' },
  { what: 'recovery-code-used', left: 3 },
  { what: 'passkey-added', passkey: 'Blue key' },
  { what: 'passkey-removed', passkey: 'Blue key' },
  { what: 'connection-added', provider: 'GitHub' },
  { what: 'connection-removed', provider: 'GitHub' },
  { what: 'token-made', token: 'Backup script' },
  { what: 'download-made' },
  { what: 'many-failed-attempts' },
];

/** Returns one mail of every kind, and one notice of every event. */
export function everyMail({ name = 'Ada', code = '493817' } = {}): MailContent[] {
  return [
    { kind: 'sign-up-code', code, link: `${ORIGIN}/verify#${code}` },
    {
      kind: 'sign-up-taken',
      loginLink: `${ORIGIN}/login`,
      resetLink: `${ORIGIN}/reset-password`,
    },
    { kind: 'password-reset-code', name, code, link: `${ORIGIN}/reset-password/code#${code}` },
    { kind: 'email-change-code', name, code, link: `${ORIGIN}/settings/email/code#${code}` },
    {
      kind: 'email-changed',
      name,
      newEmail: 'new@example.com',
      undoLink: `${ORIGIN}/undo#a-key-of-many-letters`,
      undoUntil: WHERE.at,
    },
    { kind: 'account-deleted', receiptId: 'kE3-x_9aQmT2', at: WHERE.at },
    ...EVENTS.map((event): MailContent => ({
      kind: 'notice',
      name,
      event,
      ...WHERE,
      notMeLink: `${ORIGIN}/not-me#another-key`,
    })),
  ];
}

/** Returns the kind or event of a mail, for the name of a test. */
export function nameOf(content: MailContent): string {
  return content.kind === 'notice' ? content.event.what : content.kind;
}

/** Returns the variable texts and the links of a mail. */
export function factsOf(content: MailContent): { texts: string[]; links: string[] } {
  const { kind: _kind, ...rest } = content;
  const given = { ...rest, ...('event' in content ? content.event : {}) };
  const values = Object.entries(given).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === 'string' && !['what', 'at', 'undoUntil'].includes(entry[0]),
  );
  return {
    texts: values.filter(([key]) => !key.toLowerCase().endsWith('link')).map(([, text]) => text),
    links: values.filter(([key]) => key.toLowerCase().endsWith('link')).map(([, link]) => link),
  };
}
