import type { LoaderFunctionArgs } from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import { requireOutbox } from '#app/mail/outbox-access.server.ts';
import { Notice } from '#app/ui/page.tsx';
import { RelativeTime } from '#app/ui/relative-time.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Outbox', { index: false });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const mails = await requireOutbox(app.outbox, visit).list();
  return { mails, now: visit.now.toISOString() };
}

export default function OutboxList() {
  const { mails, now } = useLoaderData<typeof loader>();
  return (
    <div className="mx-auto w-full max-w-176 px-5 py-12">
      <h1 className="text-title font-semibold">Outbox</h1>
      <div className="mt-6">
        <Notice>
          Latchkey runs on your own machine and knows no mail server (SMTP_URL), so what it would
          have mailed is kept here, for you to try everything. Elsewhere there is no such page.
        </Notice>
      </div>
      {mails.length === 0 ? (
        <p className="mt-8 text-muted">Nothing was mailed yet.</p>
      ) : (
        <ul className="mt-8 divide-y divide-line border-y border-line">
          {mails.map(({ mailId, subject, to, at }) => (
            <li key={mailId}>
              {/* A plain link, because only a document of its own has the headers that allow a frame. */}
              <a
                href={`/outbox/${mailId}`}
                className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1 rounded-lg px-2 py-4 hover:bg-sunken"
              >
                <span className="min-w-0 flex-1 basis-64">
                  <span className="block font-medium wrap-anywhere">{subject}</span>
                  <span className="block text-small wrap-anywhere text-muted">{to}</span>
                </span>
                <span className="text-small text-muted">
                  <RelativeTime at={at} now={now} />
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
