import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node';
import { useLoaderData } from '@remix-run/react';
import { ErasedRows } from '#app/privacy/erased-rows.tsx';
import { ButtonLink } from '#app/ui/button.tsx';
import { FormPage } from '#app/ui/page.tsx';

export const meta: MetaFunction = () => [
  { title: 'Account deleted · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const MAX_ID_CHARACTERS = 64;

/** The receipt of an erasure. It names nobody; its id is random, and whoever has it was given it. */
export async function loader({ params, context }: LoaderFunctionArgs) {
  const { receiptId = '' } = params;
  const isOne = /^[\w-]+$/.test(receiptId) && receiptId.length <= MAX_ID_CHARACTERS;
  const receipt = isOne ? await context.erasures.findReceipt(receiptId) : null;
  if (!receipt) throw new Response(null, { status: 404, statusText: 'Not Found' });
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
            <time dateTime={erasedAt}>{MOMENT.format(new Date(erasedAt))} UTC</time>
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

const MOMENT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
});
