import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { totalSignInMethods } from '#app/credentials/sign-in-methods.server.ts';
import { orNotFound, parseForm, showAgain } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox, FormError } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { withOthers } from '#app/http/toast.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Remove a passkey', { index: false });

const PASSKEYS_PAGE = '/settings/passkeys';
const formSchema = z.object({ signOutOthers: z.literal('on').optional() });

export async function loader({ params, context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const { name } = orNotFound(await app.passkeys.find(user.id, params.passkeyId));
  const methods = await app.connections.countSignInMethods(user.id);
  return { name, isLast: totalSignInMethods(methods) === 1 };
}

export async function action({ params, request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const { user } = signedIn;
  const passkey = orNotFound(await app.passkeys.find(user.id, params.passkeyId));
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const outcome = await app.passkeys.remove(user.id, passkey.id, visit.now);
  if (outcome === 'last-way-in') {
    return showAgain(form.fail({ form: 'It stays: you have no other way to sign in.' }));
  }
  if (outcome === 'unknown') return redirect(PASSKEYS_PAGE);
  const event = { kind: 'passkey-removed', passkey: passkey.name } as const;
  const count = await app.securityChanges.finish(visit, signedIn, event, {
    signOutOthers: form.value.signOutOthers === 'on',
  });
  app.toast.show(visit, withOthers(`${passkey.name} is removed.`, count));
  return redirect(PASSKEYS_PAGE);
}

export default function RemovePasskey() {
  const { name, isLast } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const isPending = useNavigation().formMethod === 'POST';
  if (isLast) {
    return (
      <Dialog title={`${name} is your only way in`} backTo={PASSKEYS_PAGE}>
        <FormError reply={reply} />
        <p className="text-muted">
          Without it you could not sign in any more. Add another passkey or a password first, then
          remove this one.
        </p>
        <div className="flex justify-end">
          <ButtonLink to={PASSKEYS_PAGE} preventScrollReset>
            Keep it
          </ButtonLink>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={`Remove ${name}?`} backTo={PASSKEYS_PAGE}>
      <p className="text-muted">
        You can no longer sign in with it. Your device may go on offering it until you delete it
        there as well.
      </p>
      <Form method="post" preventScrollReset className="grid gap-5">
        <FormError reply={reply} />
        <Checkbox
          name="signOutOthers"
          label="Sign out everywhere else"
          help="Also whoever signed in with it."
          defaultChecked
          reply={reply}
        />
        <div className="flex flex-wrap justify-end gap-3">
          <ButtonLink to={PASSKEYS_PAGE} preventScrollReset look="quiet">
            Keep it
          </ButtonLink>
          <Button look="danger" pending={isPending} pendingText="Removing…">
            Remove
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
