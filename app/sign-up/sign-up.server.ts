import { redirect, type TypedResponse } from '@remix-run/node';
import * as z from 'zod';
import type { Activity } from '#app/activity/record-activity.server.ts';
import type { Providers } from '#app/credentials/providers/providers.server.ts';
import type { ConnectedUser } from '#app/database/users.server.ts';
import type { Toast } from '#app/http/toast.server.ts';
import type { Attempts } from '#app/limits/attempts.server.ts';
import type { AttemptPermit, RateLimits } from '#app/limits/rate-limits.server.ts';
import type { Mailer } from '#app/mail/mail.ts';
import type { SignIn } from '#app/sign-in/sign-in.server.ts';
import type { Proof } from '#app/visit/proof.ts';
import type { Visit } from '#app/visit/visit.ts';
import { pendingConnectionSchema, type PendingConnections } from './pending-connection.server.ts';

const typed = { name: z.string(), remember: z.boolean(), redirectTo: z.string().optional() };

/** What was typed at a sign-up, and how its user will sign in: sealed until the code is typed. */
export const signUpPayloadSchema = z.union([
  z.object({ ...typed, passwordHash: z.string() }),
  z.object({
    ...typed,
    connection: pendingConnectionSchema.pick({
      provider: true,
      issuer: true,
      subject: true,
      displayName: true,
    }),
  }),
]);

export type SignUpPayload = z.infer<typeof signUpPayloadSchema>;

interface SignUpOptions {
  limits: Pick<RateLimits, 'takeSignUp'>;
  mailer: Pick<Mailer, 'isOn'>;
  attempts: Pick<Attempts, 'takeMail'>;
  activity: Pick<Activity, 'record'>;
  providers: Pick<Providers, 'find'>;
  signIn: Pick<SignIn, 'signInBrowser'>;
  pendingConnections: Pick<PendingConnections, 'remove'>;
  toast: Pick<Toast, 'show'>;
}

export function createSignUp(options: SignUpOptions) {
  const { limits, mailer, attempts, activity, providers } = options;
  const { signIn, pendingConnections, toast } = options;

  /** Signs the user of a new account in, for the first time. */
  const finish = async (
    visit: Visit,
    account: { userId: string; proof: Proof; remember: boolean; redirectTo?: unknown },
  ): Promise<TypedResponse<never>> => {
    await activity.record(visit, account.userId, { kind: 'signed-up' });
    const { userId, proof, remember, redirectTo } = account;
    const message = 'Welcome. Your account is ready.';
    return signIn.signInBrowser(visit, { userId, proof, remember, redirectTo, message });
  };

  return {
    finish,

    /** Counts one new account, and the mail that it needs. */
    async take(visit: Visit, email: string): Promise<AttemptPermit> {
      const permit = await limits.takeSignUp(visit.device.ipAddress);
      if (!permit.isAllowed || !mailer.isOn) return permit;
      return attempts.takeMail(visit, email);
    },

    /**
     * Signs in the user of an account that was created from a provider's identity. If the identity had
     * an account by then, nothing in this request opens it: its user signs in as usual.
     */
    async finishWithProvider(
      visit: Visit,
      created: Exclude<ConnectedUser, { state: 'email-taken' }>,
      { provider, ...rest }: { provider: string; remember: boolean; redirectTo?: unknown },
    ): Promise<TypedResponse<never>> {
      const name = providers.find(provider)?.name ?? provider;
      pendingConnections.remove(visit);
      if (created.state === 'created') {
        const proof: Proof = { by: 'provider', second: null, provider: name };
        return finish(visit, { userId: created.userId, proof, ...rest });
      }
      toast.show(visit, `Who you are at ${name} has an account here by now. Sign in with ${name}.`);
      return redirect('/login');
    },
  };
}
