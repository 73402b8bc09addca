// npm run env-example: writes .env.example from the schema that parses the environment.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { envExample } from '#app/config/env-example.server.ts';

writeFileSync(fileURLToPath(new URL('../.env.example', import.meta.url)), envExample());
