import { pathToFileURL } from 'node:url';
import { inProject } from '../../scripts/set-up/project.js';
import { startScript } from '../tooling/run-script.ts';
import { NodeProcess } from './node-process.ts';

/** A process with its sessions in Redis; see `redis-server.ts`. */
export class RedisNode extends NodeProcess {
  protected readonly serving = /serving on (\d+)/;

  constructor(
    readonly redisUrl: string,
    /** `off`: each request reads its row. */
    readonly cache: 'off' | 'leased' = 'off',
  ) {
    super();
  }

  protected launch(port: number) {
    return startScript(
      '../tests/faults/redis-server.ts',
      {},
      {
        args: [String(port), this.redisUrl, this.cache],
        nodeArgs: ['--import', pathToFileURL(inProject('node_modules/tsx/dist/loader.mjs')).href],
      },
    );
  }

  protected checkRequest(token: string) {
    return { method: 'GET', path: '/', headers: { Authorization: `Bearer ${token}` } };
  }

  protected revokeRequest(token: string) {
    return { ...this.checkRequest(token), method: 'DELETE', successStatus: 204 };
  }
}
