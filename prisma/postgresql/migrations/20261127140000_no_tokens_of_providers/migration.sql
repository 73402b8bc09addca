-- The application does not act for users at their providers, so it keeps no tokens of theirs. The column
-- goes in a later migration, when no node of an earlier version reads it any more.
UPDATE "Connection" SET "tokens" = NULL;
