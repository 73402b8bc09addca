import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { createConnectedAccount } from '#app/database/connected-sign-up.server.ts';
import { userNameSchema } from '#app/database/profile.server.ts';
import { isEmailTaken } from '#app/database/sign-up.server.ts';
import type { PageContext } from '#app/context.server.ts';
import { emailSchema } from '#app/credentials/password/password-schema.ts';
import { sendCode } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { showTooManyAttempts, parseForm, showAgain, type Fail } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/http/signed-in.server.ts';
import type { PendingConnection } from '#app/sign-up/pending-connection.server.ts';
import {
  finishConnectedSignUp,
  takeSignUp,
  type SignUpPayload,
} from '#app/sign-up/sign-up.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Create an account · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({ name: userNameSchema, email: emailSchema });

export async function loader({ request, context }: LoaderFunctionArgs) {
  const found = findPending(context, request);
  if (!found) return redirect('/login');
  const { pending, providerName } = found;
  if (await findSignedIn({ context })) return redirect(pending.redirectTo);
  const { displayName, name, email, isEmailVerified } = pending;
  return {
    providerName,
    displayName,
    name: name ?? '',
    email: email ?? '',
    // Nothing is mailed to an address that the provider vouches for.
    mailsCode: context.mailer.isOn && !isEmailVerified,
  };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  if (await findSignedIn({ context })) return redirect('/');
  const found = findPending(context, request);
  if (!found) return redirect('/login');
  const { name, email } = form.value;
  const isProven = isVouchedFor(found.pending, email);
  const leave = isProven
    ? await context.limits.takeSignUp(context.device.ipAddress)
    : await takeSignUp(context, email);
  if (!leave.isAllowed) return showTooManyAttempts(form.fail, leave.retryAfterSeconds);
  return isProven
    ? createAccount(context, found, { name, email }, form.fail)
    : proveEmailFirst(context, found, { name, email }, form.fail);
}

interface Found {
  pending: PendingConnection;
  providerName: string;
}

function findPending(context: PageContext, request: Request): Found | null {
  const cookie = request.headers.get('cookie');
  const pending = context.cookies.pendingConnection.read(cookie, context.now);
  const provider = context.providers.find(pending?.provider);
  return pending && provider ? { pending, providerName: provider.name } : null;
}

// The provider says that mail to this very address reaches the person.
function isVouchedFor({ email, isEmailVerified }: PendingConnection, wanted: string): boolean {
  const told = emailSchema.safeParse(email);
  return isEmailVerified && told.success && told.data === wanted;
}

interface Typed {
  name: string;
  email: string;
}

/**
 * For an address that the provider does not vouch for: the account waits for a code that is mailed
 * there. The answer is the same whether somebody has an account with it or not; so is the refusal
 * where no mail can be sent.
 */
async function proveEmailFirst(
  context: PageContext,
  { pending, providerName }: Found,
  { name, email }: Typed,
  fail: Fail,
) {
  if (!context.mailer.isOn) {
    return showAgain(
      fail({
        email: `${providerName} has not confirmed that this address is yours, and an account needs one that is. Confirm it there, or create your account with a password and connect ${providerName} in your settings.`,
      }),
    );
  }
  const { provider, issuer, subject, displayName, tokens, remember, redirectTo } = pending;
  const connection = { provider, issuer, subject, displayName, tokens };
  const cookie = await sendCode(context, {
    purpose: 'sign-up',
    userId: null,
    email,
    payload: { name, remember, redirectTo, connection } satisfies SignUpPayload,
    // Whether there is an account is told to the address, and to nobody else.
    isDecoy: await isEmailTaken(context.db, email),
  });
  return redirect('/signup/verify', { headers: { 'Set-Cookie': cookie } });
}

async function createAccount(
  context: PageContext,
  { pending, providerName }: Found,
  { name, email }: Typed,
  fail: Fail,
) {
  const account = { name, email, identity: pending };
  const made = await createConnectedAccount(context, account, context.now);
  // They own the address: that there is an account with it is no secret from them.
  if (made.state === 'email-taken') {
    return showAgain(
      fail({
        email: `There is an account with this e-mail already. Sign in to that account first, then connect ${providerName} in your settings.`,
      }),
    );
  }
  const { provider, remember, redirectTo } = pending;
  return finishConnectedSignUp(context, made, { provider, remember, redirectTo });
}

export default function SignupWithConnection() {
  const { providerName, displayName, name, email, mailsCode } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <FormPage
      title="Create your account?"
      lead={
        <>
          {providerName} knows you as{' '}
          <bdi className="font-medium break-words text-ink">{displayName}</bdi>. Nobody here does
          yet: create an account, and you can sign in with {providerName} from now on.
        </>
      }
    >
      <Form method="post" ref={form} noValidate className="grid gap-6">
        <FormError reply={reply} />
        <Field
          name="name"
          label="Name"
          help="What we call you. Only you see it."
          autoComplete="name"
          enterKeyHint="next"
          defaultValue={name}
          required
          reply={reply}
        />
        <Field
          name="email"
          label="E-mail"
          help={mailsCode ? 'We mail you a code to see that it is yours.' : undefined}
          type="email"
          autoComplete="email"
          inputMode="email"
          enterKeyHint="go"
          autoCapitalize="none"
          spellCheck={false}
          defaultValue={email}
          required
          reply={reply}
        />
        <Button pending={isPending} pendingText="Creating your account…">
          Create account
        </Button>
      </Form>
      <p className="text-muted">
        Have an account here?{' '}
        <Link className="font-medium text-accent underline underline-offset-4" to="/login">
          Sign in
        </Link>{' '}
        as you do, then connect {providerName} in your settings.
      </p>
    </FormPage>
  );
}
