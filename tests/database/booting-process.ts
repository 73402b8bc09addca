// A process that applies migrations at a given time, and prints the names of those that it applied.
import { setTimeout as sleep } from 'node:timers/promises';
import { applyMigrations } from '../../app/database/migrations.server.ts';

const [databaseUrl = '', migrationsFolder, startAt = '0'] = process.argv.slice(2);
const log = { info: () => undefined, warn: () => undefined };
await sleep(Math.max(0, Number(startAt) - Date.now()));
console.log(JSON.stringify(await applyMigrations({ databaseUrl, migrationsFolder, log })));
