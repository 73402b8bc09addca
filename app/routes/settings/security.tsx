import type { LoaderFunctionArgs } from '@remix-run/node';
import { Link, useLoaderData } from '@remix-run/react';
import { ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import { SettingsHeading } from '#app/ui/page.tsx';
import { RelativeTime } from '#app/ui/relative-time.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Signing in', { index: false });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const { db } = app;
  const ownRow = { where: { userId: user.id } };
  const [password, totp, [counts]] = await Promise.all([
    db.password.findUnique({ ...ownRow, select: { changedAt: true } }),
    db.totp.findUnique({ ...ownRow, select: { createdAt: true } }),
    // Prisma's own counts of relations scan the rows of all users.
    db.$queryRaw<Record<'passkeys' | 'connections' | 'recoveryCodes', bigint>[]>`
      SELECT (SELECT COUNT(*) FROM "Passkey" WHERE "userId" = ${user.id}) AS "passkeys",
             (SELECT COUNT(*) FROM "Connection" WHERE "userId" = ${user.id}) AS "connections",
             (SELECT COUNT(*) FROM "RecoveryCode"
               WHERE "userId" = ${user.id} AND "usedAt" IS NULL) AS "recoveryCodes"`,
  ]);
  return {
    now: visit.now.toISOString(),
    passwordChangedAt: password?.changedAt.toISOString() ?? null,
    totpSince: totp?.createdAt.toISOString() ?? null,
    passkeys: Number(counts?.passkeys),
    connections: Number(counts?.connections),
    recoveryCodes: Number(counts?.recoveryCodes),
    hasProviders: app.providers.list().length > 0,
  };
}

export default function Security() {
  const page = useLoaderData<typeof loader>();
  const { now } = page;
  return (
    <>
      <SettingsHeading
        title="Signing in"
        lead="The ways in to your account. More than one is good: if you lose one, another still opens."
      />
      <ul className="grid">
        <SignInMethod to="/settings/password" name="Password">
          {page.passwordChangedAt ? (
            <RelativeTime at={page.passwordChangedAt} now={now} prefix="Changed" />
          ) : (
            'None. You sign in another way.'
          )}
        </SignInMethod>
        <SignInMethod to="/settings/two-factor" name="Two-factor sign-in">
          {page.totpSince ? (
            <>
              <RelativeTime at={page.totpSince} now={now} prefix="On since" />
              {` · ${countText(page.recoveryCodes, 'recovery code')} left`}
            </>
          ) : (
            'Off. With it, a stolen password opens nothing.'
          )}
        </SignInMethod>
        <SignInMethod to="/settings/passkeys" name="Passkeys">
          {page.passkeys === 0
            ? 'None. Sign in with your fingerprint, face or device PIN.'
            : countText(page.passkeys, 'passkey')}
        </SignInMethod>
        {(page.hasProviders || page.connections > 0) && (
          <SignInMethod to="/settings/connections" name="Connections">
            {page.connections === 0
              ? 'None. Sign in with an account that you have elsewhere.'
              : countText(page.connections, 'connection')}
          </SignInMethod>
        )}
      </ul>
    </>
  );
}

function SignInMethod({ to, name, children }: { to: string; name: string; children: ReactNode }) {
  return (
    <li className="border-b border-line last:border-0">
      <Link
        to={to}
        className="-mx-3 grid grid-cols-[minmax(0,1fr)_auto] items-center gap-4 rounded-xl px-3 py-5 hover:bg-sunken"
      >
        <span className="grid gap-1">
          <strong className="font-semibold">{name}</strong>
          <span className="text-small text-muted">{children}</span>
        </span>
        <ChevronRight aria-hidden className="size-5 text-muted" strokeWidth={1.75} />
      </Link>
    </li>
  );
}

function countText(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
