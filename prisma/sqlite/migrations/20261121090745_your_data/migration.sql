-- CreateTable
CREATE TABLE "Picture" (
    "userId" TEXT NOT NULL PRIMARY KEY,
    "small" BLOB NOT NULL,
    "large" BLOB NOT NULL,
    "digest" TEXT NOT NULL,
    "updatedAt" DATETIME NOT NULL,
    CONSTRAINT "Picture_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ErasureReceipt" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "erasedAt" DATETIME NOT NULL,
    "counts" TEXT NOT NULL,
    "subjectDigest" TEXT NOT NULL,
    "pending" TEXT
);

-- CreateIndex
CREATE UNIQUE INDEX "ErasureReceipt_subjectDigest_key" ON "ErasureReceipt"("subjectDigest");

-- CreateIndex
CREATE INDEX "ErasureReceipt_erasedAt_idx" ON "ErasureReceipt"("erasedAt");
