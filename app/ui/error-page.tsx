import { ButtonLink } from './button.tsx';

interface ErrorPageProps {
  title: string;
  text: string;
  /** True if a retry may help. */
  canRetry?: boolean;
}

/** A page that says what happened, and what the user can do. */
export function ErrorPage({ title, text, canRetry = false }: ErrorPageProps) {
  return (
    <div className="mx-auto grid w-full max-w-136 justify-items-start gap-4 px-5 py-20 sm:py-28">
      <h1 className="text-title font-semibold">{title}</h1>
      <p className="text-lead text-muted">{text}</p>
      <div className="mt-2 flex flex-wrap gap-3">
        {canRetry && (
          // A link to the same URL: it loads a new document, whatever state this page is in.
          <a
            href="?"
            className="inline-flex min-h-11 items-center rounded-xl bg-accent px-5 font-medium text-on-accent hover:bg-accent-strong sm:min-h-10"
          >
            Try again
          </a>
        )}
        <ButtonLink to="/" reloadDocument>
          Go to the front page
        </ButtonLink>
      </div>
    </div>
  );
}

/**
 * Returns the text for an HTTP status.
 *
 * @param body the response body; for 429 it says how long to wait.
 */
export function textForStatus(status: number, body?: unknown): ErrorPageProps {
  switch (status) {
    case 404:
      return {
        title: 'There is nothing at this address',
        text: 'It may have been moved, or mistyped. Nothing of yours is lost.',
      };
    case 400:
      return {
        title: 'That form arrived incomplete',
        text: 'Nothing was changed. Go back and send it once more.',
        canRetry: true,
      };
    case 403:
    case 405:
      return {
        title: 'That cannot be done from here',
        text: 'Nothing was changed. Start again from the front page.',
      };
    case 429:
      return {
        title: 'That was tried too often',
        text: `Nothing was changed, and nothing of yours is lost. Wait ${typeof body === 'string' ? body : 'a while'}, then try again.`,
      };
    case 503:
      return {
        title: 'We cannot reach our database right now',
        text: 'Nobody is signed out by this, and nothing is lost. It usually passes within a minute.',
        canRetry: true,
      };
    default:
      return {
        title: 'Something went wrong on our side',
        text: 'It is not your doing, and it has been noted. Trying once more may help.',
        canRetry: true,
      };
  }
}

/** The text for a page without a network. */
export const offlineText: ErrorPageProps = {
  title: 'You are offline',
  text: 'This page needs the network. It will be here when the connection is back.',
  canRetry: true,
};
