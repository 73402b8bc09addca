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
  { title: 'New recovery codes · Latchkey' },
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
  const codes = await context.recoveryCodes.replace(signedIn.user.id, context.now);
  if (!codes) return redirect(PAGE);
  const { headers, count } = await finishSecurityChange(
    context,
    signedIn,
    { kind: 'recovery-codes-new' },
    { signOutOthers: form.value.signOutOthers === 'on' },
  );
  const { newRecoveryCodes } = context.cookies;
  headers.append('Set-Cookie', newRecoveryCodes.write(context.now, signedIn, codes));
  headers.append('Set-Cookie', writeToast({ kind: 'recovery-codes-new', count }, context.origin));
  return redirect(`${PAGE}/recovery-codes`, { headers });
}

export default function NewRecoveryCodes() {
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title="Make new recovery codes?" backTo={PAGE}>
      <p className="text-muted">
        You get ten new ones, to be saved on the next page. All old ones stop working at once,
        wherever you keep them.
      </p>
      <Form method="post" preventScrollReset className="grid gap-6">
        <Checkbox
          name="signOutOthers"
          label="Sign out everywhere else"
          help="In case somebody has seen the old ones and used one."
          defaultChecked
          reply={null}
        />
        <div className="flex flex-wrap justify-end gap-3">
          <ButtonLink to={PAGE} preventScrollReset look="quiet">
            Keep the old ones
          </ButtonLink>
          <Button look="danger" pending={isPending} pendingText="Making them…">
            Make new codes
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
