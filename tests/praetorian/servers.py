"""The two servers under comparison: starts them, sends requests, stops them.

Each is a process with a private directory, a database and a free port; the end of its
`with` block stops the server and deletes directory and database. This file knows nothing
of the requests and of right answers.
"""

import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import databases
from mails import Mailbox

SECRET_KEY = "a secret of the differential test: 32 bytes or more"
HERE = Path(__file__).resolve().parent
START_LIMIT = 300  # seconds within which a server must accept connections
STOP_LIMIT = 120  # seconds within which a server must end after SIGTERM
ANSWER_LIMIT = 120  # seconds within which a server must answer
given_out = set()  # ports


class Answer(NamedTuple):
    status: int
    headers: dict  # names in lower case
    text: str

    @property
    def media_type(self):
        return self.headers.get("content-type", "").split(";")[0]

    @property
    def json(self):
        return json.loads(self.text) if self.media_type == "application/json" and self.text else None


class Server:
    """A running server. Subclasses start it and change its users."""

    def __init__(self, directory, lifespans):
        self.directory = Path(directory)
        self.database = None  # while it runs
        self.port = free_port()
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "SECRET_KEY": SECRET_KEY,
            "JWT_ACCESS_LIFESPAN": lifespans[0],
            "JWT_REFRESH_LIFESPAN": lifespans[1],
        }

    def send(self, method, path, headers=(), body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_LIMIT)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read().decode())

    def take_older_tokens(self):
        """Makes the server accept tokens that are older than the registration of their user."""


class Flask(Server):
    tenant = "flask"
    script = "app.py"

    def command(self):
        return [sys.executable, "-B", str(HERE / self.script), str(self.port)]

    def start_environment(self):
        return {**self.environment, "DATABASE_URI": self.database.uri}

    def activate(self, name):
        self.database.execute("UPDATE users SET is_active = TRUE WHERE username = ?", name)

    def deactivate(self, name):
        self.database.execute("UPDATE users SET is_active = FALSE WHERE username = ?", name)

    def delete(self, name):
        self.database.execute("DELETE FROM users WHERE username = ?", name)

    def set_roles(self, name, roles):
        self.database.execute("UPDATE users SET roles = ? WHERE username = ?", roles, name)


class Lictor(Server):
    tenant = "lictor"
    registration = "open"
    options = []

    def command(self):
        # Flask has no throttle, and the probes have many failed logins. Nor does it allow a refresh before
        # the token expires; without that, times can be compared to the second.
        listen = ["--listen", f"127.0.0.1:{self.port}", "--throttle", "off", "--early-refresh", "0"]
        options = ["--registration", self.registration, "--adopt-tokens", *self.options]
        database = ["--database", self.database.argument]
        return [str(lictor_binary()), "serve", *listen, *options, *database]

    def start_environment(self):
        return self.environment

    def take_older_tokens(self):
        # As `lictor import` makes users; see docs/from-flask.md.
        self.database.execute(f"UPDATE {self.database.prefix}users SET tokens_after = 0")

    def run(self, *arguments):
        """Runs a command beside the server."""
        command = [str(lictor_binary()), *arguments, "--database", self.database.argument]
        environment = self.start_environment()
        done = subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    def user(self, *arguments):
        self.run("user", *arguments)

    def activate(self, name):
        self.user("activate", name)

    def deactivate(self, name):
        self.user("deactivate", name)

    def delete(self, name):
        self.user("delete", name, "--yes")

    def set_roles(self, name, roles):
        self.user("roles", name, "--set", roles)


class LictorWithPair(Lictor):
    """Signs with an EdDSA key and publishes its public half."""

    options = ["--jwt-algorithm", "EdDSA"]

    def start_environment(self):
        return {name: value for name, value in self.environment.items() if name != "SECRET_KEY"}

    def key(self, *arguments):
        self.run("key", *arguments)


class MailFlask(Flask):
    """The later app, with mail."""

    script = "app_mail.py"
    mailed_lifespans = ("24h", "1h")  # of links that confirm a registration, and of those that reset a password

    def __init__(self, directory, lifespans):
        super().__init__(directory, lifespans)
        self.mailbox = Mailbox(self.directory / "mails", "*.log")

    def start_environment(self):
        confirmation, reset = self.mailed_lifespans
        return {
            **super().start_environment(),
            "MAIL_DIR": str(self.mailbox.folder),
            "CONFIRMATION_LIFESPAN": confirmation,
            "RESET_LIFESPAN": reset,
        }


class MailLictor(Lictor):
    registration = "email"
    mailed_lifespans = ()  # the defaults are those of the later app

    def __init__(self, directory, lifespans):
        super().__init__(directory, lifespans)
        self.mailbox = Mailbox(self.directory / "mails", "*.eml")
        self.options = ["--mail", f"dir:{self.mailbox.folder}", "--public-url", "https://app.example"]
        flags = ("--confirmation-lifespan", "--reset-lifespan")
        for flag, lifespan in zip(flags, self.mailed_lifespans, strict=False):
            self.options += [flag, lifespan]


class HastyMailFlask(MailFlask):
    mailed_lifespans = ("10s", "10s")


class HastyMailLictor(MailLictor):
    mailed_lifespans = ("10s", "10s")


@contextlib.contextmanager
def running(kind, lifespans=("24h", "30d"), directory=None):
    """Runs a server of this kind, which accepts connections when the block begins.

    The end of the block stops it, and deletes its directory unless one was given.
    """
    own = contextlib.nullcontext(directory) if directory else tempfile.TemporaryDirectory(prefix="praetorian-")
    with contextlib.ExitStack() as stack:
        keep, directory = directory is not None, stack.enter_context(own)
        server = kind(directory, lifespans)
        server.database = stack.enter_context(databases.database(kind.tenant, directory, keep))
        output = server.directory / "output"
        with output.open("wb") as log:
            process = subprocess.Popen(
                server.command(),
                cwd=directory,
                env=server.start_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            wait_until_it_accepts(process, server.port, output)
            yield server
        finally:
            stop(process)


def wait_until_it_accepts(process, port, output):
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args} did not start:\n{output.read_text()}")


def stop(process):
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def free_port():
    """A free port below those that the system uses for outgoing connections, which it has not given out before.

    Each worker of pytest-xdist has ports of its own. Otherwise one could take a port on which another's server
    has not begun to listen, or is stopped for now.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 15_000 + worker % 16 * 1000
    for port in random.sample(sorted(set(range(first, first + 1000)) - given_out), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            given_out.add(port)
            return port
    raise RuntimeError("no port is free")


def require_lictor():
    if lictor_binary() is None:
        # Not every caller runs under pytest.
        import pytest

        pytest.exit("no lictor binary: run `cargo build --release` first, or set LICTOR_BIN", returncode=1)


def lictor_binary():
    """The binary in LICTOR_BIN, or the one that cargo built last in this work tree, or None."""
    if named := os.environ.get("LICTOR_BIN"):
        return Path(named).resolve()
    target = HERE.parents[1] / "target"
    built = [target / profile / "lictor" for profile in ("release", "debug")]
    return max(filter(Path.is_file, built), key=lambda binary: binary.stat().st_mtime, default=None)
