import { redirect, type ActionFunctionArgs, type MetaFunction } from '@remix-run/node';
import { Form, useNavigation, useRouteLoaderData } from '@remix-run/react';
import * as z from 'zod';
import { revokeTokens } from '#app/tokens/access-tokens.server.ts';
import { parseForm } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { signOutOthers } from '#app/devices/devices.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';

export const meta: MetaFunction = () => [
  { title: 'Sign out everywhere else · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const SESSIONS_PAGE = '/settings/sessions';
const formSchema = z.object({ revokeTokens: z.literal('on').optional() });

export async function loader() {
  return null;
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const { user, session } = await requireSignedIn(args);
  const form = await parseForm(request, formSchema);
  const hasTokensRevoked = form.ok && form.value.revokeTokens === 'on';
  const reason = 'signed-out-elsewhere';
  const count = await signOutOthers(context, user.id, session.id, reason);
  const tokens = hasTokensRevoked ? await revokeTokens(context, user.id, session.id, reason) : null;
  const toast = { kind: 'others-ended', count, tokens } as const;
  return redirect(SESSIONS_PAGE, {
    headers: { 'Set-Cookie': writeToast(toast, context.origin) },
  });
}

/** What the sessions page, on which this question stands, knows already. */
interface SessionsPageData {
  otherCount: number;
  tokens: unknown[];
  next: string | null;
}

export default function SignOutOthers() {
  const page = useRouteLoaderData<SessionsPageData>('routes/settings/sessions/page');
  const isPending = useNavigation().formMethod === 'POST';
  const devices = countText(page);
  return (
    <Dialog title={`Sign out ${devices}?`} backTo={SESSIONS_PAGE}>
      <p className="text-muted">
        Every device but this one is signed out at once. Whoever uses it has to sign in again.
      </p>
      <Form method="post" preventScrollReset className="grid gap-5">
        {page?.tokens.length !== 0 && (
          <Checkbox
            name="revokeTokens"
            label="Revoke access tokens too"
            help="If somebody else may have been in your account: they could have made one."
            reply={null}
          />
        )}
        <div className="flex flex-wrap justify-end gap-3">
          <ButtonLink to={SESSIONS_PAGE} preventScrollReset look="quiet">
            Keep them
          </ButtonLink>
          <Button look="danger" pending={isPending} pendingText="Signing out…">
            {page?.otherCount === 1 ? 'Sign it out' : 'Sign them all out'}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function countText(page: SessionsPageData | undefined): string {
  if (!page) return 'everywhere else';
  if (page.next) return `more than ${page.otherCount} other devices`;
  if (page.otherCount === 0) return 'everywhere else';
  return page.otherCount === 1 ? '1 other device' : `${page.otherCount} other devices`;
}
