"""A private PostgreSQL cluster with durable settings: starts it, runs SQL, reads its CPU time,
stops it. Knows nothing of servers and measures."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from .servers import Failed, free_port

# What is durable stays so: fsync, full_page_writes and synchronous_commit are on.
SETTINGS = {
    "shared_buffers": "1GB",
    "max_connections": "100",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
}
SCHEMA = "lictor"
TICK = os.sysconf("SC_CLK_TCK")


class Cluster:
    """A cluster on a free port of 127.0.0.1, in a temporary directory."""

    def __init__(self):
        self.programs = installed_programs()
        self.user = "postgres" if os.geteuid() == 0 else None
        self.directory = Path(tempfile.mkdtemp(prefix="lictor-bench-"))
        self.port = free_port()
        self.password = secrets.token_hex(16)
        self.process = None

    def start(self):
        data, word = self.directory / "data", self.directory / "password"
        word.write_text(self.password)
        if self.user:
            account = pwd.getpwnam(self.user)
            for path in [self.directory, word]:
                os.chown(path, account.pw_uid, account.pw_gid)
        options = ["--auth=scram-sha-256", "--username=postgres", f"--pwfile={word}"]
        options += ["--encoding=UTF8", "--locale=C.UTF-8"]
        self.execute("initdb", *options, str(data))
        settings = SETTINGS | {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.directory),
        }
        command = [self.programs / "postgres", "-D", data]
        command += [f"--{name}={value}" for name, value in settings.items()]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(self.directory / "log", "ab"),
            **self.as_owner(),
        )
        ready = ["-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
        for _ in range(30):
            if subprocess.run([self.programs / "pg_isready", *ready], stdout=subprocess.DEVNULL).returncode == 0:
                return
        raise Failed(f"PostgreSQL did not start: {(self.directory / 'log').read_text()[-500:]}")

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def as_owner(self):
        """PostgreSQL refuses to run as root."""
        return {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}

    def execute(self, program, *arguments):
        done = subprocess.run(
            [self.programs / program, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.directory,
            **self.as_owner(),
        )
        if done.returncode:
            raise Failed(f"{program}: {done.stdout[-500:]}")
        return done.stdout

    def url(self, database):
        return f"postgres://postgres:{self.password}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def sql(self, database, text, rows=None):
        """Runs SQL with psql, and gives it `rows`, pieces of text, as standard input. Returns the
        output, a row a line."""
        command = [self.programs / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", text, self.url(database)]
        # Rows that are filled in need no check of their references.
        filling = " -c session_replication_role=replica" if rows else ""
        environment = {**os.environ, "PGOPTIONS": f"-c search_path={SCHEMA}{filling}"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=environment, text=True, **pipes) as process:
            for piece in rows or []:
                process.stdin.write(piece)
            output, errors = process.communicate()
        if process.returncode:
            raise Failed(f"psql: {errors.strip()[-500:]}")
        return output.strip()

    def cpu_seconds(self):
        """User and system time of all processes of the cluster, including ended ones."""
        total = 0
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                fields = (directory / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            # The fields after the name: 1 is the parent; 11 to 14 are the times, own and children's.
            if int(directory.name) == self.process.pid:
                total += sum(map(int, fields[11:15]))
            elif int(fields[1]) == self.process.pid:
                total += sum(map(int, fields[11:13]))
        return total / TICK

    def wal_bytes(self):
        """How much has been written to the write-ahead log so far."""
        return int(self.sql("postgres", "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))

    def version(self):
        return self.sql("postgres", "SHOW server_version")


def installed_programs():
    """The directory with initdb and postgres; installs them if that is possible."""
    found = find_programs()
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "postgresql"], check=True, stdout=sys.stderr)
        found = find_programs()
    if not found:
        raise Failed("PostgreSQL is missing\ninstall it, on Debian with: apt-get install postgresql")
    return found


def find_programs():
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    for directory in [*reversed(debian), *map(Path, os.environ.get("PATH", "").split(":"))]:
        if (directory / "initdb").exists() and (directory / "pgbench").exists():
            return directory
    return None
