import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder } from '../../scripts/set-up/project.js';

const ON_THE_SHELF =
  /^(utils?|helpers?|misc|commons?|shared|libs?|cores?|services?|handlers?|managers?)$/i;

/** What git keeps, or would keep if everything were added. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: projectFolder,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(projectFolder, file)));

const TEXT =
  /\.(ts|tsx|js|cjs|mjs|json|md|css|html|sql|prisma|toml|ya?ml|sh|svg|txt)$|(^|\/)[^.]+$/;
const texts = files
  .filter((file) => TEXT.test(file))
  .map((file) => ({ file, text: readFileSync(path.join(projectFolder, file), 'utf8') }));

const containing = (pattern: RegExp, among = texts) =>
  among.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

test('no folder or file goes by a name that says nothing', () => {
  // "some-service.server.ts" says no more than "service.ts": every word of a name is looked at.
  const sayNothing = files.filter((file) =>
    file
      // Names on the shelf that others gave to things of theirs: the standard of the web, and systemd.
      .replace(/service-worker|\.service$/, '')
      .split('/')
      .flatMap((part) => part.split(/[.-]/))
      .some((word) => ON_THE_SHELF.test(word)),
  );
  expect(sayNothing).toEqual([]);
});

test('no file names a folder of the machine that it was written on', () => {
  const homes = ['home', 'root', 'Users', 'work'].join('|');
  const machinePath = new RegExp(`(?<![\\w.:}/~$-])/(${homes})/\\w`);
  expect(containing(machinePath)).toEqual([]);
});

test('no file names a package registry other than the public one', () => {
  const lock = JSON.parse(readFileSync(path.join(projectFolder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; link?: boolean }>;
  };
  const elsewhere = Object.values(lock.packages)
    // A link is to a folder of the project.
    .filter(({ link }) => !link)
    .map(({ resolved }) => resolved)
    .filter((address) => address && !address.startsWith('https://registry.npmjs.org/'));
  expect(elsewhere).toEqual([]);
  expect(files.filter((file) => /(^|\/)\.(npmrc|yarnrc(\.yml)?)$/.test(file))).toEqual([]);
});

test('no test is left out, and none runs alone', () => {
  const tests = texts.filter(({ file }) => /^tests\/.*\.tsx?$/.test(file));
  const leftOut = /\b(test|it|describe|suite)(\.\w+)*\.(only|skip|skipIf|runIf|todo)\b/;
  expect(tests.length).toBeGreaterThan(0);
  expect(containing(leftOut, tests)).toEqual([]);
});
