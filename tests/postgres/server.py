"""A PostgreSQL server of the tests' own: in a private directory, on a free port, gone afterwards.

    eval "$(python3 -B server.py start)"    sets LICTOR_TEST_POSTGRES (a superuser's URL), postgres_server
    python3 -B server.py stop "$postgres_server"
    python3 -B server.py installed          exit code 0 if there is a PostgreSQL to start

It uses the newest PostgreSQL in /usr/lib/postgresql, and nothing but Python's standard library.
PostgreSQL refuses to run as root, so root starts it as another user. It knows nothing of lictor.
"""

import contextlib
import functools
import os
import pwd
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 300  # seconds within which a command of PostgreSQL must end; a busy machine may need many
OWNER = "postgres"  # the superuser of each server

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": 300,
    "shared_buffers": "64MB",
    "fsync": "off",
    "full_page_writes": "off",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
    "timezone": "UTC",
}
# For tests in which the server is killed.
DURABLE = {"fsync": "on", "full_page_writes": "on"}

TRUST = "local all all trust\nhost all all 127.0.0.1/32 trust\nlocal replication all trust\n"


@functools.cache
def programs():
    """The folder of the newest PostgreSQL's programs, or None."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: float(path.parts[-3]), default=None)
    return newest and newest.parent


@functools.cache
def unprivileged():
    """The user to whom a server belongs: this one, unless it is root. As arguments of Popen."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL does not run as root, and there is no other user")


class Failed(Exception):
    """A program of PostgreSQL failed; the text is what it wrote."""


def call(program, *arguments, text="", check=True, as_owner=True, **environment):
    """Runs a program of PostgreSQL, and returns what it wrote to standard output."""
    # A file takes the output: a server that pg_ctl starts would keep a pipe open.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(
            [programs() / program, *map(str, arguments)],
            input=text.encode(),
            stdout=output,
            stderr=errors,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", **environment},
            cwd="/",
            timeout=LIMIT,
            check=False,
            **(unprivileged() if as_owner else {}),
        )
        output.seek(0)
        errors.seek(0)
        if check and done.returncode != 0:
            raise Failed(f"{program} {shlex.join(map(str, arguments))}: {output.read()}{errors.read()}")
        return output.read()


