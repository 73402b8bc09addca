import { redirect, type TypedResponse } from '@remix-run/node';
import type { Activity } from '#app/activity/record-activity.server.ts';
import type { Passwords } from '#app/credentials/password/passwords.server.ts';
import type { Connections } from '#app/credentials/providers/connections.server.ts';
import type { Identity } from '#app/credentials/providers/provider.ts';
import type { Providers } from '#app/credentials/providers/providers.server.ts';
import type { SecondFactorCode } from '#app/credentials/second-factor-schema.ts';
import type { Totp } from '#app/credentials/totp/totp.server.ts';
import { loginPath, safeReturnPath } from '#app/http/return-path.server.ts';
import type { SavedForms } from '#app/http/saved-forms.server.ts';
import type { Attempts } from '#app/limits/attempts.server.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { BrowserSession } from './browser-session.server.ts';
import type { CredentialChecks } from './check-credentials.server.ts';

/** Has the browser send the same form again, as a POST (RFC 9110 §15.4.8). */
const TEMPORARY_REDIRECT = 307;
/** The clocks of two machines differ a little. */
const CLOCK_TOLERANCE_MS = 30_000;

interface Factors {
  hasPassword: boolean;
  hasTotp: boolean;
}

type FactorsCheckResult =
  | { state: 'right' }
  /** The account has no password and no authenticator app: a passkey or a provider must do. */
  | { state: 'nothing-to-type' }
  | { state: 'wrong'; field: 'password' | 'secondFactor'; text: string }
  | { state: 'later'; retryAfterSeconds: number };

interface NamedProvider {
  id: string;
  name: string;
}

interface ConfirmIdentityOptions {
  passwords: Pick<Passwords, 'isSet' | 'confirm'>;
  totp: Pick<Totp, 'isOn'>;
  connections: Pick<Connections, 'list' | 'countSignInMethods'>;
  providers: Pick<Providers, 'list' | 'find'>;
  attempts: Pick<Attempts, 'take'>;
  activity: Pick<Activity, 'record'>;
  credentialChecks: Pick<CredentialChecks, 'secondFactor'>;
  browserSession: Pick<BrowserSession, 'renew'>;
  savedForms: Pick<SavedForms, 'find'>;
  origin: string;
}

export type ConfirmIdentity = ReturnType<typeof createConfirmIdentity>;

/** Re-authentication of a user who is signed in. */
export function createConfirmIdentity(options: ConfirmIdentityOptions) {
  const { passwords, totp, connections, providers, attempts, activity } = options;
  const { credentialChecks, browserSession, savedForms, origin } = options;

  /** Returns what this user can type to prove who they are. */
  const factors = async (userId: string): Promise<Factors> => {
    const [hasPassword, hasTotp] = await Promise.all([passwords.isSet(userId), totp.isOn(userId)]);
    return { hasPassword, hasTotp };
  };

  const hasOnlyConnections = async (userId: string): Promise<boolean> => {
    const { password, passkeys } = await connections.countSignInMethods(userId);
    return !password && passkeys === 0;
  };

  return {
    factors,

    /** Checks what a signed-in user typed: all factors that the account has. */
    async withFactors(
      visit: Visit,
      user: Pick<User, 'id' | 'email'>,
      { password, secondFactor }: { password: string; secondFactor: SecondFactorCode },
    ): Promise<FactorsCheckResult> {
      const { hasPassword, hasTotp } = await factors(user.id);
      if (!hasPassword && !hasTotp) return { state: 'nothing-to-type' };
      // An empty password costs no attempt, and is not worth a line in the activity log.
      if (hasPassword && password === '') {
        return { state: 'wrong', field: 'password', text: 'Enter your password.' };
      }
      if (hasPassword) {
        const permit = await attempts.take(visit, 'password', { email: user.email });
        if (!permit.isAllowed) {
          return { state: 'later', retryAfterSeconds: permit.retryAfterSeconds };
        }
        if (!(await passwords.confirm(user.id, password))) {
          await activity.record(visit, user.id, { kind: 'sign-in-failed', what: 'password' });
          return { state: 'wrong', field: 'password', text: 'This is not your password.' };
        }
        await permit.refund();
      }
      if (!hasTotp) return { state: 'right' };
      const checked = await credentialChecks.secondFactor(visit, user.id, secondFactor);
      if (checked.state === 'wrong') return { ...checked, field: 'secondFactor' };
      return checked.state === 'later' ? checked : { state: 'right' };
    },

    /**
     * Returns the providers with which this user may prove who they are. A user with a second factor
     * uses that instead. A provider that cannot be told to ask again (GitHub) proves only that its own
     * session is still open in this browser, so it is offered only to users who have nothing else.
     */
    async providers(userId: string): Promise<NamedProvider[]> {
      if (await totp.isOn(userId)) return [];
      const connected = new Set((await connections.list(userId)).map(({ provider }) => provider));
      const usable = providers.list().filter(({ id }) => connected.has(id));
      const asksAgain = usable.filter(({ id }) => providers.find(id)?.canAskAgain);
      if (asksAgain.length > 0) return asksAgain;
      return (await hasOnlyConnections(userId)) ? usable : [];
    },

    /**
     * True if the provider asked the user again after they had left for it. A provider that does not
     * say when it asked (OpenID Connect Core §3.1.2.1 requires it, and some do not) is believed only if
     * the user has no other way.
     */
    async hasReauthenticated(
      userId: string,
      { authenticatedAt }: Pick<Identity, 'authenticatedAt'>,
      { begunAt }: { begunAt: number },
    ): Promise<boolean> {
      if (authenticatedAt === null) return hasOnlyConnections(userId);
      return authenticatedAt.getTime() >= begunAt - CLOCK_TOLERANCE_MS;
    },

    /**
     * Continues after a fresh proof: renews the token (ASVS 5.0, 7.2.4), and redirects to the saved form
     * or else to the page; to /login if the session ended meanwhile.
     */
    async continueAfterReauthentication(
      visit: Visit,
      request: Request,
      redirectTo: unknown,
    ): Promise<TypedResponse<never>> {
      const held = await visit.session();
      const isRenewed = await browserSession.renew(visit, { isProven: true });
      if (!isRenewed || held.state !== 'live') return redirect(loginPath(request, origin));
      const saved = savedForms.find(visit, held.session.id);
      return saved
        ? redirect(saved.path, { status: TEMPORARY_REDIRECT })
        : redirect(safeReturnPath(redirectTo));
    },
  };
}
