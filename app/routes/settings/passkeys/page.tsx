import type { LoaderFunctionArgs } from '@remix-run/node';
import { Outlet, useLoaderData } from '@remix-run/react';
import { Plus } from 'lucide-react';
import { authenticatorName } from '#app/credentials/passkeys/authenticator-names.ts';
import { ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { PasskeyList } from './passkey-list.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Passkeys', { index: false });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const passkeys = await app.passkeys.list(user.id);
  return {
    now: visit.now.toISOString(),
    passkeys: passkeys.map(({ id, name, aaguid, isBackedUp, createdAt, lastUsedAt }) => ({
      id,
      name,
      keeper: authenticatorName(aaguid),
      isBackedUp,
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
    })),
  };
}

export default function Passkeys() {
  const { now, passkeys } = useLoaderData<typeof loader>();
  const isEmpty = passkeys.length === 0;
  return (
    <>
      <Outlet />
      <SettingsHeading
        title="Passkeys"
        lead={isEmpty ? undefined : 'What you can sign in with in place of your password.'}
        action={!isEmpty && <AddPasskey />}
      />
      {isEmpty ? (
        <div className="grid gap-5 rounded-2xl bg-sunken p-6">
          <p className="max-w-136">
            A passkey signs you in with your fingerprint, face or PIN, the way you unlock your
            device. There is nothing to remember, and nothing that a false website could take from
            you.
          </p>
          <div>
            <AddPasskey />
          </div>
        </div>
      ) : (
        <PasskeyList passkeys={passkeys} now={now} />
      )}
    </>
  );
}

function AddPasskey() {
  return (
    <ButtonLink to="/settings/passkeys/new" preventScrollReset>
      <Plus aria-hidden className="size-4.5" strokeWidth={1.75} />
      Add a passkey
    </ButtonLink>
  );
}
