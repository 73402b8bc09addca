import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { emailSchema } from '#app/credentials/password/password-schema.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { ErasedRows } from '#app/privacy/erased-rows.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Delete your account', { index: false });

const formSchema = z.object({ email: emailSchema });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const counts = await app.erasures.count(user.id);
  return { email: user.email, name: user.name, counts, isMailOn: app.mailer.isOn };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  if (form.value.email !== user.email) {
    return showAgain(form.fail({ email: 'This is not the e-mail of this account.' }));
  }
  const receipt = await app.erasures.erase(user.id, visit.now);
  app.sessionCookie.remove(visit);
  if (receipt) {
    // A message that was not shown yet may name what was erased.
    app.toast.drop(visit);
    return redirect(`/erased/${receipt.id}`);
  }
  // The account was removed meanwhile, without a receipt.
  app.toast.show(visit, 'Your account and everything kept about you are deleted.');
  return redirect('/');
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
