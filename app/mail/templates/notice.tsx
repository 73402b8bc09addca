import type { MailContent } from '../mail.ts';
import type { MailParts } from './mail-parts.ts';
import { formatMoment } from './moments.ts';
import { noticeText } from './notice-texts.ts';
import { Action, Facts, Paragraph } from './pieces.tsx';

/** A security notice about an event. */
export function notice(content: Extract<MailContent, { kind: 'notice' }>): MailParts {
  const { name, event, notMeLink, device, place, at } = content;
  const { subject, title, sentence, fact } = noticeText(event);
  return {
    subject,
    preheader: 'If it was you, there is nothing to do.',
    title,
    body: (
      <>
        <Paragraph>
          Hello {name}, {sentence}
        </Paragraph>
        <Facts
          facts={[
            ...(fact ? [fact] : []),
            ['Device', device],
            ['Place', place],
            ['When', formatMoment(at)],
          ]}
        />
        <Paragraph>If it was you, there is nothing to do.</Paragraph>
        {notMeLink !== null && (
          <>
            <Paragraph>
              If it was not, say so: every device is signed out, and you set a new password.
            </Paragraph>
            <Action href={notMeLink}>This was not me</Action>
          </>
        )}
      </>
    ),
    why: 'You get this because it is about how you sign in to your account. Such mail cannot be turned off.',
  };
}
