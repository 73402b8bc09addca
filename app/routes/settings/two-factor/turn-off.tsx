import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { withOthers } from '#app/http/toast.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Turn off two-factor sign-in', { index: false });

const PAGE = '/settings/two-factor';
const formSchema = z.object({ signOutOthers: z.literal('on').optional() });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  return (await app.totp.isOn(user.id)) ? null : redirect(PAGE);
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  if (!(await app.totp.turnOff(signedIn.user.id))) return redirect(PAGE);
  const event = { kind: 'totp-off' } as const;
  const count = await app.securityChanges.finish(visit, signedIn, event, {
    signOutOthers: form.value.signOutOthers === 'on',
  });
  // Codes that were not shown yet are void now.
  app.newRecoveryCodes.remove(visit);
  app.toast.show(visit, withOthers('Signing in takes no code any more.', count));
  return redirect(PAGE);
}

export default function TurnOffTwoFactor() {
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title="Turn off two-factor sign-in?" backTo={PAGE}>
      <p className="text-muted">
        Your password alone is enough to sign in from then on. The secret in your app and all your
        recovery codes become void; to turn it on again you set it up anew.
      </p>
      <Form method="post" preventScrollReset className="grid gap-6">
        <Checkbox
          name="signOutOthers"
          label="Sign out everywhere else"
          help="Every other device has to sign in again."
          defaultChecked
          reply={null}
        />
        <div className="flex flex-wrap justify-end gap-3">
          <ButtonLink to={PAGE} preventScrollReset look="quiet">
            Keep it on
          </ButtonLink>
          <Button look="danger" pending={isPending} pendingText="Turning it off…">
            Turn it off
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
