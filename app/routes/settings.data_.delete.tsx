import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import { z } from 'zod';
import { eraseAccount } from '#app/account/erasure.server.ts';
import { emailSchema } from '#app/credentials/password-schema.ts';
import { parseForm, tryAgain } from '#app/http/form.server.ts';
import { requireFresh } from '#app/http/fresh.server.ts';
import { signedOutHeaders } from '#app/http/sign-in.server.ts';
import { writeToast } from '#app/http/toast-cookie.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';

export const meta: MetaFunction = () => [
  { title: 'Delete your account · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({ email: emailSchema });

export async function loader(args: LoaderFunctionArgs) {
  const { context } = args;
  const { person } = await requireFresh(args);
  const { password, totp, _count } = await context.db.user.findUniqueOrThrow({
    where: { id: person.id },
    select: {
      password: { select: { userId: true } },
      totp: { select: { userId: true } },
      _count: { select: { passkeys: true, connections: true, sessions: true } },
    },
  });
  return {
    ...{ email: person.email, name: person.name },
    ...{ hasPassword: password !== null, hasTotp: totp !== null, counts: _count },
  };
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const { person } = await requireFresh(args);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return tryAgain(form.reply);
  if (form.value.email !== person.email) {
    return tryAgain(form.fail({ email: 'This is not the e-mail of this account.' }));
  }
  // First: should that fail, the account is still there to be deleted once more.
  await context.limits.forget({ email: person.email, userId: person.id });
  await eraseAccount(context.db, person);
  const headers = signedOutHeaders(context);
  headers.append('Set-Cookie', writeToast({ kind: 'account-deleted' }, context.origin));
  return redirect('/', { headers });
}

export default function DeleteAccount() {
  const { email, name, hasPassword, hasTotp, counts } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <>
      <SettingsHeading
        title="Delete your account"
        lead="This cannot be undone. There is no copy from which we could bring it back."
      />
      <h2 className="font-semibold">What goes, at once</h2>
      <ul className="mt-3 mb-10 grid list-disc gap-1.5 pl-5 text-muted marker:text-danger">
        <li>
          Your profile: {name}, {email}
        </li>
        {hasPassword && <li>Your password</li>}
        {hasTotp && <li>Two-factor sign-in, with its recovery codes</li>}
        {counts.passkeys > 0 && (
          <li>
            {counts.passkeys === 1 ? 'Your passkey' : `All ${counts.passkeys} passkeys`}; your
            device or password manager keeps its half until you remove it there
          </li>
        )}
        {counts.connections > 0 && (
          <li>
            {counts.connections === 1
              ? 'Your connection to another account'
              : `All ${counts.connections} connections to other accounts`}
          </li>
        )}
        <li>Your activity log</li>
        <li>
          {counts.sessions === 1
            ? 'Your one session on record; you are signed out here'
            : `All ${counts.sessions} sessions on record; every device is signed out`}
        </li>
      </ul>
      <Form method="post" ref={form} noValidate reloadDocument className="grid max-w-104 gap-6">
        <FormError reply={reply} />
        <Field
          name="email"
          label="Type your e-mail"
          help={`To confirm: ${email}`}
          type="email"
          autoComplete="off"
          inputMode="email"
          autoCapitalize="none"
          spellCheck={false}
          enterKeyHint="go"
          required
          reply={reply}
        />
        <div className="flex flex-wrap gap-3">
          <Button look="danger" pending={isPending} pendingText="Deleting…">
            Delete my account
          </Button>
          <ButtonLink look="quiet" to="/settings/data">
            Keep it
          </ButtonLink>
        </div>
      </Form>
    </>
  );
}
