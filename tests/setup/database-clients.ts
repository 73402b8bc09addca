import { ensureGenerated } from '../../scripts/set-up/prisma-clients.js';
import { ensureExistingClients } from '../fixtures/existing-application.ts';

/** The stores' tests import the generated clients, those of an existing application among them. */
export default async function setup(): Promise<void> {
  await ensureGenerated();
  await ensureExistingClients();
}
