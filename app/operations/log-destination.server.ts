import { pino, type DestinationStream } from 'pino';

/**
 * Returns the destination of log lines, standard output: formatted for reading if it is a terminal, else
 * plain JSON. Lines that are not JSON are written unchanged.
 */
export async function openLogDestination(): Promise<DestinationStream> {
  if (!process.stdout.isTTY) return pino.destination(process.stdout.fd);
  const { default: pretty } = await import('pino-pretty');
  // Without `sync`, the last lines before an exit would be lost.
  return pretty({ singleLine: true, sync: true, translateTime: 'SYS:HH:MM:ss' });
}
