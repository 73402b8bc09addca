import type { AnyOperation } from '../operation.server.ts';
import { download } from './download.server.ts';
import { logout, whoAmI } from './current-session.server.ts';
import { endOtherSessions, endSessionById, listSessions, nameSession } from './sessions.server.ts';
import { confirm, login, secondStep } from './sign-in.server.ts';

/** Every operation of the API, in the order of its description. */
export const allOperations: readonly AnyOperation[] = [
  login,
  secondStep,
  whoAmI,
  confirm,
  logout,
  listSessions,
  nameSession,
  // Before `endSessionById`, whose path matches any id.
  endOtherSessions,
  endSessionById,
  download,
];
