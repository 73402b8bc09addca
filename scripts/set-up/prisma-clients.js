import { runInstalledQuietly } from './command-line.js';
import { fingerprintOf, readMark, writeMark } from './fingerprint.js';
import { prismaEnvironment } from './installation.js';
import { inProject, projectFolder } from './project.js';
import { Refusal } from './refusal.js';

const PROVIDERS = ['sqlite', 'postgresql'];

/** Generates the Prisma client of each provider if its models changed since the last generation. */
export async function ensureGenerated() {
  await Promise.all(PROVIDERS.map(ensureClient));
}

/** @param {string} provider */
async function ensureClient(provider) {
  const wanted = fingerprintOf(projectFolder, [
    'prisma.config.ts',
    'prisma/models.prisma',
    `prisma/${provider}/schema.prisma`,
    'node_modules/prisma/package.json',
  ]);
  const markFile = inProject('prisma', provider, 'client', '.generated-from');
  if (readMark(markFile) === wanted) return;

  const code = await runInstalledQuietly('prisma/build/index.js', ['generate', '--no-hints'], {
    env: { ...prismaEnvironment, PRISMA_PROVIDER: provider },
  });
  if (code !== 0) {
    throw new Refusal(`Generating the Prisma client for ${provider} failed; see above.`);
  }
  writeMark(markFile, wanted);
}
