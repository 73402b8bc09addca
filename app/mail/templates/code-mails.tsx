import type { MailContent } from '../mail.ts';
import type { MailParts } from './mail-parts.ts';
import { Action, Aside, Code, Paragraph } from './pieces.tsx';

type ContentOf<Kind extends MailContent['kind']> = Extract<MailContent, { kind: Kind }>;

const FOR_TEN_MINUTES = 'The code works once, for ten minutes, in the browser that asked for it.';

export function signUpCode({ code, link }: ContentOf<'sign-up-code'>): MailParts {
  return {
    subject: 'Your code to create a Latchkey account',
    preheader: 'Open this mail to see the code. It works for ten minutes.',
    title: 'Is this your address?',
    body: (
      <>
        <Paragraph>Enter this code to create your Latchkey account:</Paragraph>
        <Code>{code}</Code>
        <Paragraph>Or open the page with the code filled in:</Paragraph>
        <Action href={link}>Confirm your address</Action>
        <Aside>{FOR_TEN_MINUTES} Nobody from Latchkey will ever ask you for it.</Aside>
      </>
    ),
    why: 'You get this because somebody entered this address to create an account. If it was not you, there is nothing to do: without the code there will be no account.',
  };
}

export function passwordResetCode(content: ContentOf<'password-reset-code'>): MailParts {
  const { name, code, link } = content;
  return {
    subject: 'Your code to set a new Latchkey password',
    preheader: 'Open this mail to see the code. It works for ten minutes.',
    title: 'Set a new password',
    body: (
      <>
        <Paragraph>Hello {name}, enter this code to set a new password:</Paragraph>
        <Code>{code}</Code>
        <Paragraph>Or open the page with the code filled in:</Paragraph>
        <Action href={link}>Set a new password</Action>
        <Aside>{FOR_TEN_MINUTES} Nobody from Latchkey will ever ask you for it.</Aside>
      </>
    ),
    why: 'You get this because somebody asked for a new password for your account. If it was not you, there is nothing to do: your password stays as it is.',
  };
}

export function emailChangeCode({ name, code, link }: ContentOf<'email-change-code'>): MailParts {
  return {
    subject: 'Your code to use this address with Latchkey',
    preheader: 'Open this mail to see the code. It works for ten minutes.',
    title: 'Use this address from now on?',
    body: (
      <>
        <Paragraph>
          Hello {name}, enter this code to make this the e-mail address of your Latchkey account:
        </Paragraph>
        <Code>{code}</Code>
        <Paragraph>Or open the page with the code filled in:</Paragraph>
        <Action href={link}>Use this address</Action>
        <Aside>{FOR_TEN_MINUTES} Nobody from Latchkey will ever ask you for it.</Aside>
      </>
    ),
    why: 'You get this because somebody entered this address as the new one of their account. If it was not you, there is nothing to do: without the code nothing changes.',
  };
}
