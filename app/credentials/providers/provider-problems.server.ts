import type { PageContext } from '#app/context.server.ts';
import type { PendingProviderRequest } from './provider-requests.server.ts';

/** Why a visit to a provider led nowhere. */
type ProviderProblem = keyof typeof texts;

/** By a fixed set of words: an address that somebody made up can say nothing else. */
const texts = {
  denied: (name: string) => `You stopped at ${name}, so nothing was done.`,
  unavailable: (name: string) => `${name} does not answer right now. Try again in a few minutes.`,
  refused: (name: string) => `${name} could not tell us who you are. Try again.`,
  'not-begun': (name: string) =>
    `That visit to ${name} was not begun in this browser, was over already, or took longer than ten minutes. Begin again here.`,
  'other-session': (name: string) =>
    `You were not signed in here as you were when you left for ${name}, so nothing was done. Begin again here.`,
  anothers: (name: string) =>
    `Who you are at ${name} is connected to another account here, so nothing was done. To use it here, disconnect it there first.`,
  'already-yours': (name: string) => `Who you are at ${name} is connected to your account already.`,
  'other-person': (name: string) =>
    `Who you are at ${name} right now is not who is connected to this account. Sign in there as the right one, then try again.`,
  'not-again': (name: string) =>
    `${name} did not ask you again who you are, so that proves nothing new. Choose another way.`,
} as const;

/** Where somebody goes on after a visit that led nowhere: the page that they came from, with words. */
export function problemPath(begun: Begun, trouble: ProviderProblem): string {
  const { purpose, redirectTo, provider } = begun;
  const page = { 'sign-in': '/login', link: '/settings/connections', confirm: '/confirm' }[purpose];
  const query = new URLSearchParams(purpose === 'link' || redirectTo === '/' ? {} : { redirectTo });
  query.set('trouble', trouble);
  query.set('provider', provider);
  return `${page}?${query}`;
}

type Begun = Pick<PendingProviderRequest, 'purpose' | 'redirectTo' | 'provider'>;

/** The words of a page to which {@link problemPath} led; null when it was not that. */
export function problemText({ providers }: PageContext, request: Request): string | null {
  const { searchParams } = new URL(request.url);
  const provider = providers.find(searchParams.get('provider') ?? undefined);
  const trouble = searchParams.get('trouble') ?? '';
  return provider && Object.hasOwn(texts, trouble)
    ? texts[trouble as ProviderProblem](provider.name)
    : null;
}

/** A line for whoever runs this, when it is the provider's fault or ours. */
export function logProviderTrouble(
  { log }: Pick<PageContext, 'log'>,
  provider: string,
  { state, error }: { state: string; error: unknown },
): void {
  if (state === 'denied') return;
  log.warn(
    { provider, trouble: state, ...loggableError(error) },
    'a provider did not say who it is',
  );
}

const MAX_CAUSES = 5;

/** What may be logged of such an error: its kind. The rest of it holds codes, tokens and names. */
function loggableError(error: unknown): Record<string, string> {
  const told: Record<string, string> = {};
  let one: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && one instanceof Error; depth += 1) {
    const { code, error: oauthError } = one as { code?: unknown; error?: unknown };
    const kind = [one.name, code, oauthError].filter((part) => typeof part === 'string').join(' ');
    told[depth === 0 ? 'error' : `cause${depth}`] = kind;
    one = one.cause;
  }
  return told;
}
