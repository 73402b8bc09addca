import type { Plugin } from 'vite';

/**
 * Makes browsers fetch Remix's scripts after the style sheet. By default `modulepreload` has the same
 * priority as resources that block painting. Pages work without their scripts, so on a slow connection
 * the page should show first.
 */
export const paintFirst: Plugin = {
  name: 'paint-first',
  apply: 'build',
  enforce: 'pre',
  transform: (code, id) =>
    id.includes('/@remix-run/react/dist/esm/components.js')
      ? code.replaceAll('rel: "modulepreload",', 'rel: "modulepreload", fetchpriority: "low",')
      : undefined,
};
