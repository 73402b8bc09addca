import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { emailSchema } from '#app/credentials/password/password-schema.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/visit/visit.ts';
import { Button } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage, Notice } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Reset your password', {
  description: 'Set a new password for your Latchkey account.',
});

const formSchema = z.object({ email: emailSchema });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const signedIn = await findSignedIn(visit);
  return { isPossible: app.mailer.isOn, email: signedIn?.user.email ?? '' };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  if (!app.mailer.isOn) return redirect('/forgot-password');
  const { email } = form.value;
  const permit = await app.attempts.takeMail(visit, email);
  if (!permit.isAllowed) return showTooManyAttempts(form.fail, permit.retryAfterSeconds);
  await app.passwordReset.start(visit, email);
  return redirect('/reset-password');
}

export default function ForgotPassword() {
  const { isPossible, email } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction?.startsWith('/forgot-password') ?? false;
  return (
    <FormPage
      title="Reset your password"
      lead="We send a code to the e-mail of your account. With it you choose a new password."
    >
      {isPossible ? (
        <Form method="post" action="/forgot-password" ref={form} noValidate className="grid gap-6">
          <FormError reply={reply} />
          <Field
            name="email"
            label="E-mail"
            type="email"
            autoComplete="username"
            inputMode="email"
            enterKeyHint="send"
            autoCapitalize="none"
            spellCheck={false}
            required
            defaultValue={email}
            reply={reply}
          />
          <Button pending={isPending} pendingText="Sending…">
            Send the code
          </Button>
        </Form>
      ) : (
        <Notice>
          This Latchkey cannot send mail, so a password cannot be reset here. Ask whoever runs it.
        </Notice>
      )}
      <p className="text-muted">
        <Link className="font-medium text-accent underline underline-offset-4" to="/login">
          Back to sign in
        </Link>
      </p>
    </FormPage>
  );
}
