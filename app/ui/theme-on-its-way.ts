import { useFetchers } from '@remix-run/react';

/** Returns the theme that is being submitted, so that it shows at once; `null` if there is none. */
export function useSubmittedTheme(): string | null {
  const fetcher = useFetchers().find(({ formAction }) => formAction === '/theme');
  const theme = fetcher?.formData?.get('theme');
  return typeof theme === 'string' ? theme : null;
}
