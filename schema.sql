-- The whole current schema of a lictor database, version 8.
--
-- The file's application_id is 0x4C494354 ("LICT") and its user_version is the number above;
-- src/store/sqlite/upgrade.rs sets both in the transaction that creates the tables. Times are
-- seconds since the Unix epoch.

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
    -- A PHC string, or the hash of another program as it came; '!' if there is no password.
    password TEXT NOT NULL,
    -- Joined by commas, as the rls claim has them; no character that base64url would turn into
    -- one that a browser's atob() refuses.
    roles TEXT NOT NULL DEFAULT '' CHECK (roles NOT GLOB '*[^A-Za-z0-9_.:,-]*'),
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    created INTEGER NOT NULL,
    -- A foreign token (--adopt-tokens) that was issued up to then is not adopted any more.
    tokens_after INTEGER NOT NULL DEFAULT 0,
    -- Failed logins from before then do not count any more (lictor user unlock).
    unlocked INTEGER NOT NULL DEFAULT 0,
    -- Failed logins since the last one that succeeded (NIST SP 800-63B-4 section 3.2.2).
    failures INTEGER NOT NULL DEFAULT 0,
    -- What mails to this person are written in: 'en', 'pt'.
    language TEXT NOT NULL DEFAULT 'en',
    -- Somebody has registered and not yet followed the link in the mail: until then the account
    -- waits, inactive, and goes. NULL for all others.
    unconfirmed INTEGER,
    -- When the user last logged in, 0 before the first login, and from where, if that is known.
    last_login INTEGER NOT NULL DEFAULT 0,
    last_login_address TEXT,
    CHECK ((email IS NULL) = (email_key IS NULL)),
    CHECK (unconfirmed IS NULL OR NOT active)
) STRICT;
-- For the list of users in this order.
CREATE INDEX users_by_last_login ON users (last_login, id);
CREATE INDEX users_unconfirmed ON users (unconfirmed) WHERE unconfirmed IS NOT NULL;
-- Those who may administrate and can log in, in the words of src/store/rows/users.rs. Whether one is left is asked
-- in a transaction, where reading all users would keep other writers waiting.
CREATE INDEX users_admins ON users (id)
    WHERE active AND replace(',' || roles || ',', ',admin,', '') <> ',' || roles || ','
    AND password <> '!';

