import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

/** Paths that are redacted in every log line, in case one is logged by mistake. */
const REDACTED = [
  'password',
  'token',
  'secret',
  'cookie',
  'authorization',
  '*.password',
  '*.token',
  '*.secret',
  '*.secretHash',
  '*.cookie',
  '*.authorization',
  'req.headers',
  'headers',
];

/**
 * Creates a log that writes one JSON object per line.
 *
 * @param destination where lines go. Default: standard output.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = { level, redact: { paths: REDACTED, censor: '[kept out]' }, base: undefined };
  return destination ? pino(options, destination) : pino(options);
}
