import type { Rollup } from 'vite';

/** What stands on every page, or on nearly every one. */
const ON_EVERY_PAGE = /\/app\/(root|ui\/field|ui\/page)\.tsx$/;
/** Where the one is fetched late, so is the other. */
const PASSKEYS = /\/app\/credentials\/passkeys\/passkey-(button|sign-in-form)\.tsx$/;
/** The page of sessions, where most time is spent, would else fetch four small files. */
const SESSIONS =
  /\/app\/(devices\/device-icon|ui\/relative-time|live\/session-messages|tokens\/token-list)\.tsx?$/;
/** And what Rollup and Vite add for them, which else made the two files import each other. */
const REACT_AND_REMIX = /^\0|\/node_modules\/(?!lucide-react\/)/;

/**
 * Puts into which file of the browser's build a module goes; undefined leaves that to Rollup, which
 * makes a file of whatever two pages share. A file compresses better than its parts, so that what every
 * page has is one, but for React and Remix: those stay in the browser when the pages change.
 */
export function chunkOf(id: string, { getModuleIds, getModuleInfo }: Rollup.ManualChunkMeta) {
  for (const root of getModuleIds()) {
    if (!ON_EVERY_PAGE.test(root)) continue;
    if (!importsOf(root, getModuleInfo).has(id)) continue;
    return REACT_AND_REMIX.test(id) ? 'react' : 'every-page';
  }
  if (PASSKEYS.test(id)) return 'passkeys';
  return SESSIONS.test(id) ? 'sessions' : undefined;
}

/** All that a module imports, and what that imports, but for what is fetched later. */
function importsOf(root: string, getModuleInfo: Rollup.GetModuleInfo): Set<string> {
  const found = new Set([root]);
  for (const id of found) {
    for (const imported of getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  }
  return found;
}
