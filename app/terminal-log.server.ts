import type { DestinationStream } from 'pino';

/**
 * Returns a stream that writes log lines for people to the terminal; undefined if standard output is
 * not a terminal, where programs read JSON.
 */
export async function openTerminalLog(): Promise<DestinationStream | undefined> {
  if (!process.stdout.isTTY) return undefined;
  const { default: pretty } = await import('pino-pretty');
  // `sync`: else the last lines before an exit would be lost.
  return pretty({ singleLine: true, sync: true, translateTime: 'SYS:HH:MM:ss' });
}
