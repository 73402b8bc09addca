import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { useActionData, useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import { RemoveSignInMethod } from '#app/credentials/remove-sign-in-method.tsx';
import {
  STAYS_AS_LAST_METHOD,
  totalSignInMethods,
} from '#app/credentials/sign-in-methods.server.ts';
import { orNotFound, parseForm, showAgain } from '#app/http/form.server.ts';
import { withOthers } from '#app/http/toast.server.ts';
import { pageMeta } from '#app/ui/page-meta.ts';
import { requireSignedIn } from '#app/visit/visit.ts';

export const meta = pageMeta('Disconnect an account', { index: false });

const CONNECTIONS_PAGE = '/settings/connections';
const CONFLICT = 409;
const formSchema = z.object({ signOutOthers: z.literal('on').optional() });

export async function loader({ params, context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const connection = orNotFound(await app.connections.find(user.id, params.connectionId ?? ''));
  const methods = await app.connections.countSignInMethods(user.id);
  return {
    name: providerName(app, connection.provider),
    displayName: connection.displayName,
    isLast: totalSignInMethods(methods) === 1,
  };
}

export async function action({ params, request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const { user } = signedIn;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const connection = orNotFound(await app.connections.find(user.id, params.connectionId ?? ''));
  const outcome = await app.connections.remove(user.id, connection.id, visit.now);
  if (outcome === 'last-way-in') {
    return showAgain(form.fail({ form: STAYS_AS_LAST_METHOD }), CONFLICT);
  }
  if (outcome === 'unknown') {
    app.toast.show(visit, 'That connection was removed already.');
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
  const { name, displayName, isLast } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const account = <bdi className="break-words">{displayName}</bdi>;
  return (
    <RemoveSignInMethod
      title={`Disconnect ${name}?`}
      backTo={CONNECTIONS_PAGE}
      isLast={isLast}
      explanation={
        isLast ? (
          <>
            {account} at {name} is your only way to sign in. Set a password, add a passkey or
            connect another account first.
          </>
        ) : (
          <>
            You will not be able to sign in here as {account} at {name} any more.
          </>
        )
      }
      action={{ text: 'Disconnect', pendingText: 'Disconnecting…' }}
      reply={reply}
    />
  );
}
