import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { authenticatorName } from '#app/credentials/passkeys/authenticator-names.ts';
import { newPasskeySchema } from '#app/credentials/passkeys/passkey-schema.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { describeDevice } from '#app/sessions/device.ts';
import { ButtonLink } from '#app/ui/button.tsx';
import { Checkbox } from '#app/ui/field.tsx';
import { PasskeyButton } from '#app/credentials/passkeys/passkey-button.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { withOthers } from '#app/http/toast.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Add a passkey', { index: false });

const PASSKEYS_PAGE = '/settings/passkeys';
const formSchema = z.object({
  credential: newPasskeySchema,
  signOutOthers: z.literal('on').optional(),
});

/** What to say if the passkey was not added. */
const refusals = {
  refused: 'That passkey could not be added. Try again.',
  taken: 'That passkey is in use already. Add another one.',
  'too-many': 'You have 50 passkeys. Remove one first.',
} as const;

export async function loader() {
  return null;
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const { user, session } = signedIn;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { credential, signOutOthers } = form.value;
  const challenge = app.challenges.find(visit, 'registration', session.id);
  if (challenge === null) {
    return showAgain(form.fail({ credential: 'That took too long. Try again.' }));
  }
  const nameFor = (aaguid: string) =>
    authenticatorName(aaguid) ?? describeDevice(visit.device.userAgent).name;
  const registered = await app.passkeys.register(
    user.id,
    credential,
    challenge,
    nameFor,
    visit.now,
  );
  if (registered.state !== 'added') {
    return showAgain(form.fail({ credential: refusals[registered.state] }));
  }
  const passkey = registered.passkey.name;
  const event = { kind: 'passkey-added', passkey } as const;
  const count = await app.securityChanges.finish(visit, signedIn, event, {
    signOutOthers: signOutOthers === 'on',
  });
  app.toast.show(visit, withOthers(`You can now sign in with ${passkey}.`, count));
  return redirect(PASSKEYS_PAGE);
}

export default function AddPasskey() {
  const reply = useActionData<typeof action>()?.reply;
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title="Add a passkey" backTo={PASSKEYS_PAGE}>
      <p className="text-muted">
        Your browser asks where to keep it: on this device, with a password manager, or on a
        security key. You can change its name later.
      </p>
      <Form method="post" preventScrollReset className="grid gap-5">
        <Checkbox
          name="signOutOthers"
          label="Sign out everywhere else"
          help="Every other device has to sign in again."
          defaultChecked
          reply={reply}
        />
        <div className="flex flex-wrap items-start justify-end gap-3">
          <ButtonLink to={PASSKEYS_PAGE} preventScrollReset look="quiet">
            Cancel
          </ButtonLink>
          <PasskeyButton
            ceremony="make"
            optionsFrom="/settings/passkeys/options"
            look="primary"
            error={reply?.error?.credential?.[0]}
            pending={isPending}
            pendingText="Adding it…"
            otherwise={
              <p className="text-muted">
                Adding a passkey needs scripts, and a browser that has passkeys.
              </p>
            }
          >
            Choose where
          </PasskeyButton>
        </div>
      </Form>
    </Dialog>
  );
}
