import type { Express, RequestHandler } from 'express';
import { createEmailChange } from '#app/account/email-change.server.ts';
import { createEndAllAccess } from '#app/account/end-all-access.server.ts';
import { createNotMe } from '#app/account/not-me.server.ts';
import { createPasswordReset } from '#app/account/password-reset.server.ts';
import { MAX_PICTURE_FORM_BYTES, PICTURE_PATHS } from '#app/account/picture-upload.server.ts';
import { createPictures } from '#app/account/pictures.server.ts';
import { createActivityLog } from '#app/activity/activity-log.server.ts';
import { createNotices } from '#app/activity/notices.server.ts';
import { createActivity } from '#app/activity/record-activity.server.ts';
import { createApi } from '#app/api/api.server.ts';
import { createApiGuide } from '#app/api/guide.server.ts';
import type { Base } from '#app/base.server.ts';
import type { Env } from '#app/config/env.server.ts';
import { createPrivateFolder } from '#app/config/private-folder.server.ts';
import { createCodeByMail } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { createMailedCodes } from '#app/credentials/mailed-codes/mailed-codes.server.ts';
import { createPasskeyChallenges } from '#app/credentials/passkeys/passkey-challenges.server.ts';
import { createPasskeys } from '#app/credentials/passkeys/passkeys.server.ts';
import { createPasswordRules } from '#app/credentials/password/password-rules.server.ts';
import { createConnections } from '#app/credentials/providers/connections.server.ts';
import { createOauthSessions } from '#app/credentials/providers/oauth-sessions.server.ts';
import { createProviderRequests } from '#app/credentials/providers/provider-requests.server.ts';
import {
  createNewRecoveryCodes,
  createRecoveryCodes,
} from '#app/credentials/recovery-codes/recovery-codes.server.ts';
import { createTotpSetUps } from '#app/credentials/totp/totp-set-up.server.ts';
import { createTotp } from '#app/credentials/totp/totp.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { Redis } from '#app/database/redis.server.ts';
import { createReplayGuard } from '#app/database/replay-guard.server.ts';
import { createUsers } from '#app/database/users.server.ts';
import { createDevices } from '#app/devices/devices.server.ts';
import { createFreshProof } from '#app/http/fresh-proof.server.ts';
import { createGuard } from '#app/http/guard.server.ts';
import { accessByRoute } from '#app/http/route-access.ts';
import { createSavedForms } from '#app/http/saved-forms.server.ts';
import { sealedCookies } from '#app/http/sealed-cookie.server.ts';
import { createSessionCookie } from '#app/http/session-cookie.server.ts';
import { createSettleVisit } from '#app/http/settle-visit.server.ts';
import { createStartVisit } from '#app/http/start-visit.server.ts';
import { createToast } from '#app/http/toast.server.ts';
import { createWeb } from '#app/http/web.server.ts';
import { createAttempts } from '#app/limits/attempts.server.ts';
import { createMemoryCounters, type CounterStore } from '#app/limits/counters.server.ts';
import { createPostgresCounters } from '#app/limits/postgres-counters.server.ts';
import { createRateLimits } from '#app/limits/rate-limits.server.ts';
import { createRedisCounters } from '#app/limits/redis-counters.server.ts';
import { createSessionStreams, SESSION_EVENTS_PATH } from '#app/live/session-streams.server.ts';
import { outboxHeaders } from '#app/mail/outbox-access.server.ts';
import { startMail } from '#app/mail/start-mail.server.ts';
import type { Closers } from '#app/operations/closers.server.ts';
import { createHealth } from '#app/operations/health.server.ts';
import { showMetrics } from '#app/operations/metrics-endpoint.server.ts';
import { createDataDownloads } from '#app/privacy/download/data-download.server.ts';
import { createErasureJournal } from '#app/privacy/erasure-journal.server.ts';
import { createErasures } from '#app/privacy/erasure.server.ts';
import { urls } from '#app/routes.ts';
import { createSessionEngines } from '#app/session-engines.server.ts';
import { createBrowserSession } from '#app/sign-in/browser-session.server.ts';
import { createCredentialChecks } from '#app/sign-in/check-credentials.server.ts';
import { createConfirmIdentity } from '#app/sign-in/confirm-identity.server.ts';
import { createPendingSignIns } from '#app/sign-in/pending-sign-in.server.ts';
import { createSecurityChanges } from '#app/sign-in/security-change.server.ts';
import { createSignIn } from '#app/sign-in/sign-in.server.ts';
import { createPendingConnections } from '#app/sign-up/pending-connection.server.ts';
import { createSignUp } from '#app/sign-up/sign-up.server.ts';
import { createAccessTokens, createNewTokens } from '#app/tokens/access-tokens.server.ts';

