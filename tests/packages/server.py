"""A server that was started by some command, and what a user asks of it."""

import contextlib
import http.client
import json
import re
import signal
import subprocess

PATIENCE = 300  # seconds; under qemu everything is slow
PASSWORD = "ten wooden lanterns"


@contextlib.contextmanager
def serving(command, environment):
    """Runs a server by a command; yields the port that it printed."""
    process = subprocess.Popen(
        [str(part) for part in command], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        first = process.stdout.readline()
        yield int(re.search(r":(\d+)/api/", first)[1])
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE)
        process.stdout.close()
    assert code == 0


def send(port, method, path, body=None, token=None):
    """Sends a request; returns the status and the JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def try_out(port, name):
    """Registers, logs in, and uses the token."""
    account = {"username": name, "password": PASSWORD}
    status, answer = send(port, "POST", "/api/registration", account)
    assert status == 200, answer
    log_in(port, name)
    status, answer = send(port, "POST", "/api/login", account | {"password": "not this one"})
    assert status == 401, answer


def log_in(port, name):
    status, answer = send(port, "POST", "/api/login", {"username": name, "password": PASSWORD})
    assert status == 200, answer
    status, answer = send(port, "GET", "/api/protected", token=answer["access_token"])
    assert (status, answer["message"]) == (200, f"protected endpoint (allowed usr {name})")
