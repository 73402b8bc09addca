import { join } from 'node:path';
import { startScript } from '../tooling/run-script.ts';
import type { Target, Verdict } from './checker.ts';
import { NodeProcess } from './node-process.ts';

export interface ApplicationNodeOptions {
  databaseUrl: string;
  /** With the secrets that all nodes share. */
  folder: string;
}

/** One process of the built application, as a supervisor runs it. */
export class ApplicationNode extends NodeProcess {
  protected readonly serving = /"origin":"http:\/\/localhost:(\d+)","msg":"Latchkey is serv/;

  constructor(readonly options: ApplicationNodeOptions) {
    super();
  }

  protected launch(port: number) {
    const { databaseUrl, folder } = this.options;
    return startScript(
      'run-built.js',
      {
        ...{ PORT: String(port), DATABASE_URL: databaseUrl, BCRYPT_COST: '4' },
        ...{ SECRETS_FILE: join(folder, 'secrets.json'), OUTBOX_FOLDER: join(folder, 'outbox') },
        ...{ ERASURE_JOURNAL: join(folder, 'erasures.jsonl'), PWNED_PASSWORDS: 'off' },
      },
      { args: ['server'] },
    );
  }

  async ask(token: string): Promise<Verdict> {
    try {
      const headers = { Cookie: `session=${token}`, 'Sec-Fetch-Site': 'same-origin' };
      const status = await this.send('GET', '/settings/profile.data', headers);
      if (status === 503) return 'unavailable';
      return status === 200 ? 'live' : 'refused';
    } catch {
      return 'unavailable';
    }
  }

  /** By its own browser, as people do. */
  async revoke({ token }: Target): Promise<true | 'unavailable'> {
    try {
      const status = await this.send('POST', '/logout', {
        ...{ Cookie: `session=${token}`, Origin: this.origin, 'Sec-Fetch-Site': 'same-origin' },
        ...{ 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '0' },
      });
      return status === 302 ? true : 'unavailable';
    } catch {
      return 'unavailable';
    }
  }
}
