import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inProject } from '../set-up/project.js';
import { OWN_FILES, ROOMS } from './rooms.ts';

/** One import between two files of `app/`; paths below `app/`. */
export interface Import {
  from: string;
  to: string;
}

/** `import … from`, `import '…'`, `export … from`, `import('…')` and `new URL('…', import.meta.url)`. */
const IMPORT = /\b(?:from|import|import\(|new URL\()\s*'((?:#app\/|\.{1,2}\/)[^']+)'/g;
const APP = '#app/';

/** Returns every import between two files of `app/`, of values and of types, in a fixed order. */
export function readImports(): Import[] {
  const files = readdirSync(inProject('app'), { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(path.sep).join('/'))
    .filter((file) => /\.tsx?$/.test(file))
    .sort();
  return files.flatMap((from) => importsOf(from, readFileSync(inProject('app', from), 'utf8')));
}

/** Returns what a file of `app/` imports from `app/`. */
export function importsOf(from: string, source: string): Import[] {
  return [...source.matchAll(IMPORT)]
    .map(([, specifier]) => specifier!)
    .map((specifier) =>
      specifier.startsWith(APP)
        ? specifier.slice(APP.length)
        : path.posix.join(path.posix.dirname(from), specifier),
    )
    .filter((to) => !to.startsWith('..'))
    .map((to) => ({ from, to }));
}

/** Returns the room of a file; the path is below `app/`. */
export function roomOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : OWN_FILES;
}

/** Returns the imports that break the rule: those of a room that comes later in the list. */
export function findDownwardImports(imports: Import[]): Import[] {
  const position = (file: string) => ROOMS.indexOf(roomOf(file));
  return imports.filter(({ from, to }) => position(to) > position(from));
}
