import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy between a node and a server that can go silent like a broken network: no side is notified. */
export interface FreezingProxy {
  port: number;
  /** Freezes the connections on which the node has sent `word`. Returns their number. */
  freeze(word: string): number;
  /** Freezes all connections, new ones too. */
  freezeAll(): void;
  /** Lets new connections work again. Frozen ones stay frozen, as if a firewall had dropped their state. */
  heal(): void;
  close(): Promise<void>;
}

export async function startFreezingProxy(targetPort: number): Promise<FreezingProxy> {
  let isAllFrozen = false;
  const links = new Set<{ sent: string; ends: [Socket, Socket]; isFrozen: boolean }>();
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    const link = { sent: '', ends: [near, far] as [Socket, Socket], isFrozen: isAllFrozen };
    links.add(link);
    const forward = (from: Socket, to: Socket) => {
      from.on('data', (chunk: Buffer) => {
        if (link.isFrozen) return;
        if (from === near) link.sent = (link.sent + chunk.toString('latin1')).slice(-4000);
        to.write(chunk);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        // On a frozen link the node is not notified either that the server closed the connection.
        if (!link.isFrozen || from === near) to.destroy();
        links.delete(link);
      });
    };
    forward(near, far);
    forward(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    freeze(word) {
      const matching = [...links].filter(({ sent }) => sent.includes(word));
      for (const link of matching) link.isFrozen = true;
      return matching.length;
    },
    freezeAll() {
      isAllFrozen = true;
      for (const link of links) link.isFrozen = true;
    },
    heal() {
      isAllFrozen = false;
    },
    async close() {
      for (const { ends } of links) for (const end of ends) end.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
