import type { MetaFunction } from '@remix-run/node';
import { ErrorPage, textForStatus } from '#app/ui/error-page.tsx';

export const meta: MetaFunction = () => [
  { title: 'Not found · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

export function loader() {
  throw new Response(null, { status: 404, statusText: 'Not Found' });
}

export { loader as action };

export default function NothingHere() {
  return <ErrorPage {...textForStatus(404)} />;
}

export function ErrorBoundary() {
  return <ErrorPage {...textForStatus(404)} />;
}
