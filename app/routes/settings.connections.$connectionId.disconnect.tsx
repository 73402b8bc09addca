import {
  data,
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import type { LatchkeyContext } from '#app/context.server.ts';
import { requireFresh } from '#app/http/fresh.server.ts';
import { noteActivity } from '#app/http/note-activity.server.ts';
import { writeToast, type ToastMessage } from '#app/http/toast-cookie.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Question } from '#app/ui/question.tsx';

export const meta: MetaFunction = () => [
  { title: 'Disconnect an account · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const CONNECTIONS_PAGE = '/settings/connections';
const CONFLICT = 409;

export async function loader(args: LoaderFunctionArgs) {
  const { context, params } = args;
  const { person } = await requireFresh(args);
  const connection = await context.connections.find(person.id, params.connectionId ?? '');
  // The same for one of somebody else's and one that never was.
  if (!connection) return redirect(CONNECTIONS_PAGE);
  const { password, passkeys, connections } = await context.connections.waysIn(person.id);
  return {
    name: nameOf(context, connection.provider),
    displayName: connection.displayName,
    isLastWayIn: !password && passkeys === 0 && connections === 1,
  };
}

export async function action(args: ActionFunctionArgs) {
  const { context, params } = args;
  const { person } = await requireFresh(args);
  const connection = await context.connections.find(person.id, params.connectionId ?? '');
  if (!connection) return backWith(context, { kind: 'connection-already-removed' });
  const removed = await context.connections.remove(person.id, connection.id, context.now);
  if (removed === 'last-way-in') return data({ isLastWayIn: true }, { status: CONFLICT });
  if (removed === 'unknown') return backWith(context, { kind: 'connection-already-removed' });
  const provider = nameOf(context, connection.provider);
  await noteActivity(context, person.id, { kind: 'connection-removed', provider });
  return backWith(context, { kind: 'connection-removed', provider });
}

// One that is not configured any more goes by its id.
function nameOf({ providers }: LatchkeyContext, provider: string): string {
  return providers.find(provider)?.name ?? provider;
}

function backWith({ origin }: LatchkeyContext, toast: ToastMessage) {
  return redirect(CONNECTIONS_PAGE, { headers: { 'Set-Cookie': writeToast(toast, origin) } });
}

export default function Disconnect() {
  const { name, displayName, isLastWayIn } = useLoaderData<typeof loader>();
  const refused = useActionData<typeof action>();
  const isPending = useNavigation().formMethod === 'POST';
  const isLast = refused?.isLastWayIn ?? isLastWayIn;
  return (
    <Question title={`Disconnect ${name}?`} backTo={CONNECTIONS_PAGE}>
      {isLast ? (
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
          <Form method="post" preventScrollReset className="flex flex-wrap justify-end gap-3">
            <ButtonLink to={CONNECTIONS_PAGE} preventScrollReset look="quiet">
              Keep it
            </ButtonLink>
            <Button look="danger" pending={isPending} pendingText="Disconnecting…">
              Disconnect
            </Button>
          </Form>
        </>
      )}
    </Question>
  );
}
