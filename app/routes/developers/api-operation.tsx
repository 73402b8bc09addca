/** An operation of the API, as the page shows it. */
interface ShownOperation {
  id: string;
  method: string;
  path: string;
  summary: string;
  more: string | null;
  who: string;
  takes: { name: string; where: string; isRequired: boolean; what: string }[];
  answers: { status: string; what: string }[];
}

/** Shows an operation: its address, who may call it, its fields and its responses. */
export function ApiOperation({ operation }: { operation: ShownOperation }) {
  const { id, method, path, summary, more, who, takes, answers } = operation;
  return (
    <section aria-labelledby={id} className="mt-10 border-t border-line pt-8">
      <h2 id={id} className="text-lead font-semibold">
        {summary}
      </h2>
      <p className="mt-2 font-mono text-small break-all">
        <span className="font-semibold text-accent-strong">{method}</span> {path}
      </p>
      <p className="mt-2 max-w-136 text-muted">
        {who} {more}
      </p>
      {takes.length > 0 && (
        <dl className="mt-4 grid gap-x-6 gap-y-1.5 sm:grid-cols-[10rem_1fr]">
          {takes.map(({ name, where, isRequired, what }) => (
            <Row key={name} term={name}>
              {what} {isRequired ? '' : 'Optional. '}In the {where}.
            </Row>
          ))}
        </dl>
      )}
      <details className="group mt-3">
        <summary className="-mx-2 inline-flex min-h-11 list-none items-center gap-2 rounded-xl px-2 text-muted hover:text-ink">
          <span className="underline">Answers</span>
        </summary>
        <dl className="mt-1 grid gap-x-6 gap-y-1.5 text-small sm:grid-cols-[4rem_1fr]">
          {answers.map(({ status, what }) => (
            <Row key={status} term={status}>
              {what}
            </Row>
          ))}
        </dl>
      </details>
    </section>
  );
}

function Row({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <>
      <dt className="font-mono text-small">{term}</dt>
      <dd className="mb-2 text-muted sm:mb-0">{children}</dd>
    </>
  );
}
