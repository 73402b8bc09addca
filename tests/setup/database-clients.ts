import { ensureGenerated } from '../../scripts/set-up/prisma-clients.js';

/** The stores' tests import the generated clients. */
export default ensureGenerated;
