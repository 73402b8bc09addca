// node scripts/set-up/generate-clients.js <folder of a schema> …: generates its Prisma client.
//
// It calls what `prisma generate` calls. Prisma's command line does the same, and brings 130 MB for
// its studio, a PostgreSQL of its own and a package that refuses Node 20.
import { createRequire } from 'node:module';

// Its modules for `import` name files that are not there (7.10).
const require = createRequire(import.meta.url);
/** @type {import('@prisma/internals')} */
const { getGenerators, loadSchemaContext } = require('@prisma/internals');
/** @type {import('@prisma/client-generator-ts')} */
const { PrismaClientTsGenerator } = require('@prisma/client-generator-ts');

for (const folder of process.argv.slice(2)) {
  const schemaContext = await loadSchemaContext({
    schemaPath: { cliProvidedPath: folder },
    printLoadMessage: false,
  });
  const generators = await getGenerators({
    schemaContext,
    cliCommand: 'generate',
    printDownloadProgress: false,
    registry: { 'prisma-client': { type: 'in-process', generator: new PrismaClientTsGenerator() } },
  });
  for (const generator of generators) {
    await generator.generate();
    generator.stop();
  }
}
