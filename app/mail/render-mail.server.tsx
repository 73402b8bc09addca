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
 * Renders a mail as HTML and as plain text, both from the same template. The subject and the preheader
 * never contain a code, because locked phones show both.
 *
 * Loading this module is slow: import it with the first mail.
 *
 * @param origin the application's origin, for the footer of the mail.
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

/** The arguments of an html-to-text formatter, for which the library has no types. */
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

// On its own line a link is easy to find, and mail programs do not add following text to it.
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
