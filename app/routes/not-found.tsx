import { ErrorPage, textForStatus } from '#app/ui/error-page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Not found', { index: false });

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
