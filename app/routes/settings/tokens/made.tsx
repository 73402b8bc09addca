import { data, type LoaderFunctionArgs, type MetaFunction } from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { SecretText } from './secret-text.tsx';

export const meta: MetaFunction = () => [
  { title: 'Your new access token · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const TOKENS_PAGE = '/settings/tokens';

/** It is not to be had a second time: what the page has shown it keeps, until it is left. */
export const shouldRevalidate = () => false;

/** Shows a new token, once: neither a reload nor a copy of the cookie brings it back. */
export async function loader(args: LoaderFunctionArgs) {
  const { context, request } = args;
  const signedIn = await requireSignedIn(args);
  const { newToken } = context.cookies;
  const made = await newToken.take(context, request, signedIn);
  return data({ made }, made ? { headers: { 'Set-Cookie': newToken.clear() } } : undefined);
}

export default function TokenMade() {
  const { made } = useLoaderData<typeof loader>();
  if (!made) {
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
        lead={`This is ${made.name}. Put it where your program finds it, and nowhere else: it is not shown again.`}
      />
      <div className="grid max-w-136 gap-8">
        <SecretText label="Access token" text={made.token} />
        <div>
          <ButtonLink to={TOKENS_PAGE}>Done</ButtonLink>
        </div>
      </div>
    </>
  );
}
