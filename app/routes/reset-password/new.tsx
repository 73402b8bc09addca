import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { secondFactorSchema } from '#app/credentials/second-factor-schema.ts';
import { newPasswordSchema } from '#app/credentials/password/password-schema.ts';
import type { Proof } from '#app/visit/proof.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Field, FormError, UsernameField, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { SecondFactorField } from '#app/credentials/second-factor-field.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Choose a new password', { index: false });

const formSchema = z.object({
  newPassword: newPasswordSchema,
  secondFactor: secondFactorSchema,
});

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const reset = await app.passwordReset.find(visit);
  if (!reset) return redirect('/forgot-password');
  return { email: reset.email, hasTotp: await app.totp.isOn(reset.userId) };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const reset = await app.passwordReset.find(visit);
  if (!reset) return redirect('/forgot-password');
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { newPassword, secondFactor } = form.value;
  const owner = { email: reset.email, name: '' };
  const reason = await app.passwordRules.findObjection(newPassword, owner);
  if (reason !== null) return showAgain(form.fail({ newPassword: reason }));
  const { userId } = reset;
  // The mailbox is one factor; it may not replace the second one.
  let second: Proof['second'] = null;
  if (await app.totp.isOn(userId)) {
    const checked = await app.credentialChecks.secondFactor(visit, userId, secondFactor);
    if (checked.state === 'later') return showTooManyAttempts(form.fail, checked.retryAfterSeconds);
    if (checked.state === 'wrong') return showAgain(form.fail({ secondFactor: checked.text }));
    second = checked.second;
  }
  if (!(await app.passwordReset.finish(visit, reset, newPassword))) {
    return redirect('/forgot-password');
  }
  app.passwordReset.remove(visit);
  return app.signIn.signInBrowser(visit, {
    userId,
    proof: { by: 'mailed-code', second, provider: null },
    remember: false,
    redirectTo: '/settings/sessions',
    message: 'Your password is set. Every other device is signed out.',
  });
}

export default function NewPassword() {
  const { email, hasTotp } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <FormPage
      title="Choose a new password"
      lead="Every device is signed out, and you are signed in here with the new one."
    >
      <Form method="post" action="/reset-password/new" ref={form} noValidate className="grid gap-6">
        <FormError reply={reply} />
        <UsernameField email={email} />
        <Field
          name="newPassword"
          label="New password"
          help="At least 8 characters, of any kind. A few words in a row are easy to remember."
          type="password"
          autoComplete="new-password"
          enterKeyHint={hasTotp ? 'next' : 'go'}
          required
          reply={reply}
        />
        {hasTotp && <SecondFactorField reply={reply} />}
        <Button pending={isPending} pendingText="Saving…">
          Set password and sign in
        </Button>
      </Form>
    </FormPage>
  );
}
