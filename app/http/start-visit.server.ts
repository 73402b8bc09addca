import { isIP } from 'node:net';
import type { Request, Response } from 'express';
import type { Places } from '#app/network/places.server.ts';
import { requestInfo } from '#app/operations/observe-requests.server.ts';
import type { Sessions } from '#app/sessions/index.ts';
import { createCookieJar } from '#app/visit/cookie-jar.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { SessionCookie } from './session-cookie.server.ts';

const MAX_USER_AGENT_CHARACTERS = 512;
const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

interface StartVisitOptions {
  sessions: Pick<Sessions<SessionMeta, User>, 'resume'>;
  sessionCookie: Pick<SessionCookie, 'read'>;
  places: Pick<Places, 'countryOf'>;
}

/**
 * Starts the visit of one request. The session is looked up when a feature first asks for it.
 *
 * @param token the session token that the request carries, `null` for none. Left out: the cookie's.
 */
export type StartVisit = (
  request: Request,
  response: Response,
  now: Date,
  token?: string | null,
) => Visit;

export function createStartVisit(options: StartVisitOptions): StartVisit {
  const { sessions, sessionCookie, places } = options;
  return (request, response, now, token = sessionCookie.read(request.headers.cookie)) => {
    const { log, trace } = requestInfo(response);
    const ipAddress = ipAddressOf(request);
    const countsAsActivity = !isInBackground(request);
    let resumed: ReturnType<Visit['session']> | undefined;
    const resume = (held: string) =>
      trace.span('look up the session', () => sessions.resume(held, now, { countsAsActivity }));
    const visit: Visit = {
      now,
      token,
      log,
      cookieHeader: request.headers.cookie ?? null,
      jar: createCookieJar(),
      openAttempts: new Set(),
      device: {
        userAgent: (request.get('user-agent') ?? '').slice(0, MAX_USER_AGENT_CHARACTERS),
        ipAddress,
        // Looked up when it is first read: most requests do not.
        get country() {
          return places.countryOf(ipAddress);
        },
      },
      session: () =>
        (resumed ??= token ? resume(token) : Promise.resolve({ state: 'unknown' as const })),
    };
    sendJarWithHead(visit, response);
    return visit;
  };
}

/** Writes the jar once, with the head of the response, of any kind. */
function sendJarWithHead({ jar }: Visit, response: Response): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => Response;
  response.writeHead = (...args: unknown[]) => {
    const status = typeof args[0] === 'number' ? args[0] : response.statusCode;
    for (const cookie of jar.cookiesFor(status)) response.append('Set-Cookie', cookie);
    if (jar.clearsCache()) response.setHeader('Clear-Site-Data', '"cache"');
    return writeHead(...args);
  };
}

/** True for a page that reloads itself after an event: its user may be away. */
function isInBackground({ method, query }: Request): boolean {
  return method === 'GET' && query.live !== undefined;
}

// Returns `''` if it is not an address: a proxy may pass on any text.
function ipAddressOf(request: Request): string {
  const address = (request.ip ?? '').replace(IPV4_IN_IPV6, '');
  return isIP(address) === 0 ? '' : address;
}
