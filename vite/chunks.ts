import type { Rollup } from 'vite';

/** Modules that (nearly) every page imports. */
const ON_EVERY_PAGE = /\/app\/(root\.tsx|ui\/(field|page)\.tsx|ui\/page-meta\.ts)$/;
/** Both are loaded lazily, and always together. */
const PASSKEYS = /\/app\/credentials\/passkeys\/passkey-(button|sign-in-form)\.tsx$/;
/** Without this, the sessions page, the most used one, would fetch four small files. */
const SESSIONS =
  /\/app\/(devices\/device-icon|ui\/relative-time|live\/session-messages|tokens\/token-list)\.tsx?$/;
/** React and Remix, and the modules that Rollup and Vite add for them. Separated, they import each other. */
const REACT_AND_REMIX = /^\0|\/node_modules\/(?!lucide-react\/)/;

/**
 * Returns the chunk of the browser's build that a module goes into. `undefined` leaves it to Rollup, which
 * makes a chunk of every set of modules that two pages share. One file compresses better than several, so
 * everything that every page needs is one chunk. React and Remix are separate: they stay in the browser's
 * cache when the pages change.
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

/** Returns a module and its static imports, recursively. */
function importsOf(root: string, getModuleInfo: Rollup.GetModuleInfo): Set<string> {
  const found = new Set([root]);
  for (const id of found) {
    for (const imported of getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  }
  return found;
}
