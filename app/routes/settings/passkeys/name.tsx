import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { passkeyNameSchema } from '#app/credentials/passkeys/passkey-schema.ts';
import { orNotFound, parseForm, showAgain } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Rename a passkey', { index: false });

const PASSKEYS_PAGE = '/settings/passkeys';
const formSchema = z.object({ name: passkeyNameSchema });

export async function loader({ params, context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const { name } = orNotFound(await app.passkeys.find(user.id, params.passkeyId));
  return { name };
}

export async function action({ params, request, context: { app, visit } }: ActionFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { id } = orNotFound(await app.passkeys.find(user.id, params.passkeyId));
  const { name } = form.value;
  await app.passkeys.rename(user.id, id, name);
  app.toast.show(visit, `The passkey is now called ${name}.`);
  return redirect(PASSKEYS_PAGE);
}

export default function RenamePasskey() {
  const { name } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title={`Rename ${name}`} backTo={PASSKEYS_PAGE}>
      <Form method="post" ref={form} noValidate preventScrollReset className="grid gap-6">
        <FormError reply={reply} />
        <Field
          name="name"
          label="Name"
          help="Only you see it."
          autoComplete="off"
          enterKeyHint="done"
          required
          defaultValue={name}
          reply={reply}
        />
        <div className="flex flex-wrap justify-end gap-3">
          <ButtonLink to={PASSKEYS_PAGE} preventScrollReset look="quiet">
            Cancel
          </ButtonLink>
          <Button pending={isPending} pendingText="Saving…">
            Save name
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
