import { pino, type DestinationStream } from 'pino';

/**
 * Returns standard output as a place for log lines: for people if it is a terminal, else as it is, where
 * programs read JSON. A line that is not JSON is shown as it is by both, in its turn.
 */
export async function openLogDestination(): Promise<DestinationStream> {
  if (!process.stdout.isTTY) return pino.destination(process.stdout.fd);
  const { default: pretty } = await import('pino-pretty');
  // `sync`: else the last lines before an exit would be lost.
  return pretty({ singleLine: true, sync: true, translateTime: 'SYS:HH:MM:ss' });
}
