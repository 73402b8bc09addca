import type { LoaderFunctionArgs } from '@remix-run/node';
import { notFound } from '#app/http/form.server.ts';
import { MAIL_POLICY, requireOutbox } from '#app/mail/outbox-access.server.ts';

/** Returns the HTML of a mail, for the frame on its page. */
export async function loader({ context: { app, visit }, params }: LoaderFunctionArgs) {
  const mail = await requireOutbox(app.outbox, visit).read(params.mailId ?? '');
  if (!mail) throw notFound();
  return new Response(mail.html, {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      // Set here too, because the middleware matches the URL by its spelling.
      'Content-Security-Policy': MAIL_POLICY,
    },
  });
}
