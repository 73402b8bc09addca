import type { AnyOperation } from '../operation.server.ts';
import { download } from './download.server.ts';
import { logout, whoAmI } from './current-session.server.ts';
import { endOtherSessions, endSessionById, listSessions, nameSession } from './sessions.server.ts';
import { confirm, login, secondStep } from './sign-in.server.ts';

/** All that the API does, in the order in which somebody reads of it. */
export const allOperations: readonly AnyOperation[] = [
  login,
  secondStep,
  whoAmI,
  confirm,
  logout,
  listSessions,
  nameSession,
  // Before what takes any id.
  endOtherSessions,
  endSessionById,
  download,
];
