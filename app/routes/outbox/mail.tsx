import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import { notFound } from '#app/http/form.server.ts';
import { requireOutbox } from '#app/mail/outbox-access.server.ts';
import { RelativeTime } from '#app/ui/relative-time.tsx';

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: `${data?.subject ?? 'Not found'} · Outbox · Latchkey` },
  { name: 'robots', content: 'noindex' },
];

export async function loader({ context: { app, visit }, params }: LoaderFunctionArgs) {
  const mailId = params.mailId ?? '';
  const mail = await requireOutbox(app.outbox, visit).read(mailId);
  if (!mail) throw notFound();
  const { subject, to, text, at } = mail;
  return { mailId, subject, to, text, at, now: visit.now.toISOString() };
}

export default function MailOfOutbox() {
  const { mailId, subject, to, text, at, now } = useLoaderData<typeof loader>();
  return (
    <div className="mx-auto w-full max-w-176 px-5 py-12">
      <p className="text-small">
        <a href="/outbox" className="font-medium text-accent underline-offset-4 hover:underline">
          Outbox
        </a>
      </p>
      <h1 className="mt-3 text-title font-semibold">{subject}</h1>
      <p className="mt-2 text-muted">
        To <span className="wrap-anywhere text-ink">{to}</span>, <RelativeTime at={at} now={now} />.
        It was not sent: Latchkey runs on your own machine and knows no mail server (SMTP_URL).
      </p>
      <iframe
        title="The mail"
        src={`/outbox/${mailId}/html`}
        // No scripts and no origin; links open in a new tab.
        sandbox="allow-popups allow-popups-to-escape-sandbox"
        referrerPolicy="no-referrer"
        className="mt-6 h-176 w-full rounded-2xl border border-line"
      />
      <h2 className="mt-10 text-lead font-semibold">As plain text</h2>
      <pre className="mt-3 rounded-2xl bg-sunken p-5 font-mono text-small wrap-anywhere whitespace-pre-wrap">
        {text}
      </pre>
    </div>
  );
}