/** What routes, the API and tests work with. */
export type App = ReturnType<typeof createApplication>['app'];

/**
 * Makes every object that lives as long as the process; each line needs lines above it. Nothing is
 * awaited: it runs between "the port is open" and the first request.
 *
 * @param origin scheme, host and port under which users reach the application.
 */
export function createApplication(base: Base, origin: string, closers: Closers) {
  const { env, log, now, keyring, database, redis, feed, leased, places, metrics } = base;
  const { passwords, providers } = base;
  const db = database.client;

  const replayGuard = createReplayGuard(db);
  const users = createUsers(db);
  const { sessions, tokenSessions } = createSessionEngines(env, database, {
    feed,
    leased,
    metrics,
  });
  metrics.watchFeed(() => feed.isLinked());

  // `env.ORIGIN`, because the name of a cookie must not depend on the port that PORT=0 got.
  const sealedCookie = sealedCookies(keyring, env.ORIGIN);
  const sessionCookie = createSessionCookie(env.ORIGIN, sessions.timeouts);
  const toast = createToast(sealedCookie);
  const savedForms = createSavedForms(sealedCookie);
  const freshProof = createFreshProof({ sessions, savedForms, origin });
  const settleVisit = createSettleVisit({ sessions, sessionCookie });
  const startVisit = createStartVisit({ sessions, sessionCookie, places });

  const limits = createRateLimits(limitsOf(env), counterStore(database, redis), keyring);
  const attempts = createAttempts({ limits, users });

  const makeFolder = createPrivateFolder;
  const mail = startMail({ env, origin, db, keyring, now, log, makeFolder });
  closers.set('mail', () => mail.close());
  const { mailer, outbox } = mail;

  const streams = createSessionStreams({
    origin,
    sessions,
    sessionCookie,
    feed,
    metrics,
    now,
    log,
    mostInAll: env.EVENT_STREAMS_IN_ALL,
  });
  closers.set('streams', () => streams.close());

  const passwordRules = createPasswordRules({
    rangeApi: env.PWNED_PASSWORDS === 'on' ? env.PWNED_PASSWORDS_URL : null,
    now,
    log,
  });
  const totp = createTotp({ db, keyring });
  const totpSetUps = createTotpSetUps({ sealedCookie, replayGuard });
  const recoveryCodes = createRecoveryCodes({ db, keyring });
  const newRecoveryCodes = createNewRecoveryCodes({ sealedCookie, replayGuard });
  const passkeys = createPasskeys({ db, origin, replayGuard });
  const challenges = createPasskeyChallenges(sealedCookie);
  const connections = createConnections({ db });
  const providerRequests = createProviderRequests({ sealedCookie, replayGuard, origin });
  const oauthSessions = createOauthSessions({ db, keyring, now });
  const mailedCodes = createMailedCodes({ db, keyring });
  const codeByMail = createCodeByMail({ sealedCookie, mailedCodes, mailer, attempts, origin });

  const activityLog = createActivityLog({
    db,
    provider: database.provider,
    checkpoint: database.checkpoint,
    retentionDays: env.ACTIVITY_RETENTION_DAYS,
  });
  const notices = createNotices({ mailedCodes, mailer, users, places, origin });
  const activity = createActivity({ activityLog, notices });
  const devices = createDevices({ sessions, activity });
  const accessTokens = createAccessTokens({ tokenSessions, activity });
  const newTokens = createNewTokens({ sealedCookie, replayGuard });

  const browserSession = createBrowserSession({ sessions, sessionCookie });
  const pendingSignIns = createPendingSignIns({ sealedCookie, keyring, users, replayGuard });
  const signIn = createSignIn({
    sessions,
    sessionCookie,
    totp,
    pendingSignIns,
    activity,
    toast,
  });
  const credentialChecks = createCredentialChecks({
    passwords,
    totp,
    recoveryCodes,
    attempts,
    activity,
  });
  const confirmIdentity = createConfirmIdentity({
    passwords,
    totp,
    connections,
    providers,
    attempts,
    activity,
    credentialChecks,
    browserSession,
    savedForms,
    origin,
  });
  const securityChanges = createSecurityChanges({
    activity,
    devices,
    accessTokens,
    browserSession,
  });

  const pendingConnections = createPendingConnections(sealedCookie);
  const signUp = createSignUp({
    limits,
    mailer,
    attempts,
    activity,
    providers,
    signIn,
    pendingConnections,
    toast,
  });

  const endAllAccess = createEndAllAccess({ sessions, tokenSessions });
  const passwordReset = createPasswordReset({
    sealedCookie,
    users,
    codeByMail,
    mailedCodes,
    passwords,
    replayGuard,
    attempts,
    mailer,
    activity,
    endAllAccess,
    sessionCookie,
    toast,
  });
  const emailChange = createEmailChange({ mailedCodes, mailer, activity, endAllAccess, origin });
  const notMe = createNotMe({ users, activity, endAllAccess, passwordReset, sessionCookie });
  const pictures = createPictures({ db });

  const downloads = createDataDownloads({
    places,
    sessions,
    tokenSessions,
    replayGuard,
    snapshots: database.snapshots,
    activityLog,
  });
  const erasures = createErasures({
    db,
    provider: database.provider,
    keyring,
    log,
    journal: createErasureJournal({ file: env.ERASURE_JOURNAL, makeFolder }),
    mailer,
    forget: {
      counters: (user) => limits.forget(user),
      mail: (address) => mail.forget(address),
    },
  });
  const apiGuide = createApiGuide({ origin, sessionCookie });

  const app = {
    origin,
    db,
    log,
    metrics,
    keyring,
    replayGuard,
    users,
    sessions,
    tokenSessions,
    feed,
    streams,
    places,
    sessionCookie,
    toast,
    savedForms,
    freshProof,
    limits,
    attempts,
    mailer,
    outbox,
    passwords,
    passwordRules,
    totp,
    totpSetUps,
    recoveryCodes,
    newRecoveryCodes,
    passkeys,
    challenges,
    providers,
    connections,
    providerRequests,
    oauthSessions,
    mailedCodes,
    codeByMail,
    activityLog,
    activity,
    devices,
    accessTokens,
    newTokens,
    browserSession,
    pendingSignIns,
    signIn,
    credentialChecks,
    confirmIdentity,
    securityChanges,
    pendingConnections,
    signUp,
    endAllAccess,
    passwordReset,
    emailChange,
    notMe,
    pictures,
    downloads,
    erasures,
    apiGuide,
  };

  const health = createHealth({
    checks: [
      { name: 'database', check: () => database.isAnswering() },
      { name: 'migrations', check: () => database.isMigrated() },
    ],
    // Without it open pages show changes late; every request is answered all the same.
    besides: [{ name: 'feed', check: () => feed.isLinked() }],
    log,
  });
  const web: Express = createWeb({
    app,
    origin,
    log,
    metrics,
    tracing: base.tracing,
    now,
    isDevelopment: base.isDevelopment,
    trustedProxies: env.TRUSTED_PROXIES,
    build: base.remix.build,
    files: base.remix.files,
    operations: [health.answer, ...metricsRoutes(base)],
    outboxHeaders: outbox ? outboxHeaders : null,
    events: { path: SESSION_EVENTS_PATH, answer: streams.answer },
    api: createApi({ app, startVisit, settleVisit, now }),
    largeForms: { paths: PICTURE_PATHS, maxBytes: MAX_PICTURE_FORM_BYTES },
    guard: createGuard({
      origin,
      access: accessByRoute(urls),
      savedForms,
      freshProof,
      settleVisit,
    }),
    startVisit,
  });
  return { web, app, health, mailWorker: mail.worker };
}

