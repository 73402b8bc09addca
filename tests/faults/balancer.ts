import { setTimeout as delay } from 'node:timers/promises';
import type { NodeProcess, Sent } from './node-process.ts';

const READYZ = { method: 'GET', path: '/readyz', headers: {} };
const LOOK_EVERY_MS = 100;

/** Sends requests to whichever nodes say at /readyz that they are ready, as a proxy in front does. */
export interface Balancer {
  /** The status of the answer; 0 where the node that it went to did not answer. */
  send(sent: Sent): Promise<number>;
  close(): void;
}

export function startBalancer(nodes: readonly NodeProcess[]): Balancer {
  const ready = new Set<NodeProcess>(nodes);
  let turn = 0;
  let isClosed = false;
  const look = async (node: NodeProcess) => {
    while (!isClosed) {
      const isReady = await node.send(READYZ).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (isReady) ready.add(node);
      else ready.delete(node);
      await delay(LOOK_EVERY_MS);
    }
  };
  for (const node of nodes) void look(node);
  return {
    async send(sent) {
      const [...choice] = ready;
      const node = choice[(turn += 1) % choice.length];
      if (!node) return 0;
      return node.send(sent).then(
        ({ status }) => status,
        () => 0,
      );
    },
    close() {
      isClosed = true;
    },
  };
}
