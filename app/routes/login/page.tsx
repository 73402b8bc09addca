import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { emailSchema, passwordSchema } from '#app/credentials/password/password-schema.ts';
import { passwordProof } from '#app/visit/proof.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/visit/visit.ts';
import { problemText } from '#app/credentials/providers/provider-problems.server.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';
import { endTexts } from '#app/devices/end-reasons.ts';
import { Button } from '#app/ui/button.tsx';
import { Checkbox, Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage, Notice } from '#app/ui/page.tsx';
import { PasskeySignIn } from './lazy-passkey-sign-in.tsx';
import { ProviderButtons } from '#app/credentials/providers/provider-buttons.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Sign in', { description: 'Sign in to Latchkey.' });

const loginSchema = z.object({
  email: emailSchema,
  password: passwordSchema,
  remember: z.literal('on').optional(),
  redirectTo: z.string().optional(),
});

export async function loader({ request, context: { app, visit } }: LoaderFunctionArgs) {
  const redirectTo = safeReturnPath(new URL(request.url).searchParams.get('redirectTo'));
  if (await findSignedIn(visit)) return redirect(redirectTo);
  const held = await visit.session();
  return {
    redirectTo,
    providers: app.providers.list(),
    notice:
      problemText(app.providers, request) ??
      (held.state === 'ended'
        ? endTexts(held.ending.reason).atSignIn
        : redirectTo === '/'
          ? null
          : 'Sign in to see that page.'),
  };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, loginSchema);
  if (!form.ok) return showAgain(form.reply);
  const { remember, redirectTo } = form.value;
  const checked = await app.credentialChecks.password(visit, form.value);
  if (checked.state === 'later') return showTooManyAttempts(form.fail, checked.retryAfterSeconds);
  if (checked.state === 'wrong') return showAgain(form.fail({ form: checked.text }));
  return app.signIn.signInBrowser(visit, {
    userId: checked.userId,
    proof: passwordProof,
    remember: remember === 'on',
    redirectTo,
  });
}

export default function Login() {
  const { redirectTo, notice, providers } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction === '/login';
  return (
    <FormPage title="Sign in">
      {notice && !reply && <Notice>{notice}</Notice>}
      <Form method="post" action="/login" ref={form} noValidate className="grid gap-6">
        <FormError reply={reply} />
        <input type="hidden" name="redirectTo" value={redirectTo} />
        <Field
          name="email"
          label="E-mail"
          type="email"
          autoComplete="username webauthn"
          inputMode="email"
          enterKeyHint="next"
          autoCapitalize="none"
          spellCheck={false}
          required
          reply={reply}
        />
        <Field
          name="password"
          label="Password"
          type="password"
          autoComplete="current-password"
          enterKeyHint="go"
          required
          reply={reply}
        />
        <p className="-mt-4 text-small">
          <Link
            className="font-medium text-accent underline underline-offset-4"
            to="/forgot-password"
          >
            Forgot your password?
          </Link>
        </p>
        <Checkbox
          name="remember"
          label="Remember me on this device"
          help="You stay signed in for up to 30 days. Leave it off on a device that others use."
          reply={reply}
        />
        <Button pending={isPending} pendingText="Signing in…">
          Sign in
        </Button>
      </Form>
      <PasskeySignIn redirectTo={redirectTo} besides={form} />
      <ProviderButtons providers={providers} redirectTo={redirectTo} />
      <p className="text-muted">
        New here?{' '}
        <Link
          className="font-medium text-accent underline underline-offset-4"
          to={redirectTo === '/' ? '/signup' : `/signup?${new URLSearchParams({ redirectTo })}`}
        >
          Create an account
        </Link>
      </p>
    </FormPage>
  );
}
