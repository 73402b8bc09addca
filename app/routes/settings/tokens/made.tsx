import type { LoaderFunctionArgs } from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import { ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { SecretText } from './secret-text.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Your new access token', { index: false });

const TOKENS_PAGE = '/settings/tokens';

/** The token cannot be loaded a second time, so the page keeps its data until the user leaves it. */
export const shouldRevalidate = () => false;

/** Returns a new token once: neither a reload nor a copy of the cookie shows it again. */
export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  return { newToken: await app.newTokens.take(visit, signedIn) };
}

export default function TokenMade() {
  const { newToken } = useLoaderData<typeof loader>();
  if (!newToken) {
    return (
      <>
        <SettingsHeading
          title="Your new access token"
          lead="It is shown once, right after it was made, and that has been. If you did not take it along, revoke it and make another."
        />
        <ButtonLink to={TOKENS_PAGE}>Your access tokens</ButtonLink>
      </>
    );
  }
  return (
    <>
      <SettingsHeading
        title="Take your token along"
        lead={`This is ${newToken.name}. Put it where your program finds it, and nowhere else: it is not shown again.`}
      />
      <div className="grid max-w-136 gap-8">
        <SecretText label="Access token" text={newToken.token} />
        <div>
          <ButtonLink to={TOKENS_PAGE}>Done</ButtonLink>
        </div>
      </div>
    </>
  );
}
