import { randomBytes } from 'node:crypto';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

const NONCE_BYTES = 16;
const TWO_YEARS_SECONDS = 63_072_000;

/** Passes the nonce of this response's Content-Security-Policy to the page. */
export interface NonceLocals {
  nonce: string;
}

/**
 * Sets the headers of every response: a Content-Security-Policy without inline code, HSTS over HTTPS, no
 * framing, and no referrer in requests to other sites.
 */
export function securityHeaders(origin: string, { isDevelopment = false } = {}): RequestHandler[] {
  const secure = origin.startsWith('https:');
  const nonceOf = (_request: unknown, response: unknown) =>
    `'nonce-${(response as { locals: NonceLocals }).locals.nonce}'`;

  const policy = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        baseUri: ["'none'"],
        // Vite's hot reload uses a WebSocket and inserts inline styles.
        connectSrc: isDevelopment ? ["'self'", 'ws:'] : ["'self'"],
        styleSrc: isDevelopment ? ["'self'", "'unsafe-inline'"] : ["'self'"],
        fontSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'"],
        manifestSrc: ["'self'"],
        scriptSrc: ["'self'", nonceOf],
        workerSrc: ["'self'"],
        ...(secure ? { upgradeInsecureRequests: [] } : {}),
      },
    },
    strictTransportSecurity: secure
      ? { maxAge: TWO_YEARS_SECONDS, includeSubDomains: true, preload: true }
      : false,
    // Not "no-referrer": with that, browsers send `Origin: null` with our own forms.
    referrerPolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: false,
    xFrameOptions: { action: 'deny' },
  });

  return [
    (_request, response, next) => {
      response.locals.nonce = randomBytes(NONCE_BYTES).toString('base64');
      response.set(
        'Permissions-Policy',
        'camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()',
      );
      next();
    },
    policy,
  ];
}
