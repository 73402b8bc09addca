import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { emailSchema } from '#app/credentials/password/password-schema.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { signedOutHeaders } from '#app/sign-in/sign-in.server.ts';
import { clearToast, writeToast } from '#app/http/toast.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { ErasedRows } from '#app/privacy/erased-rows.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';

export const meta: MetaFunction = () => [
  { title: 'Delete your account · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({ email: emailSchema });

export async function loader(args: LoaderFunctionArgs) {
  const { context } = args;
  const { user } = await requireSignedIn(args);
  const counts = await context.erasures.count(user.id);
  return { email: user.email, name: user.name, counts, isMailOn: context.mailer.isOn };
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const { user } = await requireSignedIn(args);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  if (form.value.email !== user.email) {
    return showAgain(form.fail({ email: 'This is not the e-mail of this account.' }));
  }
  const receipt = await context.erasures.erase(user.id, context.now);
  const headers = signedOutHeaders(context);
  if (receipt) {
    // A message that still waits may speak of what is gone.
    headers.append('Set-Cookie', clearToast());
    return redirect(`/erased/${receipt.id}`, { headers });
  }
  // Somebody else has removed the account in the meantime, and left no receipt.
  headers.append('Set-Cookie', writeToast({ kind: 'account-deleted' }, context.origin));
  return redirect('/', { headers });
}

export default function DeleteAccount() {
  const { email, name, counts, isMailOn } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <>
      <SettingsHeading
        title="Delete your account"
        lead="This cannot be undone. There is no copy from which we could bring it back."
      />
      <section className="mb-10 grid gap-3">
        <h2 className="font-semibold">What goes, at once</h2>
        <p className="max-w-136 text-muted">
          The account of {name}, {email}. Every device is signed out.
        </p>
        <ErasedRows counts={counts} />
        <p className="max-w-136 text-muted">
          What stays is a receipt that does not say whose account it was.
          {isMailOn && ' It is mailed to you, as the last mail that you get.'}
        </p>
      </section>
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
