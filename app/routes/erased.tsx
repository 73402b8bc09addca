import type { LoaderFunctionArgs } from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import { notFound } from '#app/http/form.server.ts';
import { ErasedRows } from '#app/privacy/erased-rows.tsx';
import { ButtonLink } from '#app/ui/button.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Account deleted', { index: false });

const MAX_ID_CHARACTERS = 64;

/** Shows the receipt of an erasure. It identifies no user; its random id was given to the user. */
export async function loader({ params, context: { app } }: LoaderFunctionArgs) {
  const { receiptId = '' } = params;
  const isValid = /^[\w-]+$/.test(receiptId) && receiptId.length <= MAX_ID_CHARACTERS;
  const receipt = isValid ? await app.erasures.findReceipt(receiptId) : null;
  if (!receipt) throw notFound();
  const { id, erasedAt, counts } = receipt;
  return { id, erasedAt: erasedAt.toISOString(), counts };
}

export default function Erased() {
  const { id, erasedAt, counts } = useLoaderData<typeof loader>();
  return (
    <FormPage
      title="Your account is deleted"
      lead="Everything kept about you is erased, and every device is signed out."
    >
      <dl className="grid gap-4 border-y border-line py-5">
        <div>
          <dt className="text-small text-muted">Receipt</dt>
          <dd className="font-mono break-all">{id}</dd>
        </div>
        <div>
          <dt className="text-small text-muted">Erased</dt>
          <dd>
            <time dateTime={erasedAt}>{DATE_FORMAT.format(new Date(erasedAt))} UTC</time>
          </dd>
        </div>
      </dl>
      <div className="grid gap-3">
        <h2 className="font-semibold">What went</h2>
        <ErasedRows counts={counts} />
      </div>
      <p className="text-muted">
        Keep this address if you want to be able to ask about it later: the receipt does not say
        whose account it was, so nobody can look it up for you.
      </p>
      <div>
        <ButtonLink look="quiet" to="/" className="-ml-5">
          To the front page
        </ButtonLink>
      </div>
    </FormPage>
  );
}

const DATE_FORMAT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
});
