import type { Plugin } from 'vite';
import remixConfig from '../remix.config.js';

const REMIX_IN_BROWSERS = '/node_modules/@remix-run/react/dist/esm/';

const flags = Object.entries(remixConfig.future ?? {})
  .filter(([, isOn]) => isOn)
  .map(([flag]) => flag)
  .join('|');

/** What Remix asks in a browser, and what the answer always is. */
const answers: [question: RegExp, answer: string][] = [
  [new RegExp(`\\b(window\\.__remixContext\\.)?future\\.(${flags})\\b`, 'g'), 'true'],
  // There is a server; where it is only named or handed on, it stays.
  [/!(window\.__remixContext\.)?isSpaMode\b/g, 'true'],
  [/(?<![\w.])(window\.__remixContext\.)?isSpaMode(?= (&&|\?) )/g, 'false'],
  [/(?<=if \()isSpaMode(?=\))/g, 'false'],
  // And this is not it.
  [/!isStatic\b/g, 'true'],
  [/\bstaticContext(?= \? )/g, 'false'],
  // With `v3_singleFetch` all loads have one, and what comes late is part of it.
  [/typeof singleFetch === "function"/g, 'true'],
  [/typeof __remixContext === "object" && __remixContext\.a\b/g, 'false'],
  // For the developer tools of React; because of it, components that nobody uses would stay.
  [/^\w+\.displayName = "\w+";$/gm, ''],
];

/**
 * Remix asks in the browser which flags of remix.config.js are on, and whether there is a server at all.
 * That is settled when the pages are built: the answers stand in place of the questions, so that the
 * ways not taken (data by `?_data=`, deferred data, pages without a server) are left out.
 */
export const settledOptions: Plugin = {
  name: 'settled-options',
  apply: 'build',
  enforce: 'pre',
  applyToEnvironment: ({ name }) => name === 'client',
  transform: (code, id) =>
    id.includes(REMIX_IN_BROWSERS)
      ? answers.reduce((text, [question, answer]) => text.replace(question, answer), code)
      : undefined,
};
