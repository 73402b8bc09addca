import type { LoaderFunctionArgs } from '@remix-run/node';
import { Link, useLoaderData } from '@remix-run/react';
import { privacyStatement, type DataCategory } from '#app/privacy/data-map/privacy-statement.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Privacy', {
  description: 'What we keep about you, why and for how long.',
});

export function loader({ context: { app } }: LoaderFunctionArgs) {
  return privacyStatement(app.downloads.periods);
}

export default function Privacy() {
  const { aboutYou, aboutNobody } = useLoaderData<typeof loader>();
  return (
    <div className="mx-auto w-full max-w-176 px-5 py-12 sm:py-20">
      <h1 className="text-title font-semibold">What we keep about you, why and for how long</h1>
      <div className="mt-3 grid max-w-136 gap-3 text-muted">
        <p>
          This is all of it: the page is made from the same list as the download of your data. It is
          used to run your account and for nothing else, and it is passed on to nobody.
        </p>
        <p>
          You can{' '}
          <Link to="/settings/data" className="text-ink underline">
            take a copy of it, or have it erased
          </Link>
          , at any time.
        </p>
      </div>
      {aboutYou.map((category) => (
        <Category key={category.title} category={category} />
      ))}
      <section aria-labelledby="browser" className="mt-10 border-t border-line pt-8">
        <h2 id="browser" className="text-lead font-semibold">
          In your browser
        </h2>
        <p className="mt-1 max-w-136 text-muted">
          Cookies that it takes to work: one that keeps you signed in, your choice of light or dark,
          and a few that last minutes, while you sign in or see a message. None follows you, and
          none is anybody else’s.
        </p>
      </section>
      <section aria-labelledby="nobody" className="mt-10 border-t border-line pt-8">
        <h2 id="nobody" className="text-lead font-semibold">
          About nobody in particular
        </h2>
        <dl className="mt-4 grid gap-5">
          {aboutNobody.map(({ title, purpose, keptFor, notInDownload }) => (
            <div key={title} className="grid gap-1">
              <dt className="font-medium">{title}</dt>
              <dd className="max-w-136 text-muted">
                {purpose} {notInDownload[0]?.what} Kept: {keptFor}
              </dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}

function Category({ category }: { category: DataCategory }) {
  const { title, purpose, ground, keptFor, inDownload, notInDownload } = category;
  return (
    <section className="mt-10 border-t border-line pt-8">
      <h2 className="text-lead font-semibold">{title}</h2>
      <dl className="mt-3 grid gap-x-6 gap-y-1.5 sm:grid-cols-[6rem_1fr]">
        <dt className="text-muted">Why</dt>
        <dd className="mb-2 max-w-136 sm:mb-0">
          {purpose} <span className="text-muted">{ground}</span>
        </dd>
        <dt className="text-muted">How long</dt>
        <dd className="max-w-136">{keptFor}</dd>
      </dl>
      <details className="group mt-3">
        <summary className="-mx-2 inline-flex min-h-11 list-none items-center gap-2 rounded-xl px-2 text-muted hover:text-ink">
          <span className="underline">
            What it is: {inDownload.length + notInDownload.length} details
          </span>
        </summary>
        <dl className="mt-1 grid gap-x-6 gap-y-1.5 text-small sm:grid-cols-[10rem_1fr]">
          {inDownload.map((field) => (
            <Field key={field.label} {...field} />
          ))}
          {notInDownload.map((field) => (
            <Field key={field.label} {...field} isWithheld />
          ))}
        </dl>
      </details>
    </section>
  );
}

interface FieldProps {
  label: string;
  what: string;
  isWithheld?: boolean;
}

function Field({ label, what, isWithheld = false }: FieldProps) {
  return (
    <>
      <dt className="font-medium">{label}</dt>
      <dd className="mb-2 text-muted sm:mb-0">
        {what}
        {isWithheld && ' It is not in the download.'}
      </dd>
    </>
  );
}
