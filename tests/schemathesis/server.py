"""The real lictor on a port and a database of its own, and the commands beside it.

It knows nothing of schemathesis.
"""

import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path

BUILT = Path(__file__).resolve().parents[2] / "target/debug/lictor"
# The server runs in a folder of its own.
BINARY = str(Path(os.environ.get("LICTOR_BIN", BUILT)).resolve())
PASSWORD = "ten wooden lanterns"
PATIENCE = 300  # seconds to wait for anything
ENVIRONMENT = {
    "PATH": os.defpath,
    "SECRET_KEY": "a secret of these tests that has 32 bytes or more",
    "LICTOR_LOG": "warn",
    "LICTOR_MAIL_FROM": "login@example.org",
    "LICTOR_PUBLIC_URL": "https://login.example",
}


def command(database, *arguments, text=""):
    """Runs a command on a database; returns its exit code and its output."""
    done = subprocess.run(
        [BINARY, *arguments, "--database", database],
        env=ENVIRONMENT,
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


class Server:
    def __init__(self, folder, flags, with_admin):
        self.folder, self.flags, self.with_admin = Path(folder), flags, with_admin
        self.database = str(self.folder / "lictor.db")

    @contextlib.contextmanager
    def running(self):
        if self.with_admin:
            first = ("user", "add", "root", "--role", "admin", "--create")
            code, said = command(self.database, *first, text=PASSWORD + "\n")
            assert code == 0, said
        log = self.folder / "log"
        arguments = [BINARY, "serve", "--listen", "127.0.0.1:0", "--database", self.database, *self.flags]
        with log.open("wb") as file:
            process = subprocess.Popen(
                arguments, cwd=self.folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=file, text=True
            )
        try:
            first = process.stdout.readline()
            assert first, log.read_text()
            self.url = f"http://127.0.0.1:{re.search(r':([0-9]+)/api/', first)[1]}"
            self.setup_token = None if self.with_admin else self.find_setup_token(process.stdout)
            yield self
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(PATIENCE)
            process.stdout.close()
        assert code == 0, f"the server ended with {code}: {log.read_text()}"

    @staticmethod
    def find_setup_token(output):
        for line in output:
            if found := re.search(r"/setup#(\S+)", line):
                return found[1]
        raise AssertionError("the start shows no link for the first administrator")
