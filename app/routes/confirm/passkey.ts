import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import { assertionSchema } from '#app/credentials/passkeys/passkey-schema.ts';
import { parseForm } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';

const formSchema = z.object({ credential: assertionSchema, redirectTo: z.string().optional() });

/** The page with this form is /confirm. */
export async function loader() {
  return redirect('/confirm');
}

/** Accepts a passkey of the signed-in user as a fresh proof. */
export async function action({ context: { app, visit }, request }: ActionFunctionArgs) {
  const { user, session } = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  const { credential, redirectTo } = form.ok ? form.value : {};
  const challenge = app.challenges.find(visit, 'confirm', session.id);
  const isProven =
    credential !== undefined &&
    challenge !== null &&
    (await app.passkeys.confirm(user.id, credential, challenge, visit.now));
  if (isProven)
    return app.confirmIdentity.continueAfterReauthentication(visit, request, redirectTo);
  const query = new URLSearchParams({ redirectTo: safeReturnPath(redirectTo), passkey: 'refused' });
  return redirect(`/confirm?${query}`);
}