/** Metrics on the port of the pages, for clients with the token; none if they have a port of their own. */
function metricsRoutes({ env, shownMetrics, metricsPort }: Base): RequestHandler[] {
  if (!shownMetrics || metricsPort !== null) return [];
  return [showMetrics({ metrics: shownMetrics, token: env.METRICS_TOKEN ?? null })];
}

/** Where attempts are counted: shared by all processes if they share a place. */
function counterStore({ client, provider }: Database, redis: Redis | null): CounterStore {
  if (redis) return createRedisCounters(redis);
  return provider === 'postgresql' ? createPostgresCounters(client) : createMemoryCounters();
}

const limitsOf = (env: Env) => ({
  passwordTriesPerAccount: env.PASSWORD_TRIES_PER_ACCOUNT,
  passwordTriesPerNetwork: env.PASSWORD_TRIES_PER_NETWORK,
  passwordTriesInAll: env.PASSWORD_TRIES_IN_ALL,
  codeTriesPerAccount: env.CODE_TRIES_PER_ACCOUNT,
  codeTriesPerNetwork: env.CODE_TRIES_PER_NETWORK,
  codeTriesInAll: env.CODE_TRIES_IN_ALL,
  signUpsPerNetwork: env.SIGN_UPS_PER_NETWORK,
  signUpsInAll: env.SIGN_UPS_IN_ALL,
  mailsPerAddress: env.MAILS_PER_ADDRESS,
  mailsPerNetwork: env.MAILS_PER_NETWORK,
  mailsInAll: env.MAILS_IN_ALL,
});
