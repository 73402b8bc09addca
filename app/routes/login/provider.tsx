import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import { parseForm } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/http/signed-in.server.ts';
import {
  logProviderTrouble,
  problemPath,
} from '#app/credentials/providers/provider-problems.server.ts';
import {
  beginProviderRequest,
  findProviderRequest,
  toProviderRequest,
} from '#app/credentials/providers/provider-requests.server.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';
import { FormPage } from '#app/ui/page.tsx';

/**
 * The page between us and a provider. It is a page, and not a redirect, because a form led here:
 * Chromium holds every redirect that follows a form against `form-action` of the page on which the
 * form stood (CSP3 §6.4.2, "pre-navigation check"), and that is 'self'. To open it for providers, every page would
 * have to know where each of them keeps its sign-in page, which is not the issuer's own origin and is
 * not known while one of them is down. What this page begins by itself is no form's doing.
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

export async function loader({ context, params, request }: LoaderFunctionArgs) {
  const provider = context.providers.find(params.provider);
  if (!provider) return redirect('/login');
  const begun = findProviderRequest(context, request, provider);
  if (!begun) {
    const nothing = { purpose: 'sign-in', redirectTo: '/', provider: provider.id } as const;
    return redirect(problemPath(nothing, 'not-begun'));
  }
  const ready = await provider.prepare(toProviderRequest(context, begun));
  if (ready.state === 'unavailable') {
    logProviderTrouble(context, provider.id, ready);
    return redirect(problemPath(begun, 'unavailable'));
  }
  return { name: provider.name, url: ready.url };
}

export async function action({ context, params, request }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  const wanted = form.ok ? form.value : {};
  if (await findSignedIn({ context })) return redirect(safeReturnPath(wanted.redirectTo));
  const provider = context.providers.find(params.provider);
  if (!provider) return redirect('/login');
  return beginProviderRequest(context, provider, {
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
