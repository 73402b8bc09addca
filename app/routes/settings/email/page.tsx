import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { isEmailTaken } from '#app/database/sign-up.server.ts';
import { emailSchema } from '#app/credentials/password/password-schema.ts';
import { sendCode } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { takeMailAttempt } from '#app/limits/attempts.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { Notice, SettingsHeading } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Change your e-mail · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({ newEmail: emailSchema });

export async function loader(args: LoaderFunctionArgs) {
  const { context } = args;
  const { user } = await requireSignedIn(args);
  const { emailVerifiedAt } = await context.db.user.findUniqueOrThrow({
    where: { id: user.id },
    select: { emailVerifiedAt: true },
  });
  return {
    email: user.email,
    isVerified: emailVerifiedAt !== null,
    isPossible: context.mailer.isOn,
  };
}

export async function action(args: ActionFunctionArgs) {
  const { context } = args;
  const { user } = await requireSignedIn(args);
  const form = await parseForm(args.request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  if (!context.mailer.isOn) return redirect('/settings/email');
  const { newEmail } = form.value;
  const isVerifying = newEmail === user.email;
  const leave = await takeMailAttempt(context, newEmail);
  if (!leave.isAllowed) return showTooManyAttempts(form.fail, leave.retryAfterSeconds);
  const isTaken = await isEmailTaken(context.db, newEmail);
  const cookie = await sendCode(context, {
    purpose: 'email-change',
    userId: user.id,
    email: newEmail,
    payload: { name: user.name },
    // Whether somebody else has it is told to that address, and to nobody else.
    isDecoy: isTaken && !isVerifying,
  });
  return redirect('/settings/email/verify', { headers: { 'Set-Cookie': cookie } });
}

export default function ChangeEmail() {
  const { email, isVerified, isPossible } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <>
      <SettingsHeading
        title="Change your e-mail"
        lead="We send a code to the new address, so that you cannot lock yourself out by a typing error. The old one is told, and can take the change back for a week."
      />
      <p className="mb-6">
        Now: <strong className="font-medium">{email}</strong>{' '}
        <span className="text-muted">{isVerified ? '(verified)' : '(not verified yet)'}</span>
      </p>
      {isPossible ? (
        <Form method="post" ref={form} noValidate className="grid max-w-104 gap-6">
          <FormError reply={reply} />
          <Field
            name="newEmail"
            label="New e-mail"
            help={isVerified ? undefined : 'Enter the present one again to verify it.'}
            type="email"
            autoComplete="email"
            inputMode="email"
            enterKeyHint="send"
            autoCapitalize="none"
            spellCheck={false}
            required
            reply={reply}
          />
          <div className="flex flex-wrap gap-3">
            <Button pending={isPending} pendingText="Sending…">
              Send a code
            </Button>
            <ButtonLink look="quiet" to="/settings/profile">
              Keep it
            </ButtonLink>
          </div>
        </Form>
      ) : (
        <Notice>
          This Latchkey cannot send mail, so an e-mail cannot be changed here. Ask whoever runs it.
        </Notice>
      )}
    </>
  );
}
