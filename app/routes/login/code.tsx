import type { ActionFunctionArgs, LoaderFunctionArgs } from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { authenticatorCodeSchema } from '#app/credentials/second-factor-schema.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { Button } from '#app/ui/button.tsx';
import { CodeField } from '#app/credentials/code-field.tsx';
import { FormError, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Your code', { index: false });

const formSchema = z.object({ code: authenticatorCodeSchema });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { userId } = await app.signIn.requirePending(visit);
  const user = await app.users.find(userId);
  return { email: user?.email ?? '' };
}

/** The second step of a sign-in: a code of the authenticator app of the user who passed the first step. */
export async function action({ context: { app, visit }, request }: ActionFunctionArgs) {
  const pending = await app.signIn.requirePending(visit);
  const { userId } = pending;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const typed = { kind: 'totp', code: form.value.code } as const;
  const checked = await app.credentialChecks.secondFactor(visit, userId, typed);
  if (checked.state === 'later') return showTooManyAttempts(form.fail, checked.retryAfterSeconds);
  if (checked.state === 'wrong') return showAgain(form.fail({ code: checked.text }));
  return app.signIn.finish(visit, pending, 'totp');
}

export default function SignInCode() {
  const { email } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction === '/login/code';
  return (
    <FormPage title="Enter your code" lead={`To sign in as ${email}.`}>
      <Form method="post" ref={form} noValidate className="grid gap-6">
        <FormError reply={reply} />
        <CodeField reply={reply} help="The 6 digits that your authenticator app shows." />
        <Button pending={isPending} pendingText="Signing in…">
          Sign in
        </Button>
      </Form>
      <p className="text-muted">
        Is your app out of reach?{' '}
        <Link
          className="font-medium text-accent underline underline-offset-4"
          to="/login/recovery-code"
        >
          Use a recovery code
        </Link>
      </p>
      <p className="-mt-3 text-muted">
        Somebody else?{' '}
        <Link className="font-medium text-accent underline underline-offset-4" to="/login">
          Start over
        </Link>
      </p>
    </FormPage>
  );
}
