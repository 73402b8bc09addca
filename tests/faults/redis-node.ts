import { pathToFileURL } from 'node:url';
import { inProject } from '../../scripts/set-up/project.js';
import { startScript } from '../tooling/run-script.ts';
import type { Target, Verdict } from './checker.ts';
import { NodeProcess } from './node-process.ts';

/** One process whose sessions are in Redis; see `redis-server.ts`. */
export class RedisNode extends NodeProcess {
  protected readonly serving = /serving on (\d+)/;

  constructor(readonly redisUrl: string) {
    super();
  }

  protected launch(port: number) {
    return startScript(
      '../tests/faults/redis-server.ts',
      {},
      {
        args: [String(port), this.redisUrl],
        nodeArgs: ['--import', pathToFileURL(inProject('node_modules/tsx/dist/loader.mjs')).href],
      },
    );
  }

  async ask(token: string): Promise<Verdict> {
    try {
      const status = await this.send('GET', '/', { Authorization: `Bearer ${token}` });
      if (status === 503) return 'unavailable';
      return status === 200 ? 'live' : 'refused';
    } catch {
      return 'unavailable';
    }
  }

  async revoke({ token }: Target): Promise<true | 'unavailable'> {
    try {
      const status = await this.send('DELETE', '/', { Authorization: `Bearer ${token}` });
      return status === 204 ? true : 'unavailable';
    } catch {
      return 'unavailable';
    }
  }
}
