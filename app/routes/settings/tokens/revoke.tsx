import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useLoaderData, useNavigation } from '@remix-run/react';
import { tokenName } from '#app/tokens/token-view.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { orNotFound } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Revoke an access token', { index: false });

const TOKENS_PAGE = '/settings/tokens';

export async function loader({ params, context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const token = orNotFound(await app.accessTokens.find(user.id, params.tokenId));
  return { name: tokenName(token) };
}

export async function action({ params, context: { app, visit } }: ActionFunctionArgs) {
  const { user, session } = await requireSignedIn(visit);
  const token = orNotFound(await app.accessTokens.find(user.id, params.tokenId));
  await app.accessTokens.revoke(visit, token, session.id);
  app.toast.show(visit, `${tokenName(token)} is revoked.`);
  return redirect(TOKENS_PAGE);
}

export default function RevokeToken() {
  const { name } = useLoaderData<typeof loader>();
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title={`Revoke ${name}?`} backTo={TOKENS_PAGE}>
      <p className="text-muted">
        It stops working at once, for every program that uses it, and cannot be brought back.
      </p>
      <Form method="post" preventScrollReset className="flex flex-wrap justify-end gap-3">
        <ButtonLink to={TOKENS_PAGE} preventScrollReset look="quiet">
          Keep it
        </ButtonLink>
        <Button look="danger" pending={isPending} pendingText="Revoking it…">
          Revoke
        </Button>
      </Form>
    </Dialog>
  );
}
