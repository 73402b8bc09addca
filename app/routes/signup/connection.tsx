import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { userNameSchema } from '#app/database/users.server.ts';
import type { PageContext } from '#app/context.server.ts';
import { emailSchema } from '#app/credentials/password/password-schema.ts';
import { showTooManyAttempts, parseForm, showAgain, type Fail } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/visit/visit.ts';
import type { PendingConnection } from '#app/sign-up/pending-connection.server.ts';
import type { SignUpPayload } from '#app/sign-up/sign-up.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Create an account', { index: false });

const formSchema = z.object({ name: userNameSchema, email: emailSchema });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const found = findPending({ app, visit });
  if (!found) return redirect('/login');
  const { pending, providerName } = found;
  if (await findSignedIn(visit)) return redirect(pending.redirectTo);
  const { displayName, name, email, isEmailVerified } = pending;
  return {
    providerName,
    displayName,
    name: name ?? '',
    email: email ?? '',
    // Nothing is mailed to an address that the provider has verified.
    mailsCode: app.mailer.isOn && !isEmailVerified,
  };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  if (await findSignedIn(visit)) return redirect('/');
  const found = findPending({ app, visit });
  if (!found) return redirect('/login');
  const { name, email } = form.value;
  const isVerified = isVerifiedByProvider(found.pending, email);
  const permit = isVerified
    ? await app.limits.takeSignUp(visit.device.ipAddress)
    : await app.signUp.take(visit, email);
  if (!permit.isAllowed) return showTooManyAttempts(form.fail, permit.retryAfterSeconds);
  const create = isVerified ? createAccount : proveEmailFirst;
  return create({ app, visit }, found, { name, email }, form.fail);
}

type Context = Pick<PageContext, 'app' | 'visit'>;

interface PendingSignUp {
  pending: PendingConnection;
  providerName: string;
}

function findPending({ app, visit }: Context): PendingSignUp | null {
  const pending = app.pendingConnections.read(visit);
  const provider = app.providers.find(pending?.provider);
  return pending && provider ? { pending, providerName: provider.name } : null;
}

/** True if the provider has verified that mail to this address reaches the user. */
function isVerifiedByProvider(
  { email, isEmailVerified }: PendingConnection,
  wanted: string,
): boolean {
  const verified = emailSchema.safeParse(email);
  return isEmailVerified && verified.success && verified.data === wanted;
}

interface FormValues {
  name: string;
  email: string;
}

/**
 * For an address that the provider has not verified: the account waits for a code that is mailed
 * there. The answer is the same whether the address has an account or not; so is the refusal if no
 * mail can be sent.
 */
async function proveEmailFirst(
  { app, visit }: Context,
  { pending, providerName }: PendingSignUp,
  { name, email }: FormValues,
  fail: Fail,
) {
  if (!app.mailer.isOn) {
    return showAgain(
      fail({
        email: `${providerName} has not confirmed that this address is yours, and an account needs one that is. Confirm it there, or create your account with a password and connect ${providerName} in your settings.`,
      }),
    );
  }
  const { provider, issuer, subject, displayName, remember, redirectTo } = pending;
  const connection = { provider, issuer, subject, displayName };
  await app.codeByMail.send(visit, {
    purpose: 'sign-up',
    userId: null,
    email,
    payload: { name, remember, redirectTo, connection } satisfies SignUpPayload,
    // Only the owner of the address learns whether there is an account.
    isDecoy: await app.users.isEmailTaken(email),
  });
  return redirect('/signup/verify');
}

async function createAccount(
  { app, visit }: Context,
  { pending, providerName }: PendingSignUp,
  { name, email }: FormValues,
  fail: Fail,
) {
  const connection = app.connections.toConnectionColumns(pending, visit.now);
  const created = await app.users.createConnected({ name, email, connection }, visit.now);
  // The user owns the address, so they may learn that it has an account.
  if (created.state === 'email-taken') {
    return showAgain(
      fail({
        email: `There is an account with this e-mail already. Sign in to that account first, then connect ${providerName} in your settings.`,
      }),
    );
  }
  const { provider, remember, redirectTo } = pending;
  return app.signUp.finishWithProvider(visit, created, { provider, remember, redirectTo });
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
