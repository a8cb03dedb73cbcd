"""The servers under test: builds, starts, checks and stops them. Knows nothing of
measures."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import random
import secrets
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
REFERENCES = ["axum-inline", "axum-inline-mimalloc", "axum-pool", "tiny-http", "limit"]
NAMES = ["lictor", *REFERENCES]
# The tokens belong to this user. The crowd logs in without a pause, each as a user of
# its own, because a server may limit the sessions of one user.
USER = "walter"
CROWD = [f"user-{number}" for number in range(1, 33)]
USERS = [USER, *CROWD]
PASSWORD = secrets.token_hex(16)
SECRET = secrets.token_hex(32)
START_SECONDS = 10
STOP_SECONDS = 15


class Failed(Exception):
    """A server failed a check or a measure; its figure is missing in the tables."""


def cargo(directory, *arguments, **environment):
    command = ["cargo", *arguments]
    subprocess.run(command, cwd=directory, check=True, env={**os.environ, **environment})


def target_directory(directory):
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    output = subprocess.run(command, cwd=directory, check=True, stdout=subprocess.PIPE).stdout
    return Path(json.loads(output)["target_directory"])


def build_references():
    """Builds the reference servers and the probe; returns the directory that they are in."""
    # They have a profile and flags of their own, because lictor's also reduce the size: 225 is LLVM's
    # default, and SQLite is compiled with gcc's defaults.
    flags = {
        "RUSTFLAGS": "-C llvm-args=--inlinedefault-threshold=225",
        "CFLAGS": "-fno-asynchronous-unwind-tables",
    }
    cargo(BENCH, "build", "--profile", "reference", **flags)
    return target_directory(BENCH) / "reference"


def build(names):
    """Builds the servers and the probe; returns the servers and the path of the probe."""
    directory = build_references()
    servers = []
    for name in names:
        if name == "lictor":
            servers.append(build_lictor())
        else:
            servers.append(Server(name, directory / name, directory / name))
    return servers, directory / "probe"


def build_lictor_here():
    """Builds lictor for this machine; returns the path of the program."""
    cargo(ROOT, "build", "--release")
    return target_directory(ROOT) / "release/lictor"


def build_lictor():
    # People download the static binary, so its size is measured.
    static = subprocess.run([ROOT / "dist/binary"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return Server("lictor", build_lictor_here(), Path(static.strip()))


class Server:
    """A program with a directory of its own and a database with the users."""

    def __init__(self, name, program, distributed):
        self.name = name
        self.program = program
        self.distributed = distributed
        self.is_lictor = program.name == "lictor"
        self.directory = Path(tempfile.mkdtemp(prefix="lictor-bench-"))
        self.database = self.directory / "bench.db"
        self.options = self.own_options()
        self.fresh_databases = 0

    def own_options(self):
        if not self.is_lictor:
            return []
        options = ["--registration", "open"]
        help_text = subprocess.run(
            [self.program, "serve", "--help"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        # A throttle would limit the logins, because all 32 clients have one IP address.
        if "--throttle" in help_text:
            options += ["--throttle", "off"]
        return options

    def command(self, port, database):
        verb = ["serve"] if self.is_lictor else []
        where = ["--listen", f"127.0.0.1:{port}", "--database", str(database)]
        return [str(self.program), *verb, *where, *self.options]

    def environment(self, with_users):
        environment = {"PATH": os.environ.get("PATH", ""), "SECRET_KEY": SECRET}
        if with_users and not self.is_lictor:
            environment |= {"BENCH_USERS": ",".join(USERS), "BENCH_PASSWORD": PASSWORD}
        return environment

    def fresh_database(self):
        self.fresh_databases += 1
        return self.directory / f"fresh-{self.fresh_databases}.db"

    @contextlib.contextmanager
    def start(self, database=None):
        """Runs the server, which answers when the `with` block begins, until its end."""
        running = Running(self, database or self.database)
        try:
            running.wait_until_ready()
            yield running
        finally:
            running.stop()

    def prepare(self):
        """Creates the users, and checks that the server does the same work as the others."""
        with self.start() as running:
            if self.is_lictor:
                for user in USERS:
                    body = {"username": user, "password": PASSWORD}
                    running.expect(200, "POST", "/api/registration", body=body)
            self.check(running)

    def check(self, running):
        """Checks that the server answers what the others answer, and writes what they write."""
        logins = self.logins_in_audit()
        token = running.token()
        hello = running.expect(200, "GET", "/api/")
        allowed = running.expect(200, "GET", "/api/protected", token=token)
        message = f"protected endpoint (allowed usr {USER})"
        if (hello, allowed) != ({"Hello": "World"}, {"message": message}):
            raise Failed(f"{self.name} answers {hello} and {allowed}")
        wrong = {"username": USER, "password": "not this one"}
        running.expect(401, "POST", "/api/login", body=wrong)
        self.check_tokens(running, token)
        if self.logins_in_audit() != logins + 1:
            raise Failed(f"{self.name}: a login leaves no row in the audit")
        self.check_session(running, token)

    def check_tokens(self, running, token):
        """Invalid tokens; the last two have a good signature."""
        where, signature = token.rsplit(".", 1)
        forged = f"{where}.{signature[::-1]}"
        unknown = signed_again(token, jti=str(uuid.uuid4()))
        of_another = signed_again(token, id=claims(running.token(CROWD[0]))["id"])
        same = signed_again(token)
        running.expect(401, "GET", "/api/protected")
        for status, wrong in [(401, forged), (200, same), (403, unknown), (403, of_another)]:
            running.expect(status, "GET", "/api/protected", token=wrong)

    def logins_in_audit(self):
        where = "event = 'login' AND name = ? AND address = '127.0.0.1'"
        return int(self.ask(f"SELECT count(*) FROM audit WHERE {where}", USER))

    def check_session(self, running, token):
        """Checks that a login has written its session, and that every request reads it, so that
        its end counts at once."""
        jti = claims(token)["jti"]
        if int(self.ask("SELECT count(*) FROM sessions WHERE jti = ? AND ended IS NULL", jti)) != 1:
            raise Failed(f"{self.name}: a login leaves no session")
        self.ask(f"UPDATE sessions SET ended = {int(time.time())} WHERE jti = ?", jti)
        running.expect(403, "GET", "/api/protected", token=token)

    def ask(self, statement, value):
        """Runs a statement with one value in the server's database; returns the first column of
        the first row, if there is one."""
        try:
            with contextlib.closing(sqlite3.connect(self.database)) as file, file:
                row = file.execute(statement, [value]).fetchone()
        except sqlite3.Error as error:
            raise Failed(f"{self.name}: {self.database.name}: {error}") from error
        return row and row[0]

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Running:
    """A running server: requests to it, and figures of its process."""

    def __init__(self, server, database):
        self.server = server
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log = open(server.directory / "log", "ab")
        self.process = subprocess.Popen(
            server.command(self.port, database),
            env=server.environment(with_users=True),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )

    def wait_until_ready(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.expect(200, "GET", "/api/")
                return
            except OSError:
                time.sleep(0.01)
        log = (self.server.directory / "log").read_text(errors="replace")
        raise Failed(f"{self.server.name} did not start: {log[-500:]}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def expect(self, status, method, path, body=None, token=None):
        """Sends a request on a new connection; returns the status and the JSON of the answer, if any."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
        except http.client.HTTPException as error:
            raise Failed(f"{self.server.name}: {method} {path}: {error!r}") from error
        finally:
            connection.close()
        if answer.status != status:
            raise Failed(f"{self.server.name}: {method} {path}: {answer.status}, not {status}")
        return json.loads(text) if status == 200 else None

    def token(self, user=USER):
        body = {"username": user, "password": PASSWORD}
        return self.expect(200, "POST", "/api/login", body=body)["access_token"]

    def cookie(self, user=USER):
        """The cookie of a browser session, as the browser sends it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        body = json.dumps({"username": user, "password": PASSWORD})
        with contextlib.closing(connection):
            connection.request("POST", "/api/session", body=body, headers={"Content-Type": "application/json"})
            cookies = connection.getresponse().headers.get_all("Set-Cookie") or []
        session = [cookie.split(";")[0] for cookie in cookies if cookie.startswith("lictor=")]
        if not session:
            raise Failed(f"{self.server.name}: no cookie of a session among {len(cookies)} cookies")
        return session[0]

    def cpu_seconds(self):
        """User and system time of all threads, including ended ones, in seconds."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        # The name of the program is in brackets and may contain spaces.
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_megabytes(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1000
        raise Failed(f"{self.server.name} has no memory: it has ended")


def claims(token):
    """The claims of a token; the signature is not checked."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def signed_again(token, **changes):
    """A token with other claims and a good signature, which only a faulty server would
    issue. Only checks use it, no measure does."""
    return sign(claims(token) | changes)


def sign(payload):
    """A token with these claims."""
    header = base64_url(b'{"alg":"HS256","typ":"JWT"}')
    signed = f"{header}.{base64_url(json.dumps(payload, separators=(',', ':')).encode())}"
    return f"{signed}.{base64_url(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


def base64_url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def free_port():
    """A free port below those of outgoing connections, so that none takes it first."""
    for _ in range(100):
        port = random.randint(20_000, 32_000)
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no free port on 127.0.0.1")
