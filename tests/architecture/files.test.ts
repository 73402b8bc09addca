import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder } from '../../scripts/set-up/project.js';

const VAGUE_NAME =
  /^(utils?|helpers?|misc|commons?|shared|libs?|cores?|services?|handlers?|managers?)$/i;

/** All files that git tracks or would add. */
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

test('no folder or file has a vague name', () => {
  // "some-service.server.ts" is as vague as "service.ts", so every word of a name is checked.
  const vague = files.filter((file) =>
    file
      // Names that others chose: service workers of the web, and units of systemd.
      .replace(/service-worker|\.service$/, '')
      .split('/')
      .flatMap((part) => part.split(/[.-]/))
      .some((word) => VAGUE_NAME.test(word)),
  );
  expect(vague).toEqual([]);
});

test("no file contains a path of a developer's machine", () => {
  const homes = ['home', 'root', 'Users', 'work'].join('|');
  const machinePath = new RegExp(`(?<![\\w.:}/~$-])/(${homes})/\\w`);
  expect(containing(machinePath)).toEqual([]);
});

test('all packages come from the public registry of npm', () => {
  const lock = JSON.parse(readFileSync(path.join(projectFolder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; link?: boolean }>;
  };
  const elsewhere = Object.values(lock.packages)
    // A link leads to a folder of the project.
    .filter(({ link }) => !link)
    .map(({ resolved }) => resolved)
    .filter((address) => address && !address.startsWith('https://registry.npmjs.org/'));
  expect(elsewhere).toEqual([]);
  expect(files.filter((file) => /(^|\/)\.(npmrc|yarnrc(\.yml)?)$/.test(file))).toEqual([]);
});

test('no test is skipped or runs alone', () => {
  const tests = texts.filter(({ file }) => /^tests\/.*\.tsx?$/.test(file));
  const modifier = /\b(test|it|describe|suite)(\.\w+)*\.(only|skip|skipIf|runIf|todo)\b/;
  expect(tests.length).toBeGreaterThan(0);
  expect(containing(modifier, tests)).toEqual([]);
});
