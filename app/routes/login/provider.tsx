import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import { parseForm } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/visit/visit.ts';
import {
  logProviderProblem,
  problemPath,
} from '#app/credentials/providers/provider-problems.server.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';
import { FormPage } from '#app/ui/page.tsx';

/**
 * The page between us and a provider. It is a page, and not a redirect, because a form submission
 * leads here: Chromium checks every redirect after one against `form-action` of the form's page (CSP3
 * §6.4.2, "pre-navigation check"), which is 'self'. To allow providers there, every page would have to
 * know the origin of each provider's sign-in page, which is not the issuer's and is unknown while the
 * provider is down. A navigation that this page starts by itself is no form submission.
 */
export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: 'One moment · Latchkey' },
  { name: 'robots', content: 'noindex' },
  ...(data ? [{ httpEquiv: 'refresh', content: `0;url=${data.url}` }] : []),
];

const formSchema = z.object({
  remember: z.literal('on').optional(),
  redirectTo: z.string().optional(),
});

export async function loader({ context: { app, visit }, params }: LoaderFunctionArgs) {
  const provider = app.providers.find(params.provider);
  if (!provider) return redirect('/login');
  const begun = app.providerRequests.find(visit, provider);
  if (!begun) {
    const unknown = { purpose: 'sign-in', redirectTo: '/', provider: provider.id } as const;
    return redirect(problemPath(unknown, 'not-begun'));
  }
  const prepared = await provider.prepare(app.providerRequests.toProviderRequest(begun));
  if (prepared.state === 'unavailable') {
    logProviderProblem(visit, provider.id, prepared);
    return redirect(problemPath(begun, 'unavailable'));
  }
  return { name: provider.name, url: prepared.url };
}

export async function action({ context: { app, visit }, params, request }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  const wanted = form.ok ? form.value : {};
  if (await findSignedIn(visit)) return redirect(safeReturnPath(wanted.redirectTo));
  const provider = app.providers.find(params.provider);
  if (!provider) return redirect('/login');
  return app.providerRequests.begin(visit, provider, {
    purpose: 'sign-in',
    signedIn: null,
    remember: wanted.remember === 'on',
    redirectTo: wanted.redirectTo,
  });
}

export default function ToProvider() {
  const { name, url } = useLoaderData<typeof loader>();
  return (
    <FormPage title={`Taking you to ${name}`}>
      <p className="text-muted">
        If nothing happens,{' '}
        <a className="font-medium text-accent underline underline-offset-4" href={url}>
          go on to {name}
        </a>
        .
      </p>
    </FormPage>
  );
}
