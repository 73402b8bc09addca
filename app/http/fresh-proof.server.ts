import { redirect } from '@remix-run/node';
import type { Sessions } from '#app/sessions/index.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import { requireSignedIn, type SignedIn, type Visit } from '#app/visit/visit.ts';
import { pagePath, safeReturnPath } from './return-path.server.ts';
import type { SavedForms } from './saved-forms.server.ts';

interface FreshProofOptions {
  sessions: Pick<Sessions<SessionMeta, User>, 'isFresh'>;
  savedForms: Pick<SavedForms, 'save' | 'remove'>;
  origin: string;
}

export type FreshProof = ReturnType<typeof createFreshProof>;

export function createFreshProof({ sessions, savedForms, origin }: FreshProofOptions) {
  return {
    /**
     * Returns the signed-in user if they proved who they are within the last quarter of an hour.
     * Otherwise redirects to the page that asks for proof; from there the user returns to the page, or
     * to the form with all that was typed. The guard calls it for the routes that `routes.ts` marks.
     *
     * @throws {Response} 302 to /confirm.
     * @throws {StoreUnavailableError} if the store is down; answered with 503.
     */
    async require(visit: Visit, request: Request): Promise<SignedIn> {
      const signedIn = await requireSignedIn(visit);
      const { session } = signedIn;
      if (sessions.isFresh(session, visit.now)) return signedIn;
      const redirectTo = safeReturnPath(pagePath(request, origin));
      if (request.method === 'POST') await savedForms.save(visit, request, session.id);
      else savedForms.remove(visit);
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
      throw redirect(`/confirm?${new URLSearchParams({ redirectTo })}`);
    },
  };
}
