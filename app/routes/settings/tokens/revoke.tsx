import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useLoaderData, useNavigation } from '@remix-run/react';
import { findOwnToken, tokenName } from '#app/tokens/token-view.server.ts';
import { revokeToken } from '#app/tokens/access-tokens.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Dialog } from '#app/ui/question.tsx';

export const meta: MetaFunction = () => [
  { title: 'Revoke an access token · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const TOKENS_PAGE = '/settings/tokens';

export async function loader(args: LoaderFunctionArgs) {
  const { context, params } = args;
  const { user } = await requireSignedIn(args);
  return { name: tokenName(await findOwnToken(context, user.id, params.tokenId)) };
}

export async function action(args: ActionFunctionArgs) {
  const { context, params } = args;
  const { user, session } = await requireSignedIn(args);
  const token = await findOwnToken(context, user.id, params.tokenId);
  const name = tokenName(token);
  await revokeToken(context, { ...token, name }, session.id);
  return redirect(TOKENS_PAGE, {
    headers: { 'Set-Cookie': writeToast({ kind: 'token-revoked', token: name }, context.origin) },
  });
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
