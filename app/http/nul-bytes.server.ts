import { Transform } from 'node:stream';

/**
 * Returns a stream that removes NUL bytes, which no page contains.
 *
 * React 18 always sends its whole buffer of 2 kB, including the last one to three bytes that were too few
 * for the next character: pages with non-ASCII text get NULs inside words (facebook/react#26228; fixed in
 * React 19).
 */
export function withoutNulBytes(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, chunk.includes(0) ? chunk.filter((byte) => byte !== 0) : chunk);
    },
  });
}
