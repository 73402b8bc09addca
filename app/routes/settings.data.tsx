import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node';
import { Form, useLoaderData } from '@remix-run/react';
import { Download } from 'lucide-react';
import { requireSession } from '#app/http/guards.server.ts';
import { DAY_MS } from '#app/sessions/index.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';

export const meta: MetaFunction = () => [
  { title: 'Your data · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

export async function loader(args: LoaderFunctionArgs) {
  await requireSession(args);
  const { retentionMs } = args.context.sessions;
  return { retentionDays: Math.round(retentionMs / DAY_MS) };
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
            One file (JSON) with your profile, how you sign in, your connections, what happened to
            your account, and every session on record, those that ended within the last{' '}
            {retentionDays} days too. Passwords, keys and codes are not in it: most of them we do
            not have in readable form ourselves.
          </p>
        </div>
        {/* A whole new request: what comes back is a file, and the page stays. */}
        <Form method="post" action="/settings/data/download" reloadDocument>
          <Button>
            <Download aria-hidden className="size-4.5" strokeWidth={1.75} />
            Download your data
          </Button>
        </Form>
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
