import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { programOnPort } from './port-owner.server.ts';
import { StartupError } from '#app/config/startup-error.ts';

const HIGHEST_PORT = 65_535;

interface ListenAt {
  host: string;
  port: number;
  /** The prefix of the variables PORT and HOST. */
  name: '' | 'METRICS_';
}

/**
 * Opens the port and returns its number, which the system chooses if it was 0.
 *
 * @throws {StartupError} if the port or the host cannot be used.
 */
export async function listen(server: Server, at: ListenAt): Promise<number> {
  server.listen(at.port, at.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw await listenError(error as NodeJS.ErrnoException, at);
  }
  return (server.address() as AddressInfo).port;
}

async function listenError(
  error: NodeJS.ErrnoException,
  { host, port, name }: ListenAt,
): Promise<Error> {
  switch (error.code) {
    case 'EADDRINUSE': {
      const program = await programOnPort(port);
      const found = program ?? `another program (to find it: lsof -i :${port})`;
      const other = port < HIGHEST_PORT ? port + 1 : port - 1;
      return new StartupError(
        `Port ${port} is in use by ${found}; stop that one, or take another port: ${name}PORT=${other} npm start.`,
      );
    }
    case 'EACCES':
      return new StartupError(
        `This user may not open port ${port}; set ${name}PORT to one above 1023.`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartupError(`${name}HOST is ${host}, which is not an address of this machine.`);
    default:
      return error;
  }
}
