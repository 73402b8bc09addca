import { useFetchers } from '@remix-run/react';

/** The theme that is on its way to the server, to be shown at once; null when none is. */
export function useSubmittedTheme(): string | null {
  const fetcher = useFetchers().find(({ formAction }) => formAction === '/theme');
  const theme = fetcher?.formData?.get('theme');
  return typeof theme === 'string' ? theme : null;
}
