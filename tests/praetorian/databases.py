"""Where a server keeps its users: in an SQLite file, or in a database of a PostgreSQL server.

With LICTOR_TEST_DATABASE=postgres, each database is on the server of LICTOR_TEST_POSTGRES, the URL of a
superuser's database. A lictor and the Flask app beside it then share a database, as after a move:
lictor's tables are in the schema `lictor`, and the app's in `public`. It knows nothing of the servers.
"""

import atexit
import contextlib
import itertools
import os
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

NUMBERS = itertools.count()


class File:
    """A file in a server's directory."""

    def __init__(self, tenant, directory):
        self.path = Path(directory).resolve() / ("lictor.sqlite3" if tenant == "lictor" else "users.sqlite3")
        self.argument = str(self.path)  # for lictor's --database
        self.uri = f"sqlite:///{self.path}"  # for SQLAlchemy
        self.prefix = ""  # of the names of lictor's tables

    def execute(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.path, timeout=60)) as database:
            database.execute(statement, values)
            database.commit()


class Postgres:
    """A database on the server, made when its first tenant comes."""

    prefix = "lictor."

    def __init__(self):
        self.tenants = set()
        self.name = f"praetorian_{os.getpid()}_{next(NUMBERS)}"
        parts = urlsplit(os.environ["LICTOR_TEST_POSTGRES"])
        # The same text for both: lictor takes SQLAlchemy's.
        self.uri = self.argument = urlunsplit(parts._replace(scheme="postgresql+psycopg2", path=f"/{self.name}"))
        administer(f'CREATE DATABASE "{self.name}"')

    def execute(self, statement, *values):
        with contextlib.closing(connect(self.argument.replace("+psycopg2", ""))) as database:
            database.cursor().execute(statement.replace("?", "%s"), values)
            database.commit()

    def delete(self):
        administer(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


def connect(url):
    # Not every caller of this file has the package.
    import psycopg2

    return psycopg2.connect(url)


def administer(statement):
    with contextlib.closing(connect(os.environ["LICTOR_TEST_POSTGRES"])) as database:
        database.autocommit = True
        database.cursor().execute(statement)


on_postgres = os.environ.get("LICTOR_TEST_DATABASE") == "postgres"
shared = []  # databases whose tenants run
kept = {}  # databases that a later server of the same directory finds again


@contextlib.contextmanager
def database(tenant, directory, keep):
    """The database of a server in this directory. `keep` leaves it for the next one there."""
    if not on_postgres:
        yield File(tenant, directory)
        return
    if keep:
        if directory not in kept:
            kept[directory] = Postgres()
            atexit.register(kept[directory].delete)
        yield kept[directory]
        return
    free = [database for database in shared if tenant not in database.tenants]
    found = free[-1] if free else Postgres()
    if not free:
        shared.append(found)
    found.tenants.add(tenant)
    try:
        yield found
    finally:
        found.tenants.remove(tenant)
        if not found.tenants:
            shared.remove(found)
            found.delete()
