import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const PACKAGE = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/;
const TEXT = /^(licen[cs]e|copying|notice)/i;

/**
 * Writes the full licenses of all packages in the browser's build into one file. This replaces the legal
 * comments that esbuild would keep in every script.
 */
export const licenses: Plugin = {
  name: 'licenses',
  apply: 'build',
  config: () => ({ esbuild: { legalComments: 'none' } }),
  applyToEnvironment: ({ name }) => name === 'client',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((file) =>
      file.type === 'chunk' ? file.moduleIds : [],
    );
    const folders = new Map(
      modules.flatMap((id) => {
        const [folder, name] = PACKAGE.exec(id.replaceAll('\0', '')) ?? [];
        return folder && name && existsSync(`${folder}/package.json`) ? [[name, folder]] : [];
      }),
    );
    const source = [...folders].sort().map(([name, folder]) => textOf(name, folder));
    this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: source.join('\n\n') });
  },
};

function textOf(name: string, folder: string): string {
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as {
    version: string;
    license: string;
  };
  const texts = readdirSync(folder)
    .filter((file) => TEXT.test(file))
    .map((file) => readFileSync(`${folder}/${file}`, 'utf8').trim());
  const title = `${name} ${version} (${license})`;
  return `${[title, '-'.repeat(title.length), ...texts].join('\n\n')}\n`;
}
