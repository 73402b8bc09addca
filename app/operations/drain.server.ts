import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Ends a server without breaking off what it is doing. */
export interface Drain {
  /**
   * Takes no more connections, lets requests under way finish, and ends each connection with its last
   * answer. Resolves when all are gone: with how many had to be cut, after `withinMs` at the latest.
   */
  drain(withinMs: number): Promise<number>;
}

/** Call it before the server gets its first connection: it keeps count of them. */
export function createDrain(server: Server): Drain {
  const sockets = new Set<Socket>();
  const underWay = new Set<ServerResponse>();
  let isDraining = false;

  const endAfter = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (_request, response) => {
    underWay.add(response);
    if (isDraining) endAfter(response);
    response.once('close', () => {
      underWay.delete(response);
      // Its head was sent before, and promised to go on. It counts as idle once this is over.
      if (isDraining) setImmediate(() => server.closeIdleConnections());
    });
  });

  return {
    async drain(withinMs) {
      if (!server.listening) return 0;
      isDraining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const response of underWay) endAfter(response);
      // Browsers open connections ahead. Node takes one that never said anything for a busy one.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      server.closeIdleConnections();
      let cut = 0;
      const giveUp = setTimeout(() => {
        cut = sockets.size;
        server.closeAllConnections();
      }, withinMs);
      await closed;
      clearTimeout(giveUp);
      return cut;
    },
  };
}
