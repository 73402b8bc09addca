import { pathToFileURL } from 'node:url';
import { inProject } from '../../scripts/set-up/project.js';
import { startScript } from '../tooling/run-script.ts';
import { NodeProcess } from './node-process.ts';

/** One process whose sessions are in Redis; see `redis-server.ts`. */
export class RedisNode extends NodeProcess {
  protected readonly serving = /serving on (\d+)/;

  constructor(
    readonly redisUrl: string,
    /** Whether memory may answer; else each request reads its row. */
    readonly memory: 'off' | 'leased' = 'off',
  ) {
    super();
  }

  protected launch(port: number) {
    return startScript(
      '../tests/faults/redis-server.ts',
      {},
      {
        args: [String(port), this.redisUrl, this.memory],
        nodeArgs: ['--import', pathToFileURL(inProject('node_modules/tsx/dist/loader.mjs')).href],
      },
    );
  }

  protected asking(token: string) {
    return { method: 'GET', path: '/', headers: { Authorization: `Bearer ${token}` } };
  }

  protected ending(token: string) {
    return { ...this.asking(token), method: 'DELETE', doneBy: 204 };
  }
}
