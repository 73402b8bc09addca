import type { Plugin } from 'vite';

/**
 * Has Remix ask for its scripts after the style sheet, where a connection is slow: a page shows, and
 * works, before they are there. Browsers fetch `modulepreload` as urgently as what they wait for to paint.
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
