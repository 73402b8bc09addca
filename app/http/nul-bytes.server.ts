import { Transform } from 'node:stream';

/**
 * A stream that passes on everything but NUL bytes, which no page has.
 *
 * React 18 fills a buffer of 2 kB and sends all of it, also the last one to three bytes for which
 * the next character was too wide: a page that is not in English gets NULs in the middle of words
 * (facebook/react#26228; put right in React 19).
 */
export function withoutNulBytes(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, chunk.includes(0) ? chunk.filter((byte) => byte !== 0) : chunk);
    },
  });
}
