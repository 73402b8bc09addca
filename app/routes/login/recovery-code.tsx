import type { ActionFunctionArgs, LoaderFunctionArgs } from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { recoveryCodeSchema } from '#app/credentials/second-factor-schema.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { Button } from '#app/ui/button.tsx';
import { RecoveryCodeField } from '#app/credentials/code-field.tsx';
import { FormError, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Your recovery code', { index: false });

const formSchema = z.object({ recoveryCode: recoveryCodeSchema });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { userId } = await app.signIn.requirePending(visit);
  const user = await app.users.find(userId);
  return { email: user?.email ?? '' };
}

/** The second step of a sign-in without the authenticator app: each recovery code works once. */
export async function action({ context: { app, visit }, request }: ActionFunctionArgs) {
  const pending = await app.signIn.requirePending(visit);
  const { userId } = pending;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const typed = { kind: 'recovery-code', code: form.value.recoveryCode } as const;
  const checked = await app.credentialChecks.secondFactor(visit, userId, typed);
  if (checked.state === 'later') return showTooManyAttempts(form.fail, checked.retryAfterSeconds);
  if (checked.state === 'wrong') return showAgain(form.fail({ recoveryCode: checked.text }));
  const left = await app.recoveryCodes.countLeft(userId);
  return app.signIn.finish(visit, pending, 'recovery-code', usedCodeText(left));
}

function usedCodeText(left: number): string {
  if (left === 0) return 'That was your last recovery code. Make new ones in your settings.';
  return left === 1
    ? 'That recovery code is used up; 1 is left. Make new ones in your settings.'
    : `That recovery code is used up; ${left} are left.`;
}

export default function SignInRecoveryCode() {
  const { email } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction === '/login/recovery-code';
  return (
    <FormPage title="Enter a recovery code" lead={`To sign in as ${email}.`}>
      <Form method="post" ref={form} noValidate className="grid gap-6">
        <FormError reply={reply} />
        <RecoveryCodeField
          reply={reply}
          help="One of the ten that you saved when you set up two-factor sign-in. It works once."
        />
        <Button pending={isPending} pendingText="Signing in…">
          Sign in
        </Button>
      </Form>
      <p className="text-muted">
        Is your app at hand after all?{' '}
        <Link className="font-medium text-accent underline underline-offset-4" to="/login/code">
          Use its code
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
