import type { LoaderFunctionArgs } from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import { ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { RecoveryCodeSheet } from './recovery-code-sheet.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Your recovery codes', { index: false });

const PAGE = '/settings/two-factor';

/** The codes cannot be loaded a second time, so the page keeps its data until the user leaves it. */
export const shouldRevalidate = () => false;

/** Returns new codes once: neither a reload nor a copy of the cookie shows them again. */
export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const codes = await app.newRecoveryCodes.take(visit, signedIn);
  const madeOn = visit.now.toISOString().slice(0, 10);
  return { codes, email: signedIn.user.email, madeOn };
}

export default function RecoveryCodes() {
  const { codes, email, madeOn } = useLoaderData<typeof loader>();
  if (!codes) {
    return (
      <>
        <SettingsHeading
          title="Your recovery codes"
          lead="They are shown once, right after they were made, and that has been. If you did not save them, make new ones."
        />
        <div className="flex flex-wrap gap-3">
          <ButtonLink to={`${PAGE}/new-codes`}>Make new codes…</ButtonLink>
          <ButtonLink look="quiet" to={PAGE}>
            Back
          </ButtonLink>
        </div>
      </>
    );
  }
  return (
    <>
      <SettingsHeading
        title="Save your recovery codes"
        lead="When your app is out of reach, each of these signs you in once. Keep them where you keep what is dear to you. They are not shown again."
      />
      <RecoveryCodeSheet codes={codes} email={email} madeOn={madeOn} doneTo={PAGE} />
    </>
  );
}
