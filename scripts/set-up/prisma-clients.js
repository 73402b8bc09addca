import { runProgram } from './command-line.js';
import { fingerprintOf, readMark, writeMark } from './fingerprint.js';
import { inProject, projectFolder } from './project.js';
import { Refusal } from './refusal.js';

const PROVIDERS = ['sqlite', 'postgresql'];

/** Generates the Prisma client of each provider whose models changed since it was generated. */
export async function ensureGenerated() {
  const outdated = PROVIDERS.map((provider) => ({
    provider,
    wanted: fingerprintOfClient(provider),
  })).filter(({ provider, wanted }) => readMark(markFileOf(provider)) !== wanted);
  if (outdated.length === 0) return;
  const folders = outdated.map(({ provider }) => `prisma/${provider}`);
  // In a process of its own, which gives back the 100 MB that Prisma takes for it.
  const args = [inProject('scripts', 'set-up', 'generate-clients.js'), ...folders];
  if ((await runProgram(process.execPath, args)) !== 0) {
    throw new Refusal('Generating the Prisma clients failed; see above.');
  }
  for (const { provider, wanted } of outdated) writeMark(markFileOf(provider), wanted);
}

/** @param {string} provider */
function fingerprintOfClient(provider) {
  return fingerprintOf(projectFolder, [
    'prisma/models.prisma',
    `prisma/${provider}/schema.prisma`,
    'node_modules/@prisma/client-generator-ts/package.json',
  ]);
}

/** @param {string} provider */
function markFileOf(provider) {
  return inProject('prisma', provider, 'client', '.generated-from');
}
