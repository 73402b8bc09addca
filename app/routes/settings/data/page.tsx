import type { LoaderFunctionArgs } from '@remix-run/node';
import { Link, useLoaderData } from '@remix-run/react';
import { ButtonLink } from '#app/ui/button.tsx';
import { DownloadForm } from './download-form.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Your data', { index: false });

export async function loader({ context: { app } }: LoaderFunctionArgs) {
  return { retentionDays: app.downloads.periods.sessionRetentionDays };
}

export default function YourData() {
  const { retentionDays } = useLoaderData<typeof loader>();
  return (
    <>
      <SettingsHeading
        title="Your data"
        lead="It is yours: take a copy of all that is kept about you, or have it erased."
      />
      <section aria-labelledby="download" className="grid gap-6">
        <div className="grid gap-1">
          <h2 id="download" className="text-lead font-semibold">
            Download
          </h2>
          <p className="max-w-136 text-muted">
            A ZIP with everything that is kept about you: a page to read in any browser, tables of
            your sessions and of what happened to your account, and the same for programs. Sessions
            that ended within the last {retentionDays} days are in it too; passwords and sign-in
            tokens are not: we do not have them in readable form ourselves.
          </p>
          <p className="max-w-136 text-muted">
            <Link to="/privacy" className="text-ink underline">
              What we keep about you, why and for how long
            </Link>
          </p>
        </div>
        <div className="grid gap-3">
          <DownloadForm action="/settings/data/download">Download your data</DownloadForm>
          <DownloadForm action="/settings/data/download/json" look="secondary">
            Only the JSON
          </DownloadForm>
        </div>
      </section>
      <section aria-labelledby="delete" className="mt-12 grid gap-5 border-t border-line pt-8">
        <div className="grid gap-1">
          <h2 id="delete" className="text-lead font-semibold">
            Delete your account
          </h2>
          <p className="max-w-136 text-muted">
            Everything kept about you is erased, and every device is signed out. The next page says
            what goes before anything happens.
          </p>
        </div>
        <div>
          <ButtonLink look="quiet-danger" to="/settings/data/delete" className="-ml-5">
            Delete your account…
          </ButtonLink>
        </div>
      </section>
    </>
  );
}
