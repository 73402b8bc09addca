import { ensureGenerated } from '../../scripts/set-up/prisma-clients.js';
import { ensureExistingClients } from '../fixtures/existing-application.ts';

/** Generates the Prisma clients that the stores' tests import. */
export default async function setup(): Promise<void> {
  await ensureGenerated();
  await ensureExistingClients();
}
