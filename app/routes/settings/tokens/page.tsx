import type { LoaderFunctionArgs } from '@remix-run/node';
import { Link, Outlet, useLoaderData } from '@remix-run/react';
import { Plus } from 'lucide-react';
import { viewToken } from '#app/tokens/token-view.server.ts';
import { ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { TokenList } from '#app/tokens/token-list.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Access tokens', { index: false });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const tokens = await app.accessTokens.list(visit, user.id);
  return { now: visit.now.toISOString(), tokens: tokens.map(viewToken) };
}

export default function Tokens() {
  const { now, tokens } = useLoaderData<typeof loader>();
  const isEmpty = tokens.length === 0;
  return (
    <>
      <Outlet />
      <SettingsHeading
        title="Access tokens"
        lead={
          isEmpty
            ? undefined
            : 'What programs of yours reach your account with. Revoke what you do not know.'
        }
        action={!isEmpty && <NewToken />}
      />
      {isEmpty ? (
        <div className="grid gap-5 rounded-2xl bg-sunken p-6">
          <p className="max-w-136">
            A token lets a program of yours do a part of what you can, until it ends or you revoke
            it. It opens no page, and it is no use for signing in.{' '}
            <Link to="/developers" className="underline">
              How programs use it
            </Link>
          </p>
          <div>
            <NewToken />
          </div>
        </div>
      ) : (
        <>
          <TokenList tokens={tokens} now={now} />
          <p className="mt-6 text-muted">
            <Link to="/developers" className="underline">
              How programs use them
            </Link>
          </p>
        </>
      )}
    </>
  );
}

function NewToken() {
  return (
    <ButtonLink to="/settings/tokens/new">
      <Plus aria-hidden className="size-4.5" strokeWidth={1.75} />
      Make a token
    </ButtonLink>
  );
}
