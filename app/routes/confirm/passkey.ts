import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import { assertionSchema } from '#app/credentials/passkeys/passkey-schema.ts';
import { parseForm } from '#app/http/form.server.ts';
import { continueAfterReauthentication } from '#app/sign-in/continue-after-proof.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { findPasskeyChallenge } from '#app/credentials/passkeys/passkey-challenges.server.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';

const formSchema = z.object({ credential: assertionSchema, redirectTo: z.string().optional() });

/** The page that asks is /confirm. */
export async function loader() {
  return redirect('/confirm');
}

/** Takes a passkey of the person who is signed in for proof that it is still them. */
export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const { user, session } = await requireSignedIn(args);
  const form = await parseForm(request, formSchema);
  const { credential, redirectTo } = form.ok ? form.value : {};
  const challenge = findPasskeyChallenge(context, request, 'confirm', session.id);
  const isProven =
    credential !== undefined &&
    challenge !== null &&
    (await context.passkeys.confirm(user.id, credential, challenge, context.now));
  if (isProven) return continueAfterReauthentication(context, request, redirectTo);
  const query = new URLSearchParams({ redirectTo: safeReturnPath(redirectTo), passkey: 'refused' });
  return redirect(`/confirm?${query}`);
}
