"""Fixtures of the tests of moving in: a PostgreSQL server, empty databases."""

import itertools
import os
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

sys.path.append(str(Path(__file__).resolve().parent))

import stage  # noqa: E402
import server as postgres  # noqa: E402

NUMBERS = itertools.count()

# What ends the tests lets them stop their servers.
signal.signal(signal.SIGTERM, signal.default_int_handler)


class Named:
    """The server of LICTOR_TEST_POSTGRES, with the methods of a server that are used here."""

    def __init__(self, url):
        self.parts = urlsplit(url)
        self.port = self.parts.port or 5432

    def url(self, database, port=None):
        host = f"{self.parts.username}@{self.parts.hostname}:{port or self.port}"
        return urlunsplit(self.parts._replace(netloc=host, path=f"/{database}", query="sslmode=disable"))

    def sql(self, statements, database="postgres"):
        flags = ["-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1"]
        rows = postgres.call("psql", *flags, "-d", self.url(database), text=statements).removesuffix("\n")
        return [row.split("\x1f") for row in rows.split("\x1e")] if rows else []

    def create(self, name):
        self.sql(f'CREATE DATABASE "{name}"')

    def drop(self, name):
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server."""
    if url := os.environ.get("LICTOR_TEST_POSTGRES"):
        yield Named(url)
        return
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def new_database(server):
    """Makes a database of the server, which is gone at the end; returns its name."""
    made = []

    def make():
        made.append(f"moving_{os.getpid()}_{next(NUMBERS)}")
        server.create(made[-1])
        return made[-1]

    yield make
    for name in made:
        server.drop(name)


@pytest.fixture(scope="session", params=["SQLite", "PostgreSQL"])
def backend(request):
    return request.param


@pytest.fixture(scope="session")
def destination(backend, tmp_path_factory, server, new_database):
    """Makes an empty place for lictor's accounts."""

    def make():
        if backend == "SQLite":
            return stage.File(tmp_path_factory.mktemp("lictor"))
        return stage.Schema(server, new_database())

    return make
