import type { MailContent } from '../mail.ts';
import type { MailParts } from './mail-parts.ts';
import { formatMoment } from './moments.ts';
import { Facts, Paragraph } from './pieces.tsx';

type Content = Extract<MailContent, { kind: 'account-deleted' }>;

/** The last mail to a user: only the address is still known. */
export function accountDeleted({ receiptId, at }: Content): MailParts {
  return {
    subject: 'Your Latchkey account is deleted',
    preheader: 'Everything kept about you is erased.',
    title: 'Your account is deleted',
    body: (
      <>
        <Paragraph>
          Hello, your account is deleted, and with it everything that was kept about you. Every
          device is signed out. This cannot be undone.
        </Paragraph>
        <Facts
          facts={[
            ['Receipt', receiptId],
            ['When', formatMoment(at)],
          ]}
        />
        <Paragraph>
          The receipt says that an account was erased, and when; it does not say whose. If you did
          not delete the account yourself, somebody who was signed in as you did: tell us, with this
          receipt, and change the passwords of other accounts that have the same one.
        </Paragraph>
      </>
    ),
    why: 'You get this because this was the address of the account. It is the last mail about it.',
  };
}
