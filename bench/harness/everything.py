"""Rows of every kind, filled directly into an SQLite file that lictor has created, and tokens of some
of the sessions."""

import contextlib
import hashlib
import sqlite3

from .population import AGENT, REFRESH, Population, jti

# Failed logins that lictor keeps, and all other audit entries that it keeps.
FAILED_SHARE = 0.3
# The rules allow no more.
INVITATIONS = 1_000
MANY_SESSIONS = 1_000
DAY = 24 * 3600


class Everything(Population):
    """`count` users, sessions and audit entries, a tenth as many tickets, second factors, recovery
    codes and former names, and 1,000 invitations. servers.USER, who registered before, and the last
    user administrate; the last but one has 1,000 sessions."""

    def users(self, password):
        for number in range(1, self.count + 1):
            name, email = f"user-{number}", f"user-{number}@mail-{number % 997}.example.org"
            roles = "admin" if number == self.count else "user"
            created = self.now - 400 * DAY + number * 300 * DAY // self.count
            yield (1 + number, name, name, email, email, password, roles, int(number % 50 != 7), created)

    def all_sessions(self):
        yield from (row + (None,) for row in self.sessions())
        for number in range(MANY_SESSIONS - 1):
            ended = self.now - 60 if number % 3 == 0 else None
            times = (self.now - number, self.now - number, self.now + REFRESH)
            yield (jti(f"many-{number}"), self.count, *times, "127.0.0.1", AGENT, ended)

    def audit(self):
        """Entries of the last 80 days, one user's among them more often than others'."""
        for number in range(1, self.count + 1):
            failed = number % 10 < 10 * FAILED_SHARE
            user = 2 if number % 4 == 0 else 1 + number
            event = "login_failed" if failed else "login"
            at = self.now - 80 * DAY + number * 80 * DAY // self.count
            yield (at, event, user, f"user-{user - 1}", "192.0.2.1", int(failed), number)

    def fill(self, path):
        with contextlib.closing(sqlite3.connect(path)) as file:
            for pragma in ["synchronous = off", "cache_size = -1000000"]:
                file.execute(f"PRAGMA {pragma}")
            (password,) = file.execute("SELECT password FROM users WHERE id = 1").fetchone()
            with file:
                file.execute("UPDATE users SET roles = 'admin' WHERE id = 1")
                for table, columns, rows in self.tables(password):
                    places = ", ".join("?" for _ in columns.split(", "))
                    file.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def tables(self, password):
        some = range(1, self.count // 10 + 1)
        later = self.now + DAY
        users = "id, name, name_key, email, email_key, password, roles, active, created"
        sessions = "jti, user, created, newest, expires, address, agent, ended"
        yield "users", users, self.users(password)
        yield "sessions", sessions, self.all_sessions()
        yield "audit", "at, event, user, name, address, failed, number", self.audit()
        yield "tickets", "jti, user, purpose, expires", ((jti(-n), 1 + n, "reset", later) for n in some)
        codes = ((f"{n:016x}", digest(n), self.now - n, later, 1) for n in range(INVITATIONS))
        yield "invitations", "id, hash, created, expires, creator", codes
        factors = ((1 + n, digest(n)[:20], self.now, self.now) for n in some)
        yield "second_factors", "user, secret, created, confirmed", factors
        yield "recovery_codes", "user, hash", ((1 + n, digest(n)) for n in some)
        yield "former_names", "name, user", ((f"former name {n}", 1 + n) for n in some)

    def expires(self, number):
        """Whether `expire` makes the user's session old."""
        return jti(number) < "4"

    def expire(self, path):
        """Makes a quarter of the sessions and of the audit entries old, so that a sweep has work."""
        with contextlib.closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA synchronous = off")
            with file:
                file.execute("UPDATE sessions SET expires = 1 WHERE jti < '4'")
                file.execute("UPDATE audit SET at = 1 WHERE id <= ?", [self.count // 4])
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def digest(number):
    return hashlib.sha256(str(number).encode()).digest()
