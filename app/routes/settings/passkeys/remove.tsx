import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { findOwnPasskey } from '#app/credentials/passkeys/own-passkey.server.ts';
import { totalSignInMethods, countSignInMethods } from '#app/credentials/sign-in-methods.server.ts';
import { finishSecurityChange } from '#app/sign-in/security-change.server.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox, FormError } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';

export const meta: MetaFunction = () => [
  { title: 'Remove a passkey · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const PASSKEYS_PAGE = '/settings/passkeys';
const formSchema = z.object({ signOutOthers: z.literal('on').optional() });

export async function loader(args: LoaderFunctionArgs) {
  const { context, params } = args;
  const { user } = await requireSignedIn(args);
  const { name } = await findOwnPasskey(context, user.id, params.passkeyId);
  return { name, isLast: totalSignInMethods(await countSignInMethods(context.db, user.id)) === 1 };
}

export async function action(args: ActionFunctionArgs) {
  const { context, params, request } = args;
  const signedIn = await requireSignedIn(args);
  const { user } = signedIn;
  const { id, name: passkey } = await findOwnPasskey(context, user.id, params.passkeyId);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const outcome = await context.passkeys.remove(user.id, id, context.now);
  if (outcome === 'last-way-in') {
    return showAgain(form.fail({ form: 'It stays: you have no other way to sign in.' }));
  }
  if (outcome === 'unknown') return redirect(PASSKEYS_PAGE);
  const { headers, count } = await finishSecurityChange(
    context,
    signedIn,
    { kind: 'passkey-removed', passkey },
    { signOutOthers: form.value.signOutOthers === 'on' },
  );
  const toast = { kind: 'passkey-removed', passkey, count } as const;
  headers.append('Set-Cookie', writeToast(toast, context.origin));
  return redirect(PASSKEYS_PAGE, { headers });
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
