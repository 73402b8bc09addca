import type { RequestHandler } from 'express';
import type { Visit } from '#app/visit/visit.ts';
import type { Outbox } from './outbox.server.ts';

/**
 * The policy under which a mail is shown: it runs nothing, loads nothing and sends nothing, stands in
 * a page of ours at the most, and counts as being of no origin. Its links open in a new tab.
 */
export const MAIL_POLICY = [
  "default-src 'none'",
  // Styles of mails stand in their elements.
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ');

const MAIL_AS_HTML = /^\/[^/]+\/html$/i;
const THIS_MACHINE = /^(127\.\d+\.\d+\.\d+|::1)$/;

/**
 * The outbox, for whoever sits at this very machine: it holds codes that open accounts.
 *
 * @throws {Response} 404 where there is none, and for everybody else.
 */
export function requireOutbox(outbox: Outbox | null, { device }: Pick<Visit, 'device'>): Outbox {
  if (!outbox || !THIS_MACHINE.test(device.ipAddress)) throw new Response(null, { status: 404 });
  return outbox;
}

/** For the addresses below /outbox, after the headers of all: a mail stands in a frame there. */
export const outboxHeaders: RequestHandler = (request, response, next) => {
  if (MAIL_AS_HTML.test(request.path)) {
    response.set('Content-Security-Policy', MAIL_POLICY);
    response.set('X-Frame-Options', 'SAMEORIGIN');
    // It speaks of an origin, and the mail has none.
    response.removeHeader('Origin-Agent-Cluster');
  } else {
    const policy = String(response.get('Content-Security-Policy'));
    response.set('Content-Security-Policy', `${policy};frame-src 'self'`);
  }
  next();
};
