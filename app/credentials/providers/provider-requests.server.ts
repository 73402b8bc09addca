import { randomBytes } from 'node:crypto';
import { redirect, type TypedResponse } from '@remix-run/node';
import * as z from 'zod';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import { localPath, safeReturnPath } from '#app/http/return-path.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import { SECOND_MS } from '#app/sessions/time.ts';
import type { SignedIn, Visit } from '#app/visit/visit.ts';
import { logProviderProblem, problemPath } from './provider-problems.server.ts';
import type { Provider, ProviderRequest } from './provider.ts';

const MAX_AGE_SECONDS = 600;
const SECRET_BYTES = 32;

const requestSchema = z.object({
  /** A request for one purpose does not serve another. */
  purpose: z.enum(['sign-in', 'link', 'confirm']),
  /** Id of the provider. */
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  /** The user and session that started it; `null` for a sign-in, which has none. */
  begunBy: z.object({ userId: z.string(), sessionId: z.string() }).nullable(),
  remember: z.boolean(),
  /** Signs out every other device once the account is connected. */
  signOutOthers: z.boolean(),
  redirectTo: z.string(),
  /** In milliseconds since 1970. */
  begunAt: z.number(),
});

/** A request to a provider from which this browser has not returned yet. */
export type PendingProviderRequest = z.infer<typeof requestSchema>;

type RequestDetails = Pick<PendingProviderRequest, 'purpose'> & {
  signedIn: SignedIn | null;
  remember?: boolean;
  signOutOthers?: boolean;
  redirectTo?: unknown;
};

interface ProviderRequestsOptions {
  sealedCookie: SealedCookieFactory;
  replayGuard: Pick<ReplayGuard, 'claim'>;
  origin: string;
}

/**
 * Requests to identity providers, each in a sealed cookie. It binds the provider's answer to the
 * browser, the purpose, the provider and the session: a callback with another user's code does nothing.
 */
export function createProviderRequests(options: ProviderRequestsOptions) {
  const { sealedCookie, replayGuard, origin } = options;
  const cookie = sealedCookie<PendingProviderRequest>({
    name: 'provider-visit',
    schema: requestSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

  /** Returns what the provider gets to see of a request. */
  const toProviderRequest = (begun: PendingProviderRequest): ProviderRequest => {
    const { provider, state, nonce, codeVerifier, purpose } = begun;
    return {
      redirectUri: `${origin}/login/provider/${provider}/callback`,
      state,
      nonce,
      codeVerifier,
      again: purpose === 'confirm',
    };
  };

  return {
    toProviderRequest,

    /**
     * Returns a redirect to the page that leads to the provider; back to where the user was, with a
     * message, if the provider cannot be reached.
     */
    async begin(
      visit: Visit,
      provider: Provider,
      { purpose, signedIn, remember = false, signOutOthers = false, redirectTo }: RequestDetails,
    ): Promise<TypedResponse<never>> {
      const begun: PendingProviderRequest = {
        purpose,
        provider: provider.id,
        state: newSecret(),
        nonce: newSecret(),
        codeVerifier: newSecret(),
        begunBy: signedIn && { userId: signedIn.user.id, sessionId: signedIn.session.id },
        remember,
        signOutOthers,
        // A proof may be asked for on any of our paths, not only on pages.
        redirectTo:
          purpose === 'sign-in' ? safeReturnPath(redirectTo) : (localPath(redirectTo) ?? '/'),
        begunAt: visit.now.getTime(),
      };
      const prepared = await provider.prepare(toProviderRequest(begun));
      if (prepared.state === 'unavailable') {
        logProviderProblem(visit, provider.id, prepared);
        return redirect(problemPath(begun, 'unavailable'));
      }
      cookie.write(visit, begun);
      return redirect(`/login/provider/${provider.id}`);
    },

    /** Returns this browser's request to the provider; `null` if there is none, or it is too old. */
    find(visit: Visit, provider: Provider): PendingProviderRequest | null {
      const begun = cookie.read(visit);
      return begun?.provider === provider.id ? begun : null;
    },

    /** True for the first caller that returns with this request. */
    use({ state, begunAt }: PendingProviderRequest): Promise<boolean> {
      const expiresAt = new Date(begunAt + MAX_AGE_SECONDS * SECOND_MS);
      return replayGuard.claim(`provider visit ${state}`, expiresAt);
    },

    remove: (visit: Visit) => cookie.remove(visit),
  };
}

const newSecret = () => randomBytes(SECRET_BYTES).toString('base64url');
