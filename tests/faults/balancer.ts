import { setTimeout as delay } from 'node:timers/promises';
import type { NodeProcess, NodeRequest } from './node-process.ts';

const READYZ = { method: 'GET', path: '/readyz', headers: {} };
const CHECK_EVERY_MS = 100;

/** A load balancer: sends requests to the nodes that are ready according to /readyz. */
export interface Balancer {
  /** Returns the status of the response; 0 if no node was ready or the node did not respond. */
  send(request: NodeRequest): Promise<number>;
  close(): void;
}

export function startBalancer(nodes: readonly NodeProcess[]): Balancer {
  const ready = new Set<NodeProcess>(nodes);
  let turn = 0;
  let isClosed = false;
  const checkRepeatedly = async (node: NodeProcess) => {
    while (!isClosed) {
      const isReady = await node.send(READYZ).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (isReady) ready.add(node);
      else ready.delete(node);
      await delay(CHECK_EVERY_MS);
    }
  };
  for (const node of nodes) void checkRepeatedly(node);
  return {
    async send(request) {
      const [...choice] = ready;
      const node = choice[(turn += 1) % choice.length];
      if (!node) return 0;
      return node.send(request).then(
        ({ status }) => status,
        () => 0,
      );
    },
    close() {
      isClosed = true;
    },
  };
}
