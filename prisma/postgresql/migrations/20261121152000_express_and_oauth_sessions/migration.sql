-- CreateTable
CREATE TABLE "ExpressSession" (
    "sessionId" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "application" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "data" TEXT NOT NULL,

    CONSTRAINT "ExpressSession_pkey" PRIMARY KEY ("sessionId")
);

-- CreateTable
CREATE TABLE "OauthSession" (
    "id" TEXT NOT NULL,
    "store" TEXT NOT NULL,
    "isOnline" BOOLEAN NOT NULL,
    "accessToken" TEXT NOT NULL,
    "refreshToken" TEXT,
    "userId" TEXT,
    "firstName" TEXT,
    "lastName" TEXT,
    "email" TEXT,
    "emailVerified" BOOLEAN,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastSeenAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "OauthSession_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "ExpressSession_userId_idx" ON "ExpressSession"("userId");

-- CreateIndex
CREATE INDEX "ExpressSession_application_idx" ON "ExpressSession"("application");

-- CreateIndex
CREATE UNIQUE INDEX "OauthSession_store_key" ON "OauthSession"("store");

-- CreateIndex
CREATE INDEX "OauthSession_userId_idx" ON "OauthSession"("userId");

-- CreateIndex
CREATE INDEX "OauthSession_email_idx" ON "OauthSession"("email");

-- CreateIndex
CREATE INDEX "OutgoingMail_expiresAt_idx" ON "OutgoingMail"("expiresAt");

-- AddForeignKey
ALTER TABLE "ExpressSession" ADD CONSTRAINT "ExpressSession_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES "Session"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ExpressSession" ADD CONSTRAINT "ExpressSession_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
