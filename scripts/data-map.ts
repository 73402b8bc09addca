// npm run data-map: writes docs/processing.md from the data map.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { processingRecord } from '#app/privacy/data-map/processing-record.ts';

const file = fileURLToPath(new URL('../docs/processing.md', import.meta.url));
const options = await resolveConfig(file);
writeFileSync(file, await format(processingRecord(), { ...options, filepath: file }));
