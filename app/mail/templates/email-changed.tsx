import type { MailContent } from '../mail.ts';
import type { MailParts } from './mail-parts.ts';
import { formatMoment } from './moments.ts';
import { Action, Aside, Facts, Paragraph } from './pieces.tsx';

/** The mail to the former address after a change. */
export function emailChanged(content: Extract<MailContent, { kind: 'email-changed' }>): MailParts {
  const { name, newEmail, undoLink, undoUntil } = content;
  return {
    subject: 'Your Latchkey account has a new e-mail address',
    preheader: 'If it was not you, you can undo it.',
    title: 'Your account has a new address',
    body: (
      <>
        <Paragraph>
          Hello {name}, your account no longer uses this address. Mail about it now goes to:
        </Paragraph>
        <Facts facts={[['New address', newEmail]]} />
        <Paragraph>If you did this, all is well. If not, undo it and set a new password:</Paragraph>
        <Action href={undoLink}>Undo the change</Action>
        <Aside>This can be undone until {formatMoment(undoUntil)}.</Aside>
      </>
    ),
    why: 'You get this because this was the address of your account until now.',
  };
}
