import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a node and a server, and can go silent as a broken network does: nobody is told. */
export interface FreezingProxy {
  port: number;
  /** From now on nothing passes on connections that have said `word`; answers how many those are. */
  freeze(word: string): number;
  /** From now on nothing passes at all, on new connections neither. */
  freezeAll(): void;
  /** New connections pass again; those that were frozen stay so, as after a firewall forgot them. */
  heal(): void;
  close(): Promise<void>;
}

export async function startFreezingProxy(targetPort: number): Promise<FreezingProxy> {
  let isDark = false;
  const links = new Set<{ said: string; ends: [Socket, Socket]; isFrozen: boolean }>();
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    const link = { said: '', ends: [near, far] as [Socket, Socket], isFrozen: isDark };
    links.add(link);
    const passOn = (from: Socket, to: Socket) => {
      from.on('data', (chunk: Buffer) => {
        if (link.isFrozen) return;
        if (from === near) link.said = (link.said + chunk.toString('latin1')).slice(-4000);
        to.write(chunk);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        // Of a broken network nobody hears that the other side went, either.
        if (!link.isFrozen || from === near) to.destroy();
        links.delete(link);
      });
    };
    passOn(near, far);
    passOn(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    freeze(word) {
      const silent = [...links].filter(({ said }) => said.includes(word));
      for (const link of silent) link.isFrozen = true;
      return silent.length;
    },
    freezeAll() {
      isDark = true;
      for (const link of links) link.isFrozen = true;
    },
    heal() {
      isDark = false;
    },
    async close() {
      for (const { ends } of links) for (const end of ends) end.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
