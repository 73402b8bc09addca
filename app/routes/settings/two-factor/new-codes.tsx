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

export const meta = pageMeta('New recovery codes', { index: false });

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
  const codes = await app.recoveryCodes.replace(signedIn.user.id, visit.now);
  if (!codes) return redirect(PAGE);
  const event = { kind: 'recovery-codes-new' } as const;
  const count = await app.securityChanges.finish(visit, signedIn, event, {
    signOutOthers: form.value.signOutOthers === 'on',
  });
  app.newRecoveryCodes.write(visit, signedIn, codes);
  app.toast.show(visit, withOthers('You have new recovery codes; the old ones are void.', count));
  return redirect(`${PAGE}/recovery-codes`);
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
