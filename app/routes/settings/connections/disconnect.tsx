import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import { finishSecurityChange } from '#app/sign-in/security-change.server.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox, FormError } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';

export const meta: MetaFunction = () => [
  { title: 'Disconnect an account · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const CONNECTIONS_PAGE = '/settings/connections';
const CONFLICT = 409;
const formSchema = z.object({ signOutOthers: z.literal('on').optional() });

export async function loader(args: LoaderFunctionArgs) {
  const { context, params } = args;
  const { user } = await requireSignedIn(args);
  const connection = await context.connections.find(user.id, params.connectionId ?? '');
  // The same for one of somebody else's and one that never was.
  if (!connection) return redirect(CONNECTIONS_PAGE);
  const { password, passkeys, connections } = await context.connections.countSignInMethods(user.id);
  return {
    name: nameOf(context, connection.provider),
    displayName: connection.displayName,
    isLastWayIn: !password && passkeys === 0 && connections === 1,
  };
}

export async function action(args: ActionFunctionArgs) {
  const { context, params, request } = args;
  const signedIn = await requireSignedIn(args);
  const { user } = signedIn;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const connection = await context.connections.find(user.id, params.connectionId ?? '');
  if (!connection) return wasGone(context);
  const removed = await context.connections.remove(user.id, connection.id, context.now);
  if (removed === 'last-way-in') {
    return showAgain(form.fail({ form: 'It stays: you have no other way to sign in.' }), CONFLICT);
  }
  if (removed === 'unknown') return wasGone(context);
  const provider = nameOf(context, connection.provider);
  const { headers, count } = await finishSecurityChange(
    context,
    signedIn,
    { kind: 'connection-removed', provider },
    { signOutOthers: form.value.signOutOthers === 'on' },
  );
  const toast = { kind: 'connection-removed', provider, count } as const;
  headers.append('Set-Cookie', writeToast(toast, context.origin));
  return redirect(CONNECTIONS_PAGE, { headers });
}

// One that is not configured any more goes by its id.
function nameOf({ providers }: PageContext, provider: string): string {
  return providers.find(provider)?.name ?? provider;
}

function wasGone({ origin }: PageContext) {
  return redirect(CONNECTIONS_PAGE, {
    headers: { 'Set-Cookie': writeToast({ kind: 'connection-already-removed' }, origin) },
  });
}

export default function Disconnect() {
  const { name, displayName, isLastWayIn } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title={`Disconnect ${name}?`} backTo={CONNECTIONS_PAGE}>
      <FormError reply={reply} />
      {isLastWayIn ? (
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
