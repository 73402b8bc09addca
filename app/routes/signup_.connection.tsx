import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import { z } from 'zod';
import { createConnectedAccount } from '#app/account/connected-sign-up.server.ts';
import { personNameSchema } from '#app/account/profile.server.ts';
import type { LatchkeyContext } from '#app/context.server.ts';
import { emailSchema } from '#app/credentials/password-schema.ts';
import { comeBackLater, parseForm, tryAgain, type Fail } from '#app/http/form.server.ts';
import { findSession } from '#app/http/guards.server.ts';
import { noteActivity } from '#app/http/note-activity.server.ts';
import type { PendingConnection } from '#app/http/pending-connection.server.ts';
import { startSession } from '#app/http/sign-in.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Create an account · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({ name: personNameSchema, email: emailSchema });

export async function loader({ request, context }: LoaderFunctionArgs) {
  const found = findPending(context, request);
  if (!found) return redirect('/login');
  const { pending, providerName } = found;
  if (await findSession({ context })) return redirect(pending.redirectTo);
  const { displayName, name, email } = pending;
  return { providerName, displayName, name: name ?? '', email: email ?? '' };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return tryAgain(form.reply);
  if (await findSession({ context })) return redirect('/');
  const found = findPending(context, request);
  if (!found) return redirect('/login');
  const leave = await context.limits.takeSignUp(context.device.ipAddress);
  if (!leave.isGiven) return comeBackLater(form.fail, leave.retryAfterSeconds);
  const { name, email } = form.value;
  return isVouchedFor(found.pending, email)
    ? createAccount(context, found, { name, email }, form.fail)
    : proveEmailFirst(found, form.fail);
}

interface Found {
  pending: PendingConnection;
  providerName: string;
}

function findPending(context: LatchkeyContext, request: Request): Found | null {
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

/**
 * For an address that the provider does not vouch for. The answer is the same whether somebody has
 * an account with it or not.
 */
function proveEmailFirst({ providerName }: Found, fail: Fail) {
  return tryAgain(
    fail({
      email: `${providerName} has not confirmed that this address is yours, and an account needs one that is. Confirm it there, or create your account with a password and connect ${providerName} in your settings.`,
    }),
  );
}

async function createAccount(
  context: LatchkeyContext,
  { pending, providerName }: Found,
  { name, email }: { name: string; email: string },
  fail: Fail,
) {
  const account = { name, email, identity: pending };
  const made = await createConnectedAccount(context, account, context.now);
  // They own the address: that there is an account with it is no secret from them.
  if (made.state === 'email-taken') {
    return tryAgain(
      fail({
        email: `There is an account with this e-mail already. Sign in to that account first, then connect ${providerName} in your settings.`,
      }),
    );
  }
  if (made.state === 'already-connected') return redirect('/login');
  await noteActivity(context, made.userId, { kind: 'signed-up' });
  const answer = await startSession(context, {
    userId: made.userId,
    proof: { by: 'provider', second: null, provider: providerName },
    remember: pending.remember,
    redirectTo: pending.redirectTo,
    toast: { kind: 'welcome' },
  });
  answer.headers.append('Set-Cookie', context.cookies.pendingConnection.clear());
  return answer;
}

export default function SignupWithConnection() {
  const { providerName, displayName, name, email } = useLoaderData<typeof loader>();
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
