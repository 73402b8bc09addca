import type { Visit } from '#app/visit/visit.ts';
import type { Providers } from './providers.server.ts';

/** Why a request to a provider failed. */
type ProviderProblem = keyof typeof texts;

/** A fixed set of texts, so that a forged address cannot make the page say anything else. */
const texts = {
  denied: (name: string) => `You stopped at ${name}, so nothing was done.`,
  unavailable: (name: string) => `${name} does not answer right now. Try again in a few minutes.`,
  refused: (name: string) => `${name} could not tell us who you are. Try again.`,
  'not-begun': (name: string) =>
    `That visit to ${name} was not begun in this browser, was over already, or took longer than ten minutes. Begin again here.`,
  'other-session': (name: string) =>
    `You were not signed in here as you were when you left for ${name}, so nothing was done. Begin again here.`,
  'other-account': (name: string) =>
    `Who you are at ${name} is connected to another account here, so nothing was done. To use it here, disconnect it there first.`,
  'already-yours': (name: string) => `Who you are at ${name} is connected to your account already.`,
  'other-person': (name: string) =>
    `Who you are at ${name} right now is not who is connected to this account. Sign in there as the right one, then try again.`,
  'not-again': (name: string) =>
    `${name} did not ask you again who you are, so that proves nothing new. Choose another way.`,
} as const;

/** Returns the path of the page that the user came from, with the problem for it to show. */
export function problemPath(begun: RequestContext, problem: ProviderProblem): string {
  const { purpose, redirectTo, provider } = begun;
  const page = { 'sign-in': '/login', link: '/settings/connections', confirm: '/confirm' }[purpose];
  const query = new URLSearchParams(purpose === 'link' || redirectTo === '/' ? {} : { redirectTo });
  query.set('trouble', problem);
  query.set('provider', provider);
  return `${page}?${query}`;
}

interface RequestContext {
  purpose: 'sign-in' | 'link' | 'confirm';
  redirectTo: string;
  /** Id of the provider. */
  provider: string;
}

/** Returns the text for a page that {@link problemPath} led to; `null` otherwise. */
export function problemText(providers: Pick<Providers, 'find'>, request: Request): string | null {
  const { searchParams } = new URL(request.url);
  const provider = providers.find(searchParams.get('provider') ?? undefined);
  const trouble = searchParams.get('trouble') ?? '';
  return provider && Object.hasOwn(texts, trouble)
    ? texts[trouble as ProviderProblem](provider.name)
    : null;
}

/** Logs a failure of the provider, or of ours, for the operator. */
export function logProviderProblem(
  { log }: Pick<Visit, 'log'>,
  provider: string,
  { state, error }: { state: string; error: unknown },
): void {
  if (state === 'denied') return;
  log.warn(
    { provider, trouble: state, ...loggableError(error) },
    'a provider did not identify the user',
  );
}

const MAX_CAUSES = 5;

/** Returns the kind of an error and of its causes. The rest may hold codes, tokens and names. */
function loggableError(error: unknown): Record<string, string> {
  const kinds: Record<string, string> = {};
  let one: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && one instanceof Error; depth += 1) {
    const { code, error: oauthError } = one as { code?: unknown; error?: unknown };
    const kind = [one.name, code, oauthError].filter((part) => typeof part === 'string').join(' ');
    kinds[depth === 0 ? 'error' : `cause${depth}`] = kind;
    one = one.cause;
  }
  return kinds;
}
