"""Fixtures of the tests on PostgreSQL: servers, databases, certificates."""

import itertools
import signal
import sys
from pathlib import Path

import pytest

import server as postgres
from instance import Lictor

sys.path.append(str(Path(__file__).resolve().parents[1] / "mail"))
import certificates  # noqa: E402

NUMBERS = itertools.count()

# What ends the tests lets them stop their servers. pytest-xdist ends its workers with SIGINT, which a shell
# ignores for what it runs in the background.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server that all tests may use who do not stop it."""
    with postgres.running() as server:
        yield server


class Place:
    """An empty database, and the lictors on it."""

    def __init__(self, server, directory):
        self.server = server
        self.directory = directory
        self.name = f"lictor_{next(NUMBERS)}"
        self.lictors = []
        server.create(self.name)

    def url(self, **parameters):
        return self.server.url(self.name, **parameters)

    def lictor(self, *options, url=None, **environment):
        """A lictor on the database, not started yet."""
        directory = self.directory / f"instance-{len(self.lictors)}"
        made = Lictor(directory, url or self.url(), *options, **environment)
        self.lictors.append(made)
        return made

    def start(self, count, *options):
        """Lictors that run, one after the other."""
        made = [self.lictor(*options) for _ in range(count)]
        for lictor in made:
            lictor.start()
        return made

    def sql(self, statements):
        return self.server.sql("SET search_path = lictor; " + statements, self.name)

    def number(self, statement):
        return int(self.sql(statement)[0][0])

    def end_connections(self, condition="true"):
        """Ends all connections to the database; returns how many there were."""
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        where = f"datname = '{self.name}' AND pid <> pg_backend_pid() AND {condition}"
        return self.server.number(f"{ended} WHERE {where}")

    def end(self):
        for lictor in self.lictors:
            lictor.kill()
        if self.server.process():
            self.server.drop(self.name)


@pytest.fixture
def place(server, tmp_path):
    place = Place(server, tmp_path)
    yield place
    place.end()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """The folder with the certificates."""
    directory = tmp_path_factory.mktemp("certificates")
    certificates.make(directory)
    return directory
