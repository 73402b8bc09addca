import { render, toPlainText } from '@react-email/render';
import type { MailContent } from './mail.ts';
import { accountDeleted } from './templates/account-deleted.tsx';
import { emailChangeCode, passwordResetCode, signUpCode } from './templates/code-mails.tsx';
import { emailChanged } from './templates/email-changed.tsx';
import { Frame } from './templates/frame.tsx';
import type { MailParts } from './templates/mail-parts.ts';
import { notice } from './templates/notice.tsx';
import { signUpTaken } from './templates/sign-up-taken.tsx';
import type { RenderedMail } from './transport.ts';

/**
 * A mail as it is read, in HTML and in plain text, both of the same template. No code is ever in the
 * subject, nor in what lists show after it: locked phones show both.
 *
 * Loading this takes a while: import it when there is mail.
 *
 * @param origin the application's address, for the foot of the mail.
 */
export async function renderMail(
  content: MailContent,
  { origin }: { origin: string },
): Promise<RenderedMail> {
  const parts = partsOf(content);
  const html = await render(<Frame {...parts} origin={origin} />);
  return { subject: parts.subject, html, text: plainTextOf(html) };
}

function partsOf(content: MailContent): MailParts {
  switch (content.kind) {
    case 'sign-up-code':
      return signUpCode(content);
    case 'sign-up-taken':
      return signUpTaken(content);
    case 'password-reset-code':
      return passwordResetCode(content);
    case 'email-change-code':
      return emailChangeCode(content);
    case 'email-changed':
      return emailChanged(content);
    case 'account-deleted':
      return accountDeleted(content);
    case 'notice':
      return notice(content);
  }
}

/** What html-to-text hands to a formatter; it comes without types. */
interface Element {
  attribs: { href?: string };
  children: { data?: string }[];
}
interface TextBuilder {
  addInline(text: string): void;
  addLineBreak(): void;
}

function plainTextOf(html: string): string {
  const text = toPlainText(html, {
    selectors: [
      { selector: 'h1', options: { uppercase: false } },
      { selector: 'hr', options: { length: 2, leadingLineBreaks: 2, trailingLineBreaks: 1 } },
      {
        selector: '[data-line=true]',
        format: 'paragraph',
        options: { leadingLineBreaks: 1, trailingLineBreaks: 1 },
      },
      { selector: 'a', format: 'linkOnItsOwnLine' },
    ],
    formatters: { linkOnItsOwnLine },
  });
  return `${text.trim()}\n`;
}

// A link on a line of its own is found, and nothing after it is taken for a part of it.
function linkOnItsOwnLine(
  { attribs: { href = '' }, children }: Element,
  walk: (children: Element['children'], builder: TextBuilder) => void,
  builder: TextBuilder,
): void {
  const isItsOwnText = children[0]?.data === href;
  if (!isItsOwnText) {
    walk(children, builder);
    builder.addLineBreak();
  }
  builder.addInline(href);
}
