"""Users and sessions, filled directly into a database, and the tokens of the sessions. The same
number of users gives the same rows in SQLite and PostgreSQL."""

import contextlib
import hashlib
import random
import sqlite3
import time

from . import servers

# Tokens in the file that loads take them from: more would only fill the memory of the load.
TOKENS_MAX = 100_000
ACCESS = 24 * 3600
REFRESH = 30 * 24 * 3600
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
# Rows in a piece of text for COPY.
PIECE = 10_000
USER_COLUMNS = ["id", "name", "name_key", "password", "roles", "created"]
SESSION_COLUMNS = ["jti", '"user"', "created", "newest", "expires", "address", "agent"]
# The id of servers.USER, who registers before the others are filled in.
FIRST_ID = 1


class Population:
    """`count` users, `user-1` and so on, each with one session."""

    def __init__(self, count):
        self.count = count
        self.now = int(time.time())

    def users(self, password):
        for number in range(1, self.count + 1):
            name = f"user-{number}"
            yield (FIRST_ID + number, name, name, password, "user", self.now)

    def sessions(self):
        for number in range(1, self.count + 1):
            yield (
                jti(number),
                FIRST_ID + number,
                self.now,
                self.now,
                self.now + REFRESH,
                "127.0.0.1",
                AGENT,
            )

    def write_tokens(self, path):
        """A file with tokens, one a line, in random order. Those of a small population are there
        several times: the load generator reads files of the same length, which takes it and the
        processor's caches as much for any population."""
        numbers = range(1, self.count + 1)
        chosen = random.sample(numbers, min(self.count, TOKENS_MAX))
        with open(path, "w", encoding="ascii") as file:
            lines = "".join(f"{self.token(number)}\n" for number in chosen)
            file.write(lines * (TOKENS_MAX // len(chosen)))

    def token(self, number):
        return servers.sign(self.claims(number))

    def claims(self, number):
        return {
            "iat": self.now,
            "exp": self.now + ACCESS,
            "jti": jti(number),
            "id": FIRST_ID + number,
            "rls": "user",
            "rf_exp": self.now + REFRESH,
        }

    def fill_postgres(self, cluster, database):
        """Fills a database that lictor has created; returns the bytes of a user and a session."""
        password = cluster.sql(database, f"SELECT password FROM users WHERE id = {FIRST_ID}")
        for table, columns, rows in [
            ("users", USER_COLUMNS, self.users(password)),
            ("sessions", SESSION_COLUMNS, self.sessions()),
        ]:
            copy = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
            cluster.sql(database, copy, pieces(rows))
        ids = "SELECT setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users))"
        for text in [ids, "VACUUM (FREEZE, ANALYZE)", "CHECKPOINT"]:
            cluster.sql(database, text)
        sizes = "SELECT pg_total_relation_size('users'), pg_total_relation_size('sessions')"
        users, sessions = map(int, cluster.sql(database, sizes).split("|"))
        return {"user_bytes": users / self.count, "session_bytes": sessions / self.count}

    def fill_sqlite(self, path):
        """Fills a file that lictor has created; returns the bytes of a user and a session."""
        with contextlib.closing(sqlite3.connect(path)) as file:
            for pragma in ["synchronous = off", "cache_size = -1000000"]:
                file.execute(f"PRAGMA {pragma}")
            query = "SELECT password FROM users WHERE id = ?"
            (password,) = file.execute(query, [FIRST_ID]).fetchone()
            sizes = [file_bytes(file)]
            with file:
                for table, columns, rows in [
                    ("users", USER_COLUMNS, self.users(password)),
                    ("sessions", SESSION_COLUMNS, self.sessions()),
                ]:
                    places = ", ".join("?" for _ in columns)
                    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
                    file.executemany(insert, rows)
                    sizes.append(file_bytes(file))
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        users, sessions = sizes[1] - sizes[0], sizes[2] - sizes[1]
        return {"user_bytes": users / self.count, "session_bytes": sessions / self.count}


def file_bytes(file):
    (pages,), (size,) = (file.execute(f"PRAGMA {name}").fetchone() for name in ["page_count", "page_size"])
    return pages * size


def jti(number):
    """A UUID of version 4 that depends on the number only."""
    digits = hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()
    digits = f"{digits[:12]}4{digits[13:16]}a{digits[17:]}"
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])


def pieces(rows):
    """The rows as text for COPY, in pieces. No value has a character that it would escape."""
    lines = []
    for row in rows:
        lines.append("\t".join(map(str, row)))
        if len(lines) == PIECE:
            yield "\n".join(lines) + "\n"
            lines = []
    if lines:
        yield "\n".join(lines) + "\n"
