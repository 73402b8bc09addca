import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { Form, useNavigation, useRouteLoaderData } from '@remix-run/react';
import * as z from 'zod';
import { parseForm } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { othersText } from '#app/http/toast.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Sign out everywhere else', { index: false });

const SESSIONS_PAGE = '/settings/sessions';
const formSchema = z.object({ revokeTokens: z.literal('on').optional() });

export async function loader() {
  return null;
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const { user, session } = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  const isRevokingTokens = form.ok && form.value.revokeTokens === 'on';
  const reason = 'signed-out-elsewhere';
  const count = await app.devices.signOutOthers(visit, user.id, session.id, reason);
  const texts = [othersText(count)];
  if (isRevokingTokens) {
    texts.push(tokensText(await app.accessTokens.revokeAll(visit, user.id, session.id, reason)));
  }
  app.toast.show(visit, texts.join(' '));
  return redirect(SESSIONS_PAGE);
}

function tokensText(count: number): string {
  if (count === 0) return 'There was no access token.';
  return count === 1 ? '1 access token is revoked.' : `${count} access tokens are revoked.`;
}

/** The part of the sessions page's data that this dialog, which opens on it, shows. */
interface SessionsPageData {
  otherCount: number;
  tokens: unknown[];
  next: string | null;
}

export default function SignOutOthers() {
  const page = useRouteLoaderData<SessionsPageData>('routes/settings/sessions/page');
  const isPending = useNavigation().formMethod === 'POST';
  const devices = devicesText(page);
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

function devicesText(page: SessionsPageData | undefined): string {
  if (!page) return 'everywhere else';
  if (page.next) return `more than ${page.otherCount} other devices`;
  if (page.otherCount === 0) return 'everywhere else';
  return page.otherCount === 1 ? '1 other device' : `${page.otherCount} other devices`;
}
