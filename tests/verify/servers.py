"""lictor, the services of examples/verify, and a server that counts who asks for keys. Each runs in a
process or a thread of its own until the end of its `with` block. Knows nothing of tokens."""

import contextlib
import http.client
import http.server
import json
import os
import random
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "verify"
TARGET = ROOT / "target"
LICTOR = os.environ.get("LICTOR_BIN", str(TARGET / "debug" / "lictor"))
COMMANDS = {
    "flask": [TARGET / "verify-flask" / "bin" / "python", "-B", EXAMPLES / "flask" / "service.py"],
    "fastapi": [TARGET / "verify-fastapi" / "bin" / "python", "-B", EXAMPLES / "fastapi" / "service.py"],
    "express": ["node", EXAMPLES / "express" / "service.mjs"],
    "axum": [TARGET / "verify" / "debug" / "lictor-verify-axum"],
}
START_LIMIT = 60  # seconds within which a server must accept connections
ANSWER_LIMIT = 60  # seconds within which a server must answer
STOP_LIMIT = 20  # seconds within which a server must end after SIGTERM


class Answer(NamedTuple):
    status: int
    headers: dict  # names in lower case
    text: str

    @property
    def json(self):
        return json.loads(self.text)


def ask(port, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        found = connection.getresponse()
        return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read().decode())


def free_port():
    """A free port below those that the system uses for outgoing connections."""
    for port in random.sample(range(15_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


@contextlib.contextmanager
def running(command, directory, environment, port):
    """A program that listens on the port."""
    everything = {"PATH": os.environ.get("PATH", os.defpath), **environment}
    log = open(Path(directory) / "log", "w+")
    process = subprocess.Popen([str(word) for word in command], cwd=directory, env=everything, stdout=log, stderr=log)
    try:
        end = time.monotonic() + START_LIMIT
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            log.seek(0)
            assert process.poll() is None and time.monotonic() < end, f"{command[0]} did not start: {log.read()}"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


class Lictor:
    """A running lictor, with the directory in which its database is."""

    def __init__(self, directory, environment, port):
        self.directory, self.environment, self.port = Path(directory), environment, port
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self, *words, text=""):
        """Runs a command on the database; returns what it prints."""
        everything = {"PATH": os.environ.get("PATH", os.defpath), **self.environment}
        done = subprocess.run(
            [LICTOR, *words], cwd=self.directory, env=everything, input=text, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def post(self, path, fields, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return ask(self.port, "POST", path, headers, json.dumps(fields))

    def get(self, path, token=None):
        return ask(self.port, "GET", path, {"Authorization": f"Bearer {token}"} if token else {})


@contextlib.contextmanager
def lictor(flags, environment, key_file=None):
    """A lictor with mail into a folder, and with a user `ada`."""
    with tempfile.TemporaryDirectory() as directory:
        server = Lictor(directory, environment, free_port())
        if key_file is not None:
            path = server.directory / "lictor.key"
            path.touch(0o600)
            path.write_text(key_file)
        server.command("user", "add", "ada", "--create", "--role", "user", "--role", "editor", text="ten wooden lanterns\n")
        mail = ["--mail", "dir:mails", "--public-url", "http://login.example.org", "--registration", "email"]
        listen = ["serve", "--listen", f"127.0.0.1:{server.port}"]
        with running([LICTOR, *listen, *mail, *flags], directory, environment, server.port) as process:
            server.process = process
            yield server


class Service:
    """A running service."""

    def __init__(self, name, port):
        self.name, self.port = name, port

    def whoami(self, authorization):
        headers = {} if authorization is None else {"Authorization": authorization}
        return ask(self.port, "GET", "/whoami", headers)


@contextlib.contextmanager
def service(name, environment):
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        with running(COMMANDS[name], directory, {**environment, "PORT": str(port)}, port):
            yield Service(name, port)


class Keys:
    """A server of public keys that counts how often it was asked, and can hang. Answers with `text`."""

    def __init__(self, text):
        self.text, self.count = text.encode(), 0
        self.port = None
        self.answers = threading.Event()
        self.answers.set()

    @contextlib.contextmanager
    def hanging(self):
        self.answers.clear()
        try:
            yield
        finally:
            self.answers.set()

    @contextlib.contextmanager
    def serving(self):
        keys = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                keys.count += 1
                keys.answers.wait(ANSWER_LIMIT)
                self.send_response(200 if self.path == "/.well-known/jwks.json" else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(keys.text)))
                self.end_headers()
                self.wfile.write(keys.text)

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()
