import type { LoaderFunctionArgs } from '@remix-run/node';
import { Outlet, useLoaderData } from '@remix-run/react';
import { ButtonLink } from '#app/ui/button.tsx';
import { Notice, SettingsHeading } from '#app/ui/page.tsx';
import { RelativeTime } from '#app/ui/relative-time.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Two-factor sign-in', { index: false });

/** With this many recovery codes left, or fewer, the page suggests new ones. */
const FEW_LEFT = 3;

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const [onSince, codesLeft] = await Promise.all([
    app.totp.onSince(user.id),
    app.recoveryCodes.countLeft(user.id),
  ]);
  return {
    now: visit.now.toISOString(),
    onSince: onSince && onSince.toISOString(),
    codesLeft,
  };
}

export default function TwoFactor() {
  const { now, onSince, codesLeft } = useLoaderData<typeof loader>();
  return (
    <>
      <Outlet />
      <SettingsHeading
        title="Two-factor sign-in"
        lead={
          onSince
            ? 'Besides your password, signing in takes a code that your app shows.'
            : 'Besides your password, signing in would take a code that an app on your phone shows. Whoever learns your password still stays outside.'
        }
      />
      {onSince ? <On now={now} onSince={onSince} codesLeft={codesLeft} /> : <Off />}
    </>
  );
}

function Off() {
  return (
    <div className="grid gap-6">
      <p className="max-w-136">
        It is off. To turn it on you need an authenticator app, such as the one built into your
        phone or password manager, and two minutes.
      </p>
      <div>
        <ButtonLink look="primary" to="/settings/two-factor/set-up">
          Set it up
        </ButtonLink>
      </div>
    </div>
  );
}

function On({ now, onSince, codesLeft }: { now: string; onSince: string; codesLeft: number }) {
  return (
    <div className="grid gap-10">
      <section aria-labelledby="app" className="grid gap-4">
        <div className="grid gap-1">
          <h2 id="app" className="flex items-center gap-3 text-lead font-semibold">
            <span aria-hidden className="lit size-2 rounded-full" />
            Your authenticator app
          </h2>
          <p className="text-muted">
            <RelativeTime prefix="Turned on" at={onSince} now={now} />
          </p>
        </div>
        <div>
          <ButtonLink
            look="quiet-danger"
            to="/settings/two-factor/turn-off"
            preventScrollReset
            className="-ml-5"
          >
            Turn it off…
          </ButtonLink>
        </div>
      </section>
      <section aria-labelledby="codes" className="grid gap-4 border-t border-line pt-8">
        <div className="grid gap-1">
          <h2 id="codes" className="text-lead font-semibold">
            Recovery codes
          </h2>
          <p className="max-w-136 text-muted">
            For the day on which your app is out of reach. Each works once.{' '}
            <strong className="font-medium whitespace-nowrap text-ink">
              {leftText(codesLeft)}
            </strong>
          </p>
        </div>
        {codesLeft <= FEW_LEFT && (
          <Notice>
            {codesLeft === 0
              ? 'Without your app you could not sign in any more. Make new codes now.'
              : 'You are running out of them. Make new ones before you need the last.'}
          </Notice>
        )}
        <div>
          <ButtonLink to="/settings/two-factor/new-codes" preventScrollReset>
            Make new codes…
          </ButtonLink>
        </div>
      </section>
    </div>
  );
}

function leftText(count: number): string {
  return count === 0 ? 'None is left.' : `${count} of 10 left.`;
}
