"""What the tests of moving in start and look at: the Flask app, databases, commands of lictor.

It knows nothing of the tests.
"""

import contextlib
import http.client
import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
# instance.py has the lictor that is asked, servers.py what waits for a server.
sys.path += [str(HERE.parent / "postgres"), str(HERE.parent / "praetorian")]

from instance import BINARY, SECRET_KEY, Answer, Lictor, claims, wait_for  # noqa: E402, F401
from servers import free_port, stop, wait_until_it_accepts  # noqa: E402, F401

PATIENCE = 600  # seconds to wait for anything


class Flask:
    """The tutorial's app, on a port and a database."""

    def __init__(self, directory, uri, port, secret=SECRET_KEY):
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.uri = uri
        self.port = port
        self.secret = secret

    @contextlib.contextmanager
    def running(self, access="24h"):
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "SECRET_KEY": self.secret,
            "DATABASE_URI": self.uri,
            "JWT_ACCESS_LIFESPAN": access,
            "JWT_REFRESH_LIFESPAN": "30d",
        }
        output = self.directory / "flask-log"
        with output.open("ab") as log:
            command = [sys.executable, "-B", HERE / "tutorial.py", str(self.port)]
            process = subprocess.Popen(
                command, cwd=self.directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_until_it_accepts(process, self.port, output)
            yield self
        finally:
            stop(process)

    def send(self, method, path, body=None, token=None):
        return send(self.port, method, path, body, token)

    def login(self, name, password):
        return self.send("POST", "/api/login", {"username": name, "password": password})


def send(port, method, path, body=None, token=None):
    """Asks a server; an answer that is no JSON has none."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        begun = time.monotonic()
        connection.request(method, path, text, headers)
        answer = connection.getresponse()
        content = answer.read()
        names = {name.lower(): value for name, value in answer.getheaders()}
        content = json.loads(content) if "json" in names.get("content-type", "") else {}
        return Answer(answer.status, names, content, time.monotonic() - begun)


def runs(group):
    """Whether a process of this group runs."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # After the name, which is in brackets.
            state, _, found = stat.read_text().rpartition(")")[2].split()[:3]
            if int(found) == group and state != "Z":
                return True
    return False


class File:
    """An SQLite file that lictor makes."""

    def __init__(self, directory, name="lictor.db"):
        self.path = Path(directory) / name
        self.argument = str(self.path)

    def rows(self, statement):
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", timeout=60, uri=True)) as database:
            return database.execute(statement).fetchall()

    def tables(self):
        if not self.path.exists():
            return []
        return [name for [name] in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def counts(self):
        """How many rows each table has."""
        return counts(self)


class Schema:
    """A database of a PostgreSQL server, in which lictor has a schema."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.argument = server.url(name)

    def rows(self, statement):
        return [tuple(row) for row in self.server.sql("SET search_path = lictor; " + statement, self.name)]

    def tables(self):
        return [row[0] for row in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'lictor'")]

    def counts(self):
        return counts(self)


def counts(place):
    queries = [f"SELECT '{table}', count(*) FROM \"{table}\"" for table in place.tables()]
    return {table: int(count) for table, count in place.rows(" UNION ALL ".join(queries))} if queries else {}


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str
    peak: int  # bytes of memory

    @property
    def text(self):
        return self.out + self.err


MEMORY = 1 << 30  # bytes of address space that a command may have, so that a fault does not end the tests


def run(*arguments, database=None, stdin=b"", patience=PATIENCE, directory="/tmp", **environment):
    """Runs a command of lictor. `stdin` is bytes, or a function that writes to a file."""
    command = [str(BINARY), *map(str, arguments)]
    if arguments[0] == "import" or arguments[:2] == ("user", "add"):
        command += ["--create"]
    if database:
        command += ["--database", database.argument]
    process = subprocess.Popen(
        command,
        cwd=directory,
        env={"PATH": os.defpath, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # It may have ended already.
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
    texts = {}

    def feed():
        # It may stop to read.
        with contextlib.suppress(BrokenPipeError), process.stdin:
            if callable(stdin):
                stdin(process.stdin)
            else:
                process.stdin.write(stdin)

    def read(name):
        texts[name] = getattr(process, name).read().decode(errors="replace")

    threads = [threading.Thread(target=feed), *(threading.Thread(target=read, args=[n]) for n in ("stdout", "stderr"))]
    for thread in threads:
        thread.start()
    peak = 0
    deadline = time.monotonic() + patience
    while process.poll() is None:
        # The peak that the system would tell at the end has that of this process in it.
        peak = max(peak, most_memory(process.pid))
        if time.monotonic() > deadline:
            process.kill()
        time.sleep(0.005)
    for thread in threads:
        thread.join()
    return Done(process.returncode, texts["stdout"], texts["stderr"], peak)


def most_memory(pid):
    """The most memory that a process has had, in bytes; 0 if it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