def free_port():
    """A free port below those that the system uses for outgoing connections.

    Each worker of pytest-xdist has ports of its own. Otherwise one could take the port of another's server
    while that is stopped.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 15_000 + worker % 16 * 1000
    for port in random.sample(range(first, first + 1000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


class Server:
    """A server, with `data` in its directory. The Unix socket is in the directory too."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.data = self.directory / "data"
        self.log_file = self.directory / "log"
        self.port = int((self.directory / "port").read_text())

    @staticmethod
    def directory_for(port):
        """Makes a directory that belongs to the owner of the server."""
        directory = Path(tempfile.mkdtemp(prefix="lictor-postgres-"))
        (directory / "port").write_text(str(port))
        owner = unprivileged()
        if owner:
            os.chown(directory, owner["user"], owner["group"])
        return directory

    @classmethod
    def make(cls, hba=TRUST, **settings):
        """Makes a server, and starts it."""
        server = cls(cls.directory_for(free_port()))
        try:
            encoding = ["--encoding=UTF8", "--locale=C.UTF-8"]
            call("initdb", "--no-sync", "--auth=trust", f"--username={OWNER}", *encoding, server.data)
            server.configure(**{**SETTINGS, "port": server.port, **settings})
            server.write("pg_hba.conf", hba)
            server.start()
        except BaseException:
            server.remove()
            raise
        return server

    def standby(self, name):
        """Makes a server that follows this one under this name, and starts it."""
        other = Server(self.directory_for(free_port()))
        try:
            source = f"host={self.directory} port={self.port} user={OWNER} application_name={name}"
            call("pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", "-D", other.data, "-d", source)
            other.configure(port=other.port, unix_socket_directories=other.directory)
            other.start()
        except BaseException:
            other.remove()
            raise
        return other

    def configure(self, **settings):
        """Writes settings, which count from the next start or reload."""
        settings.setdefault("unix_socket_directories", self.directory)
        with self.opened("postgresql.auto.conf", "a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    @contextlib.contextmanager
    def opened(self, name, mode):
        """Opens a file of the server, which stays the server's."""
        with (self.data / name).open(mode) as file:
            yield file
        owner = unprivileged()
        if owner:
            os.chown(self.data / name, owner["user"], owner["group"])
        (self.data / name).chmod(0o600)

    def write(self, name, text):
        with self.opened(name, "w") as file:
            file.write(text)

    def control(self, action, *arguments):
        call("pg_ctl", action, "-D", self.data, "-t", LIMIT, *arguments)

    def start(self):
        self.control("start", "-w", "-l", self.log_file)

    def stop(self, mode="fast"):
        self.control("stop", "-w", "-m", mode)

    def reload(self):
        """Makes the settings count that need no restart."""
        read = "SELECT pg_conf_load_time()"
        before = self.sql(read)
        self.sql("SELECT pg_reload_conf()")
        # The postmaster, which knows who may connect, reads them a moment later; who connects then has its time.
        deadline = time.monotonic() + LIMIT
        while self.sql(read) == before:
            if time.monotonic() > deadline:
                raise Failed("the settings were not read")
            time.sleep(0.02)
        # It may have been in the middle. When it lets another one in, it has read them all.
        self.sql("SELECT 1")

    def promote(self):
        self.control("promote", "-w")

    def process(self):
        """The pid of the postmaster, or None."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            return pid if lives(pid) else None
        return None

    def kill(self):
        """Kills all its processes, as if the machine had failed."""
        postmaster = self.process()
        if postmaster is None:
            return
        # Stopped, the postmaster begins no other process.
        os.kill(postmaster, signal.SIGSTOP)
        pids = [*children(postmaster), postmaster]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # While one of them is there, no other server starts on the same data; nor until somebody has waited for
        # the postmaster, whose number is in a file.
        deadline = time.monotonic() + LIMIT
        while (exists(postmaster) or any(map(lives, pids))) and time.monotonic() < deadline:
            time.sleep(0.01)

    def remove(self):
        """Ends it, and deletes all its files."""
        with contextlib.suppress(Failed, subprocess.TimeoutExpired):
            if self.process():
                self.stop("immediate")
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, database, user=OWNER, password=None, host="127.0.0.1", port=None, **parameters):
        login = f"{user}:{password}" if password else user
        parameters = {"sslmode": "disable", **parameters}
        query = "&".join(f"{name}={value}" for name, value in parameters.items() if value is not None)
        return f"postgres://{login}@{host}:{port or self.port}/{database}" + (f"?{query}" if query else "")

    def sql(self, statements, database="postgres", **options):
        """Runs SQL, and returns the rows, each a list of texts."""
        target = f"host={self.directory} port={self.port} user={OWNER} dbname={database}"
        flags = ["-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1"]
        rows = call("psql", *flags, "-d", target, text=statements, **options).removesuffix("\n")
        return [row.split("\x1f") for row in rows.split("\x1e")] if rows else []

    def number(self, statement, database="postgres"):
        return int(self.sql(statement, database)[0][0])

    def create(self, name):
        self.sql(f'CREATE DATABASE "{name}"')

    def drop(self, name):
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def log(self):
        return self.log_file.read_text(errors="replace")


def exists(pid):
    """Whether there is such a process, also one that has ended and was not waited for."""
    return Path(f"/proc/{pid}").exists()


def lives(pid):
    """Whether there is such a process, and it has not ended."""
    with contextlib.suppress(OSError):
        # After the name, which is in brackets: the state.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def children(parent):
    """The pids of the processes that this one has begun."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # After the name, which is in brackets: the state, and the parent.
            if int(entry.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.parent.name))
    return found


@contextlib.contextmanager
def running(**options):
    """A server that is removed at the end of the block."""
    server = Server.make(**options)
    try:
        yield server
    finally:
        server.remove()


@contextlib.contextmanager
def pooler(server):
    """Yields a function that starts pgbouncer in front of the server, in a mode, and returns its port."""
    started = []

    def start(mode):
        directory = server.directory_for(0)
        port = free_port()
        (directory / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port} user={OWNER}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n"
            f"default_pool_size = 100\nmax_client_conn = 200\n"
        )
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
        process = subprocess.Popen(
            [program, directory / "pgbouncer.ini"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(directory / "log").open("wb"),
            cwd="/",
            **unprivileged(),
        )
        started.append((process, directory))
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 10):
                return port
            time.sleep(0.05)
        raise Failed((directory / "log").read_text())

    try:
        yield start
    finally:
        for process, directory in started:
            process.kill()
            process.wait()
            shutil.rmtree(directory, ignore_errors=True)


def main(words):
    match words:
        case ["start"]:
            server = Server.make()
            print(f"export LICTOR_TEST_POSTGRES={shlex.quote(server.url('postgres'))}")
            print(f"postgres_server={shlex.quote(str(server.directory))}")
        case ["stop", directory] if re.search("lictor-postgres-[^/]*$", directory):
            Server(directory).remove()
        case ["installed"]:
            sys.exit(programs() is None)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
