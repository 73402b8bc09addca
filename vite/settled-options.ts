import type { Plugin } from 'vite';
import remixConfig from '../remix.config.js';

const REMIX_IN_BROWSERS = '/node_modules/@remix-run/react/dist/esm/';

const flags = Object.entries(remixConfig.future ?? {})
  .filter(([, isOn]) => isOn)
  .map(([flag]) => flag)
  .join('|');

/** Expressions in Remix's browser code whose value is known when the pages are built. */
const replacements: [expression: RegExp, value: string][] = [
  [new RegExp(`\\b(window\\.__remixContext\\.)?future\\.(${flags})\\b`, 'g'), 'true'],
  // There is a server. Where the variable is only declared or passed on, it stays.
  [/!(window\.__remixContext\.)?isSpaMode\b/g, 'true'],
  [/(?<![\w.])(window\.__remixContext\.)?isSpaMode(?= (&&|\?) )/g, 'false'],
  [/(?<=if \()isSpaMode(?=\))/g, 'false'],
  // This code runs in a browser, not on the server.
  [/!isStatic\b/g, 'true'],
  [/\bstaticContext(?= \? )/g, 'false'],
  // With `v3_singleFetch` every load uses it, and deferred data are part of its response.
  [/typeof singleFetch === "function"/g, 'true'],
  [/typeof __remixContext === "object" && __remixContext\.a\b/g, 'false'],
  // For React's developer tools. These assignments would keep unused components in the build.
  [/^\w+\.displayName = "\w+";$/gm, ''],
];

/**
 * Replaces the flags of remix.config.js, and the check for a server, by their values in Remix's browser
 * code. Both are known when the pages are built. Code that can never run (data by `?_data=`, deferred data,
 * pages without a server) is then left out of the build.
 */
export const settledOptions: Plugin = {
  name: 'settled-options',
  apply: 'build',
  enforce: 'pre',
  applyToEnvironment: ({ name }) => name === 'client',
  transform: (code, id) =>
    id.includes(REMIX_IN_BROWSERS)
      ? replacements.reduce((text, [expression, value]) => text.replace(expression, value), code)
      : undefined,
};
