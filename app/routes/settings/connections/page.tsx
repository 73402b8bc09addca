import type { LoaderFunctionArgs } from '@remix-run/node';
import { Form, Link, Outlet, useLoaderData } from '@remix-run/react';
import { Link2 } from 'lucide-react';
import { problemText } from '#app/credentials/providers/provider-problems.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Checkbox } from '#app/ui/field.tsx';
import { Notice, SettingsHeading } from '#app/ui/page.tsx';
import { RelativeTime } from '#app/ui/relative-time.tsx';
import { discoverInRow, type RowDiscovery } from '#app/ui/row-discovery.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Connections', { index: false });

export async function loader({ request, context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const { providers } = app;
  const connections = await app.connections.list(user.id);
  return {
    now: visit.now.toISOString(),
    notice: problemText(providers, request),
    providers: providers.list(),
    connections: connections.map(({ provider, createdAt, lastUsedAt, ...rest }) => ({
      ...rest,
      // A provider that is no longer configured is shown by its id.
      name: providers.find(provider)?.name ?? provider,
      isOffered: providers.find(provider) !== null,
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
    })),
  };
}

type PageData = ReturnType<typeof useLoaderData<typeof loader>>;

export default function Connections() {
  const { now, notice, providers, connections } = useLoaderData<typeof loader>();
  const isEmpty = connections.length === 0;
  return (
    <>
      <Outlet />
      <SettingsHeading
        title="Connections"
        lead={
          isEmpty
            ? 'No account elsewhere is connected to yours.'
            : 'Accounts elsewhere with which you can sign in here. If you do not know one, disconnect it.'
        }
      />
      {notice && (
        <div className="mb-8">
          <Notice>{notice}</Notice>
        </div>
      )}
      {!isEmpty && (
        <ul aria-label="Connected accounts" className="mb-10 grid">
          {connections.map((connection, index) => (
            <ConnectionRow
              key={connection.id}
              connection={connection}
              now={now}
              discover={discoverInRow(index)}
            />
          ))}
        </ul>
      )}
      {providers.length > 0 ? (
        <section aria-labelledby="connect-another" className="grid gap-4">
          <h2 id="connect-another" className="font-semibold">
            {isEmpty ? 'Connect an account' : 'Connect another'}
          </h2>
          <Form method="post" reloadDocument className="grid gap-5">
            <Checkbox
              name="signOutOthers"
              label="Sign out everywhere else"
              help="Once it is connected, every other device has to sign in again."
              defaultChecked
              reply={undefined}
            />
            <div className="flex flex-wrap gap-3">
              {providers.map(({ id, name }) => (
                <Button
                  key={id}
                  look="secondary"
                  formAction={`/settings/connections/add/${id}`}
                  className="max-w-full"
                >
                  <span className="truncate">Connect {name}</span>
                </Button>
              ))}
            </div>
          </Form>
        </section>
      ) : (
        <p className="text-muted">This application offers no provider to sign in with.</p>
      )}
    </>
  );
}

interface ConnectionRowProps {
  connection: PageData['connections'][number];
  now: string;
  discover: RowDiscovery;
}

function ConnectionRow({ connection, now, discover }: ConnectionRowProps) {
  const { id, name, displayName, isOffered, createdAt, lastUsedAt } = connection;
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 border-b border-line py-5 last:border-0 sm:grid-cols-[auto_minmax(0,1fr)_auto]">
      <Link2 aria-hidden className="mt-0.5 size-6 text-muted" strokeWidth={1.5} />
      <div className="grid gap-1">
        <strong className="font-semibold break-words">{name}</strong>
        <p className="text-small break-words text-muted">
          <bdi>{displayName}</bdi>
        </p>
        <p className="text-small text-muted">
          <RelativeTime at={createdAt} now={now} prefix="Connected" />
          {lastUsedAt && (
            <>
              {' · '}
              <RelativeTime at={lastUsedAt} now={now} prefix="Last used" />
            </>
          )}
          {!isOffered && ' · Not offered here any more'}
        </p>
      </div>
      <div className="col-start-2 mt-1 -ml-3 sm:col-start-3 sm:mt-0 sm:-mr-3 sm:ml-0">
        <Link
          to={`/settings/connections/${id}/disconnect`}
          discover={discover}
          preventScrollReset
          aria-label={`Disconnect ${name}, ${displayName}`}
          className="inline-flex min-h-11 items-center rounded-xl px-3 text-small font-medium hover:bg-danger-glow hover:text-danger sm:min-h-9"
        >
          Disconnect
        </Link>
      </div>
    </li>
  );
}
