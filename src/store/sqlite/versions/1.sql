-- The whole current schema of a lictor database, version 1.
--
-- The file's application_id is 0x4C494354 ("LICT") and its user_version is the number above;
-- src/store/sqlite.rs sets both in the transaction that creates the tables.

CREATE TABLE users (
    -- AUTOINCREMENT: the id of a deleted user never belongs to anybody else, so that an old
    -- token cannot name a new person.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- As the person wrote it (RFC 8265, UsernameCasePreserved).
    name TEXT NOT NULL,
    -- The same with case mapped (UsernameCaseMapped): what makes two names the same.
    name_key TEXT NOT NULL UNIQUE,
    -- The address that also serves as a login name, and the form that makes two the same.
    email TEXT,
    email_key TEXT UNIQUE,
    -- A PHC string.
    password TEXT NOT NULL,
    -- Joined by commas, as the rls claim has them; no character that base64url would turn into
    -- one that a browser's atob() refuses.
    roles TEXT NOT NULL DEFAULT '' CHECK (roles NOT GLOB '*[^A-Za-z0-9_.:,-]*'),
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    -- Seconds since the Unix epoch.
    created INTEGER NOT NULL,
    CHECK ((email IS NULL) = (email_key IS NULL))
) STRICT;
