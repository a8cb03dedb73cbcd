"""A lictor that sends mail: starts it, sends requests and commands, kills and stops it.

It knows nothing of the tests.
"""

import contextlib
import email
import email.policy
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time

from test_transport import BINARY

SECRET_KEY = "a secret of the mail tests: 32 bytes or more"
PASSWORD = "ten wooden lanterns"
PATIENCE = 120  # seconds to wait for anything
LINK = re.compile(r"^http://pages\.example/(finalize|reset-finalize)\?token=(\S+)$", re.MULTILINE)


class Lictor:
    """A database in a directory, and a server on it that may be running."""

    def __init__(self, directory, transport, *options, trust=None):
        self.directory = directory
        self.options = ["--public-url", "http://pages.example", "--issuer", "Olá", *options]
        self.environment = {
            "PATH": os.defpath,
            "SECRET_KEY": SECRET_KEY,
            "LICTOR_MAIL": transport,
            "LICTOR_MAIL_FROM": "login@example.org",
            "LICTOR_DATABASE": str(directory / "lictor.db"),
        }
        if trust:
            self.environment["SSL_CERT_FILE"] = str(trust)
        self.process = None
        self.port = None

    @contextlib.contextmanager
    def running(self):
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def start(self):
        command = [BINARY, "serve", "--listen", "127.0.0.1:0", *self.options]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        first = self.process.stdout.readline()
        assert first, (self.directory / "log").read_text()
        self.port = int(re.search(r":(\d+)/api/", first)[1])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        assert code == 0, (self.directory / "log").read_text()

    def send(self, method, path, body=None, token=None, **headers):
        """Sends a request; returns the status and the JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            if token:
                headers["Authorization"] = f"Bearer {token}"
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def register(self, name, email, password=PASSWORD, **headers):
        body = {"username": name, "password": password, "email": email}
        return self.send("POST", "/api/registration", body, **headers)

    def command(self, *arguments, text=""):
        """Runs a command; returns its exit code and its output."""
        done = subprocess.run(
            [BINARY, *arguments],
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.returncode, done.stdout + done.stderr

    def rows(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.directory / "lictor.db", timeout=PATIENCE)) as database:
            return database.execute(sql, values).fetchall()


class Letter:
    """A mail that arrived."""

    def __init__(self, raw):
        message = email.message_from_bytes(raw, policy=email.policy.default)
        self.id = message["Message-ID"]
        self.to = message["To"].addresses[0].addr_spec
        self.subject = message["Subject"]
        self.language = message["Content-Language"]
        self.text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
        self.html = message.get_body(("html",)).get_content()
        link = LINK.search(self.text)
        self.page, self.token = link.groups() if link else (None, None)


def wait_for(find):
    """Calls `find` until it returns something, and returns that."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing was found in time")


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