-- The name that a user had in the program that the account was imported from.
CREATE TABLE former_names (
    -- As that program had it; it need not be a valid name here.
    name TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- When somebody first tried to log in with it and the user was told the present name; NULL
    -- before that.
    told INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX former_names_of_user ON former_names (user);

-- A login, from which tokens come until it ends.
CREATE TABLE sessions (
    -- The jti claim of all its tokens.
    jti TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    -- When the newest token was issued (its iat claim), and the one before.
    newest INTEGER NOT NULL,
    previous INTEGER,
    -- When the last token can no longer be refreshed (the rf_exp claim).
    expires INTEGER NOT NULL,
    -- When it was ended before its time. The row stays until the session would have expired, so
    -- that its tokens are known as revoked and never adopted.
    ended INTEGER,
    -- Where it began, and with what program.
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    -- Where it was last refreshed, and with what program; NULL before the first refresh.
    refreshed_address TEXT,
    refreshed_agent TEXT,
    -- When its browser last showed the session's cookie, to some minutes; NULL if it has none.
    seen INTEGER,
    CHECK ((refreshed_address IS NULL) = (refreshed_agent IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user, ended);
CREATE INDEX sessions_by_expiry ON sessions (expires);

-- A password for one program, in place of the user's own.
CREATE TABLE app_passwords (
    -- The first bytes of the hash in hexadecimal: what it is called in lists.
    id TEXT PRIMARY KEY,
    -- SHA-256 of the password, which only the program has.
    hash BLOB NOT NULL UNIQUE,
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- What the user calls it.
    name TEXT NOT NULL,
    -- The hosts for which it is good, joined by commas; '' for all.
    hosts TEXT NOT NULL DEFAULT '',
    -- Whether it is good for reading the API as well.
    api INTEGER NOT NULL DEFAULT 0 CHECK (api IN (0, 1)),
    created INTEGER NOT NULL,
    -- The last second in which it is good; NULL for one that does not expire.
    expires INTEGER,
    -- When and from where it was last used, to some minutes; NULL before that.
    used INTEGER,
    used_address TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX app_passwords_of_user ON app_passwords (user);
CREATE INDEX app_passwords_by_expiry ON app_passwords (expires) WHERE expires IS NOT NULL;

-- A mailed or handed-out token that can be used once: it is good while its row is here.
CREATE TABLE tickets (
    -- The jti claim of the token.
    jti TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- 'former' is good for nothing: it keeps the address of an earlier registration, whose name the
    -- user has taken, so that nobody is mailed there to confirm the later one.
    purpose TEXT NOT NULL CHECK (purpose IN ('registration', 'address', 'reset', 'former')),
    expires INTEGER NOT NULL,
    -- The address that the user will have: whoever has the token gets mail there.
    email TEXT CHECK ((email IS NULL) = (purpose = 'reset')),
    -- The administrator who handed it out or had it mailed; NULL for a mail that the user or a
    -- stranger asked for, and for the command line.
    creator INTEGER REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_of_user ON tickets (user);
CREATE INDEX tickets_by_expiry ON tickets (expires);
CREATE INDEX tickets_of_creator ON tickets (creator);

-- A mail that is to be sent; its row is deleted when it has been. It holds no token: that is made
-- when the mail is sent, from what stands here.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The Message-ID before the @, the same at each attempt.
    message TEXT NOT NULL,
    -- What it says; src/store/mail_kind.rs has the kinds.
    kind TEXT NOT NULL,
    -- Whose account it is about; NULL while it is not known whether there is one.
    user INTEGER REFERENCES users (id) ON DELETE CASCADE,
    -- The address that it goes to.
    email TEXT NOT NULL,
    -- When it was caused.
    created INTEGER NOT NULL,
    -- The jti claim of the token in its link, and the last second in which that can be used.
    jti TEXT,
    expires INTEGER,
    -- More, depending on the kind: the new address in a notice that it changed, the client's address
    -- in a request to reset a password, the former name in a notice that the user has another one,
    -- the language, the invitation's id and the note in an invitation.
    detail TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When it is tried next; NULL once that is given up.
    due INTEGER,
    -- Why the last attempt failed.
    failure TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_by_due ON outbox (due);
-- Mails with a link and notices are counted apart; strangers can cause the first.
CREATE INDEX outbox_links ON outbox (due) WHERE jti IS NOT NULL;
CREATE INDEX outbox_notices ON outbox (due) WHERE jti IS NULL;
CREATE INDEX outbox_of_user ON outbox (user);

-- A code that lets one person register where registration is by invitation.
CREATE TABLE invitations (
    -- The first bytes of the code's SHA-256 in hexadecimal: what it is called in lists.
    id TEXT PRIMARY KEY,
    -- SHA-256 of the code, which only the invited person has.
    hash BLOB NOT NULL UNIQUE,
    -- Roles that the account will have.
    roles TEXT NOT NULL DEFAULT '' CHECK (roles NOT GLOB '*[^A-Za-z0-9_.:,-]*'),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- The administrator who made it; NULL for the command line.
    creator INTEGER REFERENCES users (id) ON DELETE SET NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_expiry ON invitations (expires);
CREATE INDEX invitations_of_creator ON invitations (creator);

-- A time-based one-time password (RFC 6238) that logins must give as well.
CREATE TABLE second_factors (
    user INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret BLOB NOT NULL,
    created INTEGER NOT NULL,
    -- When the user showed that the secret arrived; before that it does not count.
    confirmed INTEGER,
    -- The time step of the last code that was used; only later ones are taken.
    last_step INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Codes for whoever has lost the second factor; each row is deleted by its use.
CREATE TABLE recovery_codes (
    user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    PRIMARY KEY (user, hash)
) STRICT, WITHOUT ROWID;

-- Who did what, when, from where. Rows outlive the users in them.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    -- Whose account, as far as it is known, and its name at that time.
    user INTEGER,
    name TEXT,
    -- The administrator, if it was not the user; NULL with an address for the user or a
    -- stranger, NULL without one for the command line.
    actor INTEGER,
    address TEXT,
    detail TEXT NOT NULL DEFAULT '',
    -- Whether it is a login that did not succeed. Strangers can cause any number of these, so they
    -- and all others each have a share of the table.
    failed INTEGER NOT NULL DEFAULT 0 CHECK (failed IN (0, 1)),
    -- Counts the entries of the share: the newest number tells which ones are beyond its limit.
    number INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX audit_by_number ON audit (failed, number);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_user ON audit (user);
