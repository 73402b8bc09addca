import { join } from 'node:path';
import { startScript } from '../tooling/run-script.ts';
import { NodeProcess } from './node-process.ts';

export interface ApplicationNodeOptions {
  databaseUrl: string;
  /** Holds the secrets, which all nodes share. */
  folder: string;
  env?: Record<string, string>;
}

/** A process of the built application, started as a supervisor starts it. */
export class ApplicationNode extends NodeProcess {
  protected readonly serving = /"origin":"http:\/\/localhost:(\d+)","msg":"Latchkey is serv/;

  constructor(readonly options: ApplicationNodeOptions) {
    super();
  }

  protected launch(port: number) {
    const { databaseUrl, folder, env } = this.options;
    return startScript(
      'run-built.js',
      {
        PORT: String(port),
        DATABASE_URL: databaseUrl,
        BCRYPT_COST: '4',
        SECRETS_FILE: join(folder, 'secrets.json'),
        OUTBOX_FOLDER: join(folder, 'outbox'),
        ERASURE_JOURNAL: join(folder, 'erasures.jsonl'),
        PWNED_PASSWORDS: 'off',
        ...env,
      },
      { args: ['server'] },
    );
  }

  protected checkRequest(token: string) {
    const headers = { Cookie: `session=${token}`, 'Sec-Fetch-Site': 'same-origin' };
    return { method: 'GET', path: '/settings/profile.data', headers };
  }

  /** The browser of the session signs itself out. */
  protected revokeRequest(token: string) {
    const headers = {
      Cookie: `session=${token}`,
      Origin: this.origin,
      'Sec-Fetch-Site': 'same-origin',
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': '0',
    };
    return { method: 'POST', path: '/logout', headers, successStatus: 302 };
  }
}
