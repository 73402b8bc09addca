import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { userNameSchema } from '#app/database/users.server.ts';
import { emailSchema, newPasswordSchema } from '#app/credentials/password/password-schema.ts';
import { passwordProof } from '#app/visit/proof.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/visit/visit.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Checkbox, Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { ProviderButtons } from '#app/credentials/providers/provider-buttons.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Create an account', { description: 'Create a Latchkey account.' });

const signupSchema = z.object({
  name: userNameSchema,
  email: emailSchema,
  password: newPasswordSchema,
  remember: z.literal('on').optional(),
  redirectTo: z.string().optional(),
});

export async function loader({ request, context: { app, visit } }: LoaderFunctionArgs) {
  const redirectTo = safeReturnPath(new URL(request.url).searchParams.get('redirectTo'));
  if (await findSignedIn(visit)) return redirect(redirectTo);
  return { redirectTo, providers: app.providers.list() };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, signupSchema);
  if (!form.ok) return showAgain(form.reply);
  const { name, email, password, redirectTo } = form.value;
  const remember = form.value.remember === 'on';
  // First: a refused password must not count as a sign-up, or a mail.
  const reason = await app.passwordRules.findObjection(password, { email, name });
  if (reason !== null) return showAgain(form.fail({ password: reason }));
  const permit = await app.signUp.take(visit, email);
  if (!permit.isAllowed) return showTooManyAttempts(form.fail, permit.retryAfterSeconds);
  const passwordHash = await app.passwords.hash(password);
  if (app.mailer.isOn) {
    await app.codeByMail.send(visit, {
      purpose: 'sign-up',
      userId: null,
      email,
      payload: { name, passwordHash, remember, redirectTo },
      // Only the owner of the address learns whether there is an account.
      isDecoy: await app.users.isEmailTaken(email),
    });
    return redirect('/signup/verify');
  }
  const account = { email, name, passwordHash, emailVerifiedAt: null };
  const userId = await app.users.create(account, visit.now);
  if (userId === null) {
    return showAgain(
      form.fail({
        email: 'This e-mail cannot be used for a new account. If it is yours, sign in.',
      }),
    );
  }
  return app.signUp.finish(visit, { userId, proof: passwordProof, remember, redirectTo });
}

export default function Signup() {
  const { redirectTo, providers } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction?.startsWith('/signup') ?? false;
  return (
    <FormPage title="Create your account">
      <Form method="post" action="/signup" ref={form} noValidate className="grid gap-6">
        <FormError reply={reply} />
        <input type="hidden" name="redirectTo" value={redirectTo} />
        <Field
          name="name"
          label="Name"
          help="What we call you. Only you see it."
          autoComplete="name"
          enterKeyHint="next"
          required
          reply={reply}
        />
        <Field
          name="email"
          label="E-mail"
          type="email"
          autoComplete="username"
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
          help="At least 8 characters, of any kind. A few words in a row are easy to remember."
          type="password"
          autoComplete="new-password"
          enterKeyHint="go"
          required
          reply={reply}
        />
        <Checkbox
          name="remember"
          label="Remember me on this device"
          help="You stay signed in for up to 30 days. Leave it off on a device that others use."
          reply={reply}
        />
        <Button pending={isPending} pendingText="Creating your account…">
          Create account
        </Button>
      </Form>
      <ProviderButtons providers={providers} redirectTo={redirectTo} />
      <p className="text-muted">
        Have an account?{' '}
        <Link
          className="font-medium text-accent underline underline-offset-4"
          to={redirectTo === '/' ? '/login' : `/login?${new URLSearchParams({ redirectTo })}`}
        >
          Sign in
        </Link>
      </p>
    </FormPage>
  );
}
