import { data, type LoaderFunctionArgs, type MetaFunction } from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { RecoveryCodeSheet } from './recovery-code-sheet.tsx';

export const meta: MetaFunction = () => [
  { title: 'Your recovery codes · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const PAGE = '/settings/two-factor';

/** They are not to be had a second time: what the page has shown it keeps, until it is left. */
export const shouldRevalidate = () => false;

/** Shows new codes, once: neither a reload nor a copy of the cookie brings them back. */
export async function loader(args: LoaderFunctionArgs) {
  const { context, request } = args;
  const signedIn = await requireSignedIn(args);
  const codes = await context.cookies.newRecoveryCodes.take(context, request, signedIn);
  const { email } = signedIn.user;
  const madeOn = context.now.toISOString().slice(0, 10);
  const headers = { 'Set-Cookie': context.cookies.newRecoveryCodes.clear() };
  return data({ codes, email, madeOn }, codes ? { headers } : undefined);
}

export default function RecoveryCodes() {
  const { codes, email, madeOn } = useLoaderData<typeof loader>();
  if (!codes) {
    return (
      <>
        <SettingsHeading
          title="Your recovery codes"
          lead="They are shown once, right after they were made, and that has been. If you did not save them, make new ones."
        />
        <div className="flex flex-wrap gap-3">
          <ButtonLink to={`${PAGE}/new-codes`}>Make new codes…</ButtonLink>
          <ButtonLink look="quiet" to={PAGE}>
            Back
          </ButtonLink>
        </div>
      </>
    );
  }
  return (
    <>
      <SettingsHeading
        title="Save your recovery codes"
        lead="When your app is out of reach, each of these signs you in once. Keep them where you keep what is dear to you. They are not shown again."
      />
      <RecoveryCodeSheet codes={codes} email={email} madeOn={madeOn} doneTo={PAGE} />
    </>
  );
}
