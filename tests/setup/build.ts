import { ensureBuilt } from '../../scripts/set-up/build.js';

/** Tests by the front door run what a person would run: the build. */
export default ensureBuilt;
