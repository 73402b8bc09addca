import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Stops a server without interrupting running requests. */
interface Drain {
  /**
   * Refuses new connections, lets running requests finish, and closes each connection after its last
   * response. After `withinMs` it cuts the remaining connections.
   *
   * @returns the number of connections that it cut.
   */
  drain(withinMs: number): Promise<number>;
}

/** Creates the drain of a server. Call it before the first connection, because it tracks all of them. */
export function createDrain(server: Server): Drain {
  const sockets = new Set<Socket>();
  const responses = new Set<ServerResponse>();
  let isDraining = false;

  const closeConnectionAfter = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (_request, response) => {
    responses.add(response);
    if (isDraining) closeConnectionAfter(response);
    response.once('close', () => {
      responses.delete(response);
      // A response that had sent its headers promised keep-alive; its connection becomes idle only now.
      if (isDraining) setImmediate(() => server.closeIdleConnections());
    });
  });

  return {
    async drain(withinMs) {
      if (!server.listening) return 0;
      isDraining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const response of responses) closeConnectionAfter(response);
      // Browsers open connections in advance. Node counts a connection without any request as busy.
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
