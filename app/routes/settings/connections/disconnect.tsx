import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox, FormError } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { withOthers } from '#app/http/toast.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Disconnect an account', { index: false });

const CONNECTIONS_PAGE = '/settings/connections';
const CONFLICT = 409;
const formSchema = z.object({ signOutOthers: z.literal('on').optional() });

export async function loader({ params, context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const connection = await app.connections.find(user.id, params.connectionId ?? '');
  // The answer is the same for an unknown id and for another user's.
  if (!connection) return redirect(CONNECTIONS_PAGE);
  const { password, passkeys, connections } = await app.connections.countSignInMethods(user.id);
  return {
    name: providerName(app, connection.provider),
    displayName: connection.displayName,
    isLastMethod: !password && passkeys === 0 && connections === 1,
  };
}

export async function action({ params, request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const { user } = signedIn;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const connection = await app.connections.find(user.id, params.connectionId ?? '');
  const outcome = connection
    ? await app.connections.remove(user.id, connection.id, visit.now)
    : 'unknown';
  if (outcome === 'last-way-in') {
    return showAgain(form.fail({ form: 'It stays: you have no other way to sign in.' }), CONFLICT);
  }
  if (!connection || outcome === 'unknown') {
    app.toast.show(visit, 'That connection was gone already.');
    return redirect(CONNECTIONS_PAGE);
  }
  const provider = providerName(app, connection.provider);
  const event = { kind: 'connection-removed', provider } as const;
  const count = await app.securityChanges.finish(visit, signedIn, event, {
    signOutOthers: form.value.signOutOthers === 'on',
  });
  app.toast.show(visit, withOthers(`${provider} is disconnected.`, count));
  return redirect(CONNECTIONS_PAGE);
}

/** Returns the name of a provider; its id if it is no longer configured. */
function providerName({ providers }: Pick<PageContext['app'], 'providers'>, id: string): string {
  return providers.find(id)?.name ?? id;
}

export default function Disconnect() {
  const { name, displayName, isLastMethod } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title={`Disconnect ${name}?`} backTo={CONNECTIONS_PAGE}>
      <FormError reply={reply} />
      {isLastMethod ? (
        <>
          <p className="text-muted">
            <bdi className="break-words">{displayName}</bdi> at {name} is your only way to sign in.
            Set a password, add a passkey or connect another account first.
          </p>
          <div className="flex justify-end">
            <ButtonLink to={CONNECTIONS_PAGE} preventScrollReset>
              Keep it
            </ButtonLink>
          </div>
        </>
      ) : (
        <>
          <p className="text-muted">
            You will not be able to sign in here as <bdi className="break-words">{displayName}</bdi>{' '}
            at {name} any more.
          </p>
          <Form method="post" preventScrollReset className="grid gap-5">
            <Checkbox
              name="signOutOthers"
              label="Sign out everywhere else"
              help="Also whoever signed in with it."
              defaultChecked
              reply={reply}
            />
            <div className="flex flex-wrap justify-end gap-3">
              <ButtonLink to={CONNECTIONS_PAGE} preventScrollReset look="quiet">
                Keep it
              </ButtonLink>
              <Button look="danger" pending={isPending} pendingText="Disconnecting…">
                Disconnect
              </Button>
            </div>
          </Form>
        </>
      )}
    </Dialog>
  );
}
