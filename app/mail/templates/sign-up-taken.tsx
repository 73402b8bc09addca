import type { MailContent } from '../mail.ts';
import type { MailParts } from './mail-parts.ts';
import { Action, Aside, Paragraph } from './pieces.tsx';
import { Link } from '@react-email/components';
import { LIGHT } from './colours.ts';

type Content = Extract<MailContent, { kind: 'sign-up-taken' }>;

/** Tells the owner of an address that an account exists, which the sign-up page never reveals. */
export function signUpTaken({ loginLink, resetLink }: Content): MailParts {
  return {
    subject: 'You have a Latchkey account already',
    preheader: 'Somebody tried to create another one with this address.',
    title: 'You have an account already',
    body: (
      <>
        <Paragraph>
          Somebody tried to create a Latchkey account with this address, and there is one. If it was
          you, sign in:
        </Paragraph>
        <Action href={loginLink}>Sign in</Action>
        <Aside>
          Forgotten the password?{' '}
          <Link className="link" href={resetLink} style={{ color: LIGHT.accent }}>
            Set a new one
          </Link>
        </Aside>
      </>
    ),
    why: 'You get this because somebody entered this address to create an account. If it was not you, there is nothing to do: your account is as it was.',
  };
}
