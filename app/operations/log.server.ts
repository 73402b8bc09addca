import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

/** Paths that no log line may show, whoever logs them by mistake. */
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
 * Structured logs, one JSON object a line.
 *
 * @param destination where lines go; standard output when left out.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = { level, redact: { paths: REDACTED, censor: '[kept out]' }, base: undefined };
  return destination ? pino(options, destination) : pino(options);
}
