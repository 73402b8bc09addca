-- CreateTable
CREATE TABLE "CacheLease" (
    "id" TEXT NOT NULL,
    "takenAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "CacheLease_pkey" PRIMARY KEY ("id")
);

-- The news of sessions, for every node that listens; see app/sessions/feeds/postgres.ts. Raised by the
-- database itself, so that a row that is deleted by hand or by a cascade counts too.
CREATE FUNCTION latchkey_tell_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM pg_notify('latchkey_' || TG_TABLE_SCHEMA, 'started ' || NEW."id" || ' ' || NEW."userId");
  ELSIF TG_OP = 'DELETE' OR (NEW."revokedAt" IS NOT NULL AND OLD."revokedAt" IS NULL) THEN
    PERFORM pg_notify('latchkey_' || TG_TABLE_SCHEMA, 'ended ' || OLD."id" || ' ' || OLD."userId");
  ELSE
    PERFORM pg_notify('latchkey_' || TG_TABLE_SCHEMA, 'changed ' || OLD."id" || ' ' || OLD."userId");
  END IF;
  RETURN NULL;
END $$;

-- What is read along with sessions: their person, and the picture.
CREATE FUNCTION latchkey_tell_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('latchkey_' || TG_TABLE_SCHEMA, 'changed * ' || OLD."id");
  RETURN NULL;
END $$;

CREATE FUNCTION latchkey_tell_picture() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  owner text;
BEGIN
  IF TG_OP = 'DELETE' THEN owner := OLD."userId"; ELSE owner := NEW."userId"; END IF;
  PERFORM pg_notify('latchkey_' || TG_TABLE_SCHEMA, 'changed * ' || owner);
  RETURN NULL;
END $$;

CREATE TRIGGER "Session_tell_started" AFTER INSERT ON "Session"
  FOR EACH ROW EXECUTE FUNCTION latchkey_tell_session();

-- A touch, which only moves the times on, is no news.
CREATE TRIGGER "Session_tell_changed" AFTER UPDATE ON "Session"
  FOR EACH ROW WHEN (
    NEW."revokedAt" IS DISTINCT FROM OLD."revokedAt" OR NEW."secretHash" IS DISTINCT FROM OLD."secretHash"
    OR NEW."userId" IS DISTINCT FROM OLD."userId" OR NEW."label" IS DISTINCT FROM OLD."label"
    OR NEW."meta" IS DISTINCT FROM OLD."meta" OR NEW."remember" IS DISTINCT FROM OLD."remember"
    OR NEW."createdAt" IS DISTINCT FROM OLD."createdAt" OR NEW."expiresAt" < OLD."expiresAt"
    OR NEW."reauthenticatedAt" IS DISTINCT FROM OLD."reauthenticatedAt"
  ) EXECUTE FUNCTION latchkey_tell_session();

-- Memory holds none that was revoked: removing those for their age is no news.
CREATE TRIGGER "Session_tell_deleted" AFTER DELETE ON "Session"
  FOR EACH ROW WHEN (OLD."revokedAt" IS NULL) EXECUTE FUNCTION latchkey_tell_session();

CREATE TRIGGER "User_tell_changed" AFTER UPDATE ON "User"
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION latchkey_tell_user();

CREATE TRIGGER "Picture_tell_changed" AFTER INSERT OR UPDATE OR DELETE ON "Picture"
  FOR EACH ROW EXECUTE FUNCTION latchkey_tell_picture();
