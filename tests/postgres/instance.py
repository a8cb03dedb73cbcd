"""A lictor on a PostgreSQL database, one of several perhaps: starts it, sends requests and commands,
kills and stops it; and an authenticator app.

It knows nothing of the tests.
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).resolve().parent
SECRET_KEY = "a secret of the tests on PostgreSQL: 32 bytes or more"
PASSWORD = "ten wooden lanterns"
PATIENCE = 120  # seconds to wait for anything; a busy machine may need many


def binary():
    if named := os.environ.get("LICTOR_BIN"):
        return Path(named).resolve()
    target = HERE.parents[1] / "target"
    built = [target / profile / "lictor" for profile in ("release", "debug")]
    found = max(filter(Path.is_file, built), key=lambda b: b.stat().st_mtime, default=None)
    return found or pytest.exit("no lictor binary: run `cargo build --release` first", returncode=1)


BINARY = binary()


class Answer(NamedTuple):
    status: int
    headers: dict  # names in lower case
    json: object
    seconds: float

    @property
    def error(self):
        return self.status, self.json.get("error")

    @property
    def token(self):
        assert self.status == 200, self
        return self.json["access_token"]


class Lictor:
    """A server in a directory of its own that may be running. Several can have one database."""

    listen = 0  # the port on which it is to listen; 0 is a free one

    def __init__(self, directory, url, *options, **environment):
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.options = [*([] if "--throttle" in options else ["--throttle", "off"]), *options]
        self.environment = {
            "PATH": os.defpath,
            "SECRET_KEY": SECRET_KEY,
            "LICTOR_DATABASE": url,
            **environment,
        }
        self.process = None
        self.port = None

    @contextlib.contextmanager
    def running(self):
        try:
            self.start()
            yield self
        except BaseException:
            self.kill()
            raise
        else:
            self.stop()

    def launch(self):
        """Starts the process, and does not wait."""
        command = [BINARY, "serve", "--listen", f"127.0.0.1:{self.listen}", *self.options]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def start(self):
        self.launch()
        self.await_port()

    def await_port(self):
        first = self.process.stdout.readline()
        assert first, self.log()
        self.port = int(re.search(r":(\d+)/api/", first)[1])

    def refused(self):
        """Starts it, which must fail; returns the exit code, and the text."""
        self.launch()
        code = self.process.wait(PATIENCE)
        assert self.process.stdout.read() == ""
        self.process.stdout.close()
        assert code in (1, 2), (code, self.log())
        return self.log()

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(PATIENCE)
            self.process.stdout.close()
            self.process = None
            assert code == 0, self.log()

    def log(self):
        return (self.directory / "log").read_text()

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def send(self, method, path, body=None, token=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            if token:
                headers["Authorization"] = f"Bearer {token}"
            text = body if isinstance(body, str) or body is None else json.dumps(body)
            begun = time.monotonic()
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            content = json.loads(answer.read())
            seconds = time.monotonic() - begun
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, content, seconds)

    def register(self, name, **more):
        return self.send("POST", "/api/registration", {"username": name, "password": PASSWORD, **more})

    def login(self, name, password=PASSWORD, **more):
        return self.send("POST", "/api/login", {"username": name, "password": password, **more})

    def protected(self, token):
        return self.send("GET", "/api/protected", token=token)

    def refresh(self, token, **headers):
        return self.send("POST", "/api/refresh", token, **headers)

    def health(self):
        return self.send("GET", "/api/health")

    def command(self, *arguments, text="", check=True, **environment):
        """Runs a command on the database; returns its output."""
        done = subprocess.run(
            [BINARY, *arguments],
            cwd=self.directory,
            env={**self.environment, **environment},
            input=text,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert not check or done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout if check else (done.returncode, done.stdout + done.stderr)

    def add(self, name, *options):
        self.command("user", "add", name, "--create", *options, text=PASSWORD)

    def audit(self):
        """The entries, the oldest first."""
        lines = self.command("audit", "--json", "--limit", "10000").splitlines()
        return [json.loads(line) for line in reversed(lines)]


class Authenticator:
    """An authenticator app (RFC 6238)."""

    def __init__(self, secret):
        self.secret = base64.b32decode(secret + "=" * (-len(secret) % 8))

    def code(self, periods=0):
        step = int(time.time()) // 30 + periods
        mac = hmac.digest(self.secret, struct.pack(">Q", step), hashlib.sha1)
        offset = mac[19] & 15
        return f"{(struct.unpack('>I', mac[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def sign(payload):
    """A token with any claims, signed with the secret of the tests."""

    def encoded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, payload))
    return f"{text}.{encoded(hmac.digest(SECRET_KEY.encode(), text.encode(), hashlib.sha256))}"


def wait_for(find, patience=PATIENCE, pause=0.05):
    """Calls `find` until it returns something, and returns that."""
    deadline = time.monotonic() + patience
    while True:
        if found := find():
            return found
        assert time.monotonic() < deadline, "nothing was found in time"
        time.sleep(pause)


def at_once(calls):
    """Makes the calls in threads that begin together; returns the results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
