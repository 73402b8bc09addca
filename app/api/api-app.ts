import type { Activity } from '#app/activity/record-activity.server.ts';
import type { Totp } from '#app/credentials/totp/totp.server.ts';
import type { Users } from '#app/database/users.server.ts';
import type { Devices } from '#app/devices/devices.server.ts';
import type { SessionCookie } from '#app/http/session-cookie.server.ts';
import type { Places } from '#app/network/places.server.ts';
import type { DataDownloads } from '#app/privacy/download/data-download.server.ts';
import type { Sessions } from '#app/sessions/index.ts';
import type { BrowserSession } from '#app/sign-in/browser-session.server.ts';
import type { CredentialChecks } from '#app/sign-in/check-credentials.server.ts';
import type { ConfirmIdentity } from '#app/sign-in/confirm-identity.server.ts';
import type { PendingSignIns } from '#app/sign-in/pending-sign-in.server.ts';
import type { SignIn } from '#app/sign-in/sign-in.server.ts';
import type { AccessTokens, TokenSessions } from '#app/tokens/access-tokens.server.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';

/** The features that the operations of the API use. */
export interface ApiApp {
  origin: string;
  sessionCookie: Pick<SessionCookie, 'name' | 'read'>;
  sessions: Pick<Sessions<SessionMeta, User>, 'list' | 'find' | 'name' | 'isFresh' | 'timeouts'>;
  tokenSessions: Pick<TokenSessions, 'list' | 'find' | 'name' | 'resume'>;
  places: Pick<Places, 'describe'>;
  users: Pick<Users, 'find'>;
  totp: Pick<Totp, 'isOn'>;
  activity: Pick<Activity, 'record'>;
  devices: Pick<Devices, 'signOut' | 'signOutOthers'>;
  accessTokens: Pick<AccessTokens, 'revoke' | 'revokeAll'>;
  browserSession: BrowserSession;
  credentialChecks: CredentialChecks;
  confirmIdentity: Pick<ConfirmIdentity, 'withFactors'>;
  pendingSignIns: Pick<PendingSignIns, 'seal' | 'unseal' | 'use'>;
  signIn: Pick<SignIn, 'complete'>;
  downloads: Pick<DataDownloads, 'open'>;
}
