import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { useActionData, useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import { RemoveSignInMethod } from '#app/credentials/remove-sign-in-method.tsx';
import {
  STAYS_AS_LAST_METHOD,
  totalSignInMethods,
} from '#app/credentials/sign-in-methods.server.ts';
import { orNotFound, parseForm, showAgain } from '#app/http/form.server.ts';
import { withOthers } from '#app/http/toast.server.ts';
import { pageMeta } from '#app/ui/page-meta.ts';
import { requireSignedIn } from '#app/visit/visit.ts';

export const meta = pageMeta('Remove a passkey', { index: false });

const PASSKEYS_PAGE = '/settings/passkeys';
const CONFLICT = 409;
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
    return showAgain(form.fail({ form: STAYS_AS_LAST_METHOD }), CONFLICT);
  }
  if (outcome === 'unknown') {
    app.toast.show(visit, 'That passkey was removed already.');
    return redirect(PASSKEYS_PAGE);
  }
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
  return (
    <RemoveSignInMethod
      title={isLast ? `${name} is your only way in` : `Remove ${name}?`}
      backTo={PASSKEYS_PAGE}
      isLast={isLast}
      explanation={
        isLast
          ? 'Without it you could not sign in any more. Add another passkey or a password first, then remove this one.'
          : 'You can no longer sign in with it. Your device may go on offering it until you delete it there as well.'
      }
      action={{ text: 'Remove', pendingText: 'Removing…' }}
      reply={reply}
    />
  );
}
