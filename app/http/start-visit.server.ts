import { isIP } from 'node:net';
import type { Request, Response } from 'express';
import type { Application, PageContext } from '#app/context.server.ts';
import { requestInfo } from '#app/operations/observe-requests.server.ts';
import { trackResponse } from './outgoing.server.ts';
import type { NonceLocals } from './security-headers.server.ts';

const MAX_USER_AGENT_CHARACTERS = 512;
const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/**
 * What routes get to see of one request. The session is looked up when the first of them asks.
 *
 * @param token the token of a session that it came with, null for none; left out: that of the cookie.
 */
export function startVisit(
  application: Application,
  request: Request,
  response: Response,
  now: Date,
  token = application.sessionCookie.read(request.headers.cookie),
): PageContext {
  const { sessions, places } = application;
  const { log, trace } = requestInfo(response);
  const ipAddress = ipAddressOf(request);
  let resumed: ReturnType<PageContext['session']> | undefined;
  const countsAsActivity = !isInBackground(request);
  const resume = (held: string) =>
    trace.span('look up the session', () => sessions.resume(held, now, { countsAsActivity }));
  return {
    ...application,
    log,
    now,
    token,
    outgoing: trackResponse(response),
    owed: { cookies: [], tries: new Set() },
    nonce: (response.locals as NonceLocals).nonce,
    device: {
      userAgent: (request.get('user-agent') ?? '').slice(0, MAX_USER_AGENT_CHARACTERS),
      ipAddress,
      // Only a sign-in asks for it.
      get country() {
        return places.countryOf(ipAddress);
      },
    },
    session: () =>
      (resumed ??= token ? resume(token) : Promise.resolve({ state: 'unknown' as const })),
  };
}

/** A page that was told of news asks by itself; nobody need be there for it. */
function isInBackground({ method, query }: Request): boolean {
  return method === 'GET' && query.live !== undefined;
}

// A proxy passes on what it was told, and that may be anything; '' is no address.
function ipAddressOf(request: Request): string {
  const address = (request.ip ?? '').replace(IPV4_IN_IPV6, '');
  return isIP(address) === 0 ? '' : address;
}
