import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Files of text. The formats of pictures and fonts are compressed already. */
const COMPRESSIBLE = /\.(css|html|js|json|map|mjs|svg|txt|webmanifest|xml)$/;

/**
 * The codings by file ending, each at its highest level, which would be too slow at request time. Gzip is
 * for clients behind a proxy that does not support Brotli.
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
 * Writes compressed copies (`name.js.br`, `name.js.gz`) next to every file of text below a folder, unless
 * a copy would not be shorter.
 *
 * @param {string} folder
 */
export async function compressFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && COMPRESSIBLE.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
  // Unlimited concurrency is fine: Node compresses in a few threads and queues the rest.
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
