import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Text; pictures and fonts are compressed by their own formats. */
const COMPRESSIBLE = /\.(css|html|js|json|map|mjs|svg|txt|webmanifest|xml)$/;

/**
 * Both as small as they go, which takes too long for a server. Gzip is for what stands between some
 * people and us and knows nothing newer.
 *
 * @type {Record<string, (content: Buffer) => Promise<Buffer>>}
 */
const codings = {
  '.br': (content) =>
    promisify(brotliCompress)(content, {
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
  '.gz': (content) => promisify(gzip)(content, { level: constants.Z_BEST_COMPRESSION }),
};

/**
 * Lays a compressed file (`name.js.br`, `name.js.gz`) beside every file of text below a folder,
 * unless it would be no shorter.
 *
 * @param {string} folder
 */
export async function compressFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && COMPRESSIBLE.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
  // Node has a few threads for it and queues the rest.
  await Promise.all(files.map(compressFile));
}

/** @param {string} file */
async function compressFile(file) {
  const content = await readFile(file);
  for (const [ending, compress] of Object.entries(codings)) {
    const compressed = await compress(content);
    if (compressed.length < content.length) await writeFile(`${file}${ending}`, compressed);
  }
}
