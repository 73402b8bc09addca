-- CreateTable
CREATE TABLE "Picture" (
    "userId" TEXT NOT NULL,
    "small" BYTEA NOT NULL,
    "large" BYTEA NOT NULL,
    "digest" TEXT NOT NULL,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Picture_pkey" PRIMARY KEY ("userId")
);

-- CreateTable
CREATE TABLE "ErasureReceipt" (
    "id" TEXT NOT NULL,
    "erasedAt" TIMESTAMP(3) NOT NULL,
    "counts" TEXT NOT NULL,
    "subjectDigest" TEXT NOT NULL,
    "pending" TEXT,

    CONSTRAINT "ErasureReceipt_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "ErasureReceipt_subjectDigest_key" ON "ErasureReceipt"("subjectDigest");

-- CreateIndex
CREATE INDEX "ErasureReceipt_erasedAt_idx" ON "ErasureReceipt"("erasedAt");

-- AddForeignKey
ALTER TABLE "Picture" ADD CONSTRAINT "Picture_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
