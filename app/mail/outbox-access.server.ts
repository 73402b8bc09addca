import type { RequestHandler } from 'express';
import type { Visit } from '#app/visit/visit.ts';
import type { Outbox } from './outbox.server.ts';

/**
 * The Content-Security-Policy of a displayed mail: it runs no scripts, loads nothing and submits no
 * forms, can be framed only by pages of this application, and has an opaque origin. Its links open in a
 * new tab.
 */
export const MAIL_POLICY = [
  "default-src 'none'",
  // Mails have inline styles.
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ');

const MAIL_AS_HTML = /^\/[^/]+\/html$/i;
const THIS_MACHINE = /^(127\.\d+\.\d+\.\d+|::1)$/;

/**
 * Returns the outbox for a request from this machine. Other clients must not see it, because it contains
 * codes that give access to accounts.
 *
 * @throws {Response} 404 if there is no outbox, or the request comes from another machine.
 */
export function requireOutbox(outbox: Outbox | null, { device }: Pick<Visit, 'device'>): Outbox {
  if (!outbox || !THIS_MACHINE.test(device.ipAddress)) throw new Response(null, { status: 404 });
  return outbox;
}

/** Sets the headers of paths below /outbox, where a page shows a mail in a frame. Use it after helmet. */
export const outboxHeaders: RequestHandler = (request, response, next) => {
  if (MAIL_AS_HTML.test(request.path)) {
    response.set('Content-Security-Policy', MAIL_POLICY);
    response.set('X-Frame-Options', 'SAMEORIGIN');
    // This header is about an origin, and the sandboxed mail has none.
    response.removeHeader('Origin-Agent-Cluster');
  } else {
    const policy = String(response.get('Content-Security-Policy'));
    response.set('Content-Security-Policy', `${policy};frame-src 'self'`);
  }
  next();
};
