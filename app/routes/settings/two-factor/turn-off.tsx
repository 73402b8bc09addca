import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { finishSecurityChange } from '#app/sign-in/security-change.server.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';

export const meta: MetaFunction = () => [
  { title: 'Turn off two-factor sign-in · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const PAGE = '/settings/two-factor';
const formSchema = z.object({ signOutOthers: z.literal('on').optional() });

export async function loader(args: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(args);
  return (await args.context.totp.isOn(user.id)) ? null : redirect(PAGE);
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const signedIn = await requireSignedIn(args);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  if (!(await context.totp.turnOff(signedIn.user.id))) return redirect(PAGE);
  const { headers, count } = await finishSecurityChange(
    context,
    signedIn,
    { kind: 'totp-off' },
    { signOutOthers: form.value.signOutOthers === 'on' },
  );
  headers.append('Set-Cookie', context.cookies.newRecoveryCodes.clear());
  headers.append('Set-Cookie', writeToast({ kind: 'two-factor-off', count }, context.origin));
  return redirect(PAGE, { headers });
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
