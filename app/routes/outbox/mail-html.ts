import type { LoaderFunctionArgs } from '@remix-run/node';
import { MAIL_POLICY, requireOutbox } from '#app/mail/outbox-access.server.ts';

/** The mail itself, for the frame on its page. */
export async function loader({ context, params }: LoaderFunctionArgs) {
  const mail = await requireOutbox(context).read(params.mailId ?? '');
  if (!mail) throw new Response(null, { status: 404 });
  return new Response(mail.html, {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      // However the address was spelled: never without.
      'Content-Security-Policy': MAIL_POLICY,
    },
  });
}
