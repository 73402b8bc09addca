import type { LoaderFunctionArgs } from '@remix-run/node';
import { Link, useLoaderData } from '@remix-run/react';
import { tokenScopes } from '#app/tokens/token-schema.ts';
import { ApiOperation } from './api-operation.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('For developers', {
  description: 'How programs sign in, and see and end sessions, by JSON.',
});

export function loader({ context: { app } }: LoaderFunctionArgs) {
  return {
    origin: app.origin,
    ...app.apiGuide(),
    scopes: Object.entries(tokenScopes).map(([scope, { what }]) => ({ scope, what })),
  };
}

export default function Developers() {
  const { origin, operations, problems, scopes } = useLoaderData<typeof loader>();
  return (
    <div className="mx-auto w-full max-w-176 px-5 py-12 sm:py-20">
      <h1 className="text-title font-semibold">For developers</h1>
      <div className="mt-3 grid max-w-136 gap-3 text-muted">
        <p>
          Programs speak JSON with {origin}/api. They bring a token as{' '}
          <code className="font-mono">Authorization: Bearer …</code>: that of a session, from
          /api/login, or one that you{' '}
          <Link to="/settings/tokens" className="text-ink underline">
            make in your settings
          </Link>
          .
        </p>
        <p>
          All of this is also an{' '}
          <a href="/api/openapi.json" className="text-ink underline">
            OpenAPI 3.1 document
          </a>
          .
        </p>
      </div>
      <pre
        // Focusable, so that keyboard users can scroll it.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above
        tabIndex={0}
        aria-label="An example"
        className="mt-6 overflow-x-auto rounded-2xl bg-sunken px-6 py-5 font-mono text-small"
      >
        {`curl ${origin}/api/session \\\n  -H "Authorization: Bearer $TOKEN"`}
      </pre>
      <Section id="scopes" title="What a token may">
        <dl className="mt-4 grid gap-4">
          {scopes.map(({ scope, what }) => (
            <div key={scope} className="grid gap-0.5">
              <dt className="font-mono text-small">{scope}</dt>
              <dd className="text-muted">{what}</dd>
            </div>
          ))}
        </dl>
        <p className="mt-4 max-w-136 text-muted">
          A token opens no page, makes no other token and changes nothing of how you sign in.
        </p>
      </Section>
      {operations.map((operation) => (
        <ApiOperation key={operation.id} operation={operation} />
      ))}
      <Section id="problems" title="When something is wrong">
        <p className="mt-1 max-w-136 text-muted">
          Errors are problem details (RFC 9457); the end of their type is one of these.
        </p>
        <dl className="mt-4 grid gap-4">
          {problems.map(({ name, status, detail }) => (
            <div key={name} id={name} className="grid gap-0.5">
              <dt className="font-mono text-small">
                {status} {name}
              </dt>
              <dd className="text-muted">{detail}</dd>
            </div>
          ))}
        </dl>
      </Section>
    </div>
  );
}

function Section({
  id,
  title,
  children,
}: {
  id: string;
  title: string;
  children: React.ReactNode;
}) {
  return (
    <section aria-labelledby={`${id}-title`} className="mt-10 border-t border-line pt-8">
      <h2 id={`${id}-title`} className="text-lead font-semibold">
        {title}
      </h2>
      {children}
    </section>
  );
}
