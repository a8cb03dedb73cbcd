"""`lictor mail test` against real mail servers, good and hostile.

    V/bin/python -B -m pytest tests/mail          (LICTOR_BIN names another binary)

V is a virtual environment with requirements.txt. Every server is a process of its own on a free
port, gone at the end of its `with` block.
"""

import contextlib
import email
import email.policy
import json
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

import server as mail_server

HERE = Path(__file__).resolve().parent
FROM = "Zoë's Photos <login@example.org>"
LOGIN = f"{quote(mail_server.USER, safe='')}:{quote(mail_server.PASSWORD, safe='')}@"
PATIENCE = 300  # seconds within which a command must end


def binary():
    if named := os.environ.get("LICTOR_BIN"):
        return Path(named).resolve()
    target = HERE.parents[1] / "target"
    built = [target / profile / "lictor" for profile in ("release", "debug")]
    found = max(filter(Path.is_file, built), key=lambda b: b.stat().st_mtime, default=None)
    return found or pytest.exit("no lictor binary: run `cargo build --release` first")


BINARY = binary()


@contextlib.contextmanager
def running(script, *arguments):
    """Runs a script that is a server; yields its port."""
    command = [sys.executable, "-B", HERE / script, *map(str, arguments)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


class Outcome(NamedTuple):
    code: int
    text: str
    seconds: float

    @property
    def permanent(self):
        return " refused the mail: " in self.text


def send(transport, to="ada@example.net", issuer="Olá", trust=None, **environment):
    """Sends one mail; the transport is in the environment, as the README recommends."""
    environment |= {"LICTOR_MAIL": transport, "LICTOR_MAIL_FROM": FROM, "PATH": os.defpath}
    if trust:
        environment["SSL_CERT_FILE"] = str(trust)
    command = [BINARY, "mail", "test", to, "--issuer", issuer]
    begun = time.monotonic()
    ended = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE
    )
    text = (ended.stdout + ended.stderr).decode("utf-8")
    assert mail_server.PASSWORD not in text and quote(mail_server.PASSWORD, safe="") not in text
    return Outcome(ended.returncode, text, time.monotonic() - begun)


def received(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


# The options of the server; the scheme and the login in the setting; the user and the version of TLS
# that the server saw.
GOOD = [
    ("plain", "", "smtp", "", (None, None)),
    ("plain-with-login", "--auth PLAIN", "smtp", LOGIN, (mail_server.USER, None)),
    ("starttls", "--tls starttls", "smtp+starttls", "", (None, "TLSv1.3")),
    (
        "starttls-auth-plain",
        "--tls starttls --auth PLAIN,LOGIN",
        "smtp+starttls",
        LOGIN,
        (mail_server.USER, "TLSv1.3"),
    ),
    (
        "starttls-auth-login",
        "--tls starttls --auth LOGIN",
        "smtp+starttls",
        LOGIN,
        (mail_server.USER, "TLSv1.3"),
    ),
    (
        "smtps-auth",
        "--tls implicit --auth PLAIN",
        "smtps",
        LOGIN,
        (mail_server.USER, "TLSv1.3"),
    ),
    ("smtps-1.2", "--tls implicit --tls12", "smtps", "", (None, "TLSv1.2")),
    ("smtps-p256", "--tls implicit --curve prime256v1", "smtps", "", (None, "TLSv1.3")),
    ("smtps-1.2-p384", "--tls implicit --tls12 --curve secp384r1", "smtps", "", (None, "TLSv1.2")),
]


@pytest.mark.parametrize("name, options, kind, login, expected", GOOD, ids=[row[0] for row in GOOD])
def test_mail_arrives(name, options, kind, login, expected, authority, tmp_path):
    file = tmp_path / "received"
    arguments = ["--certificates", authority, "--received", file, *options.split()]
    with running("server.py", *arguments) as port:
        outcome = send(f"{kind}://{login}localhost:{port}", trust=authority / "ca.pem")
    assert outcome.code == 0, outcome.text
    (entry,) = received(file)
    assert (entry["user"], entry["tls"]) == expected
    assert (entry["from"], entry["to"]) == ("login@example.org", ["ada@example.net"])
    check_message(entry["message"])


def check_message(text):
    """Parses the message as a mail program does."""
    assert text.isascii() and max(map(len, text.splitlines())) <= 998
    message = email.message_from_string(text, policy=email.policy.default)
    assert not message.defects
    assert message["From"] == FROM
    assert message["To"] == "ada@example.net"
    assert "Olá" in message["Subject"]
    assert message["Date"].datetime.utcoffset().total_seconds() == 0
    assert abs(message["Date"].datetime.timestamp() - time.time()) < PATIENCE
    assert message["Message-ID"].startswith("<") and message["Message-ID"].endswith("@example.org>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"
    assert "X-Mailer" not in message and "Received" not in message
    assert message.get_content_type() == "multipart/alternative"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert all(part.get_content().strip() and not part.defects for part in parts)


# The options of the server; whether the failure is permanent; a part of the message.
REFUSED = [
    ("--rcpt '450 4.2.1 come back'", False, "to the recipient: 450 4.2.1 come back"),
    ("--rcpt '550 5.1.1 no such user'", True, "to the recipient: 550 5.1.1 no such user"),
    ("--rcpt '530 5.7.0 log in first'", False, "530 5.7.0 log in first"),
    ("--data '451 4.3.0 later'", False, "to the mail: 451 4.3.0 later"),
    ("--data '554 5.7.1 this is spam'", True, "to the mail: 554 5.7.1 this is spam"),
    ("--auth PLAIN", False, "to the sender: 530"),
    ("--tls starttls", False, "to the sender: 530"),
]


@pytest.mark.parametrize("options, permanent, said", REFUSED)
def test_negative_replies(options, permanent, said, authority, tmp_path):
    file = tmp_path / "received"
    arguments = ["--certificates", authority, "--received", file, *shlex.split(options)]
    with running("server.py", *arguments) as port:
        outcome = send(f"smtp://localhost:{port}")
    assert outcome.code == 1 and said in outcome.text, outcome.text
    assert outcome.permanent == permanent, outcome.text
    assert received(file) == []


def test_a_busy_server_accepts_a_later_attempt(tmp_path):
    file = tmp_path / "received"
    arguments = ["--received", file, "--rcpt", "451 4.3.0 later", "--times", "2"]
    with running("server.py", *arguments) as port:
        codes = [send(f"smtp://localhost:{port}").code for _ in range(3)]
    assert codes == [1, 1, 0]
    assert len(received(file)) == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("password", ["wrong", mail_server.PASSWORD + "x"])
def test_a_wrong_password_is_a_temporary_failure(mechanism, password, authority, tmp_path):
    arguments = ["--certificates", authority, "--received", tmp_path / "received"]
    arguments += ["--tls", "starttls", "--auth", mechanism]
    login = f"{quote(mail_server.USER)}:{quote(password, safe='')}@"
    with running("server.py", *arguments) as port:
        outcome = send(f"smtp+starttls://{login}localhost:{port}", trust=authority / "ca.pem")
    assert outcome.code == 1 and "to the password: 535" in outcome.text and not outcome.permanent


# The certificate; the host in the setting; a part of the message.
DISTRUSTED = [
    ("wrong-name", "localhost", "is for another name"),
    ("wrong-name", "127.0.0.1", "is for another name"),
    ("unknown", "localhost", "from an authority that this machine does not trust"),
    ("expired", "localhost", "has expired"),
]


@pytest.mark.parametrize("kind", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize("certificate, host, said", DISTRUSTED)
def test_untrusted_certificates(kind, certificate, host, said, authority, tmp_path):
    file = tmp_path / "received"
    tls = "implicit" if kind == "smtps" else "starttls"
    arguments = ["--certificates", authority, "--received", file, "--auth", "PLAIN", "--tls", tls]
    with running("server.py", *arguments, "--certificate", certificate) as port:
        outcome = send(f"{kind}://{LOGIN}{host}:{port}", trust=authority / "ca.pem")
    assert outcome.code == 1 and said in outcome.text and not outcome.permanent, outcome.text
    assert received(file) == []


def test_a_machine_without_authorities_names_the_setting(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for trust in (empty, tmp_path / "nowhere.pem"):
        outcome = send("smtps://localhost:1", trust=trust)
        assert outcome.code == 1 and "SSL_CERT_FILE" in outcome.text, outcome.text


# The recipient; whether the server offers SMTPUTF8; the recipient in the dialogue.
RECIPIENTS = [
    ("ada@bücher.example", False, "ada@xn--bcher-kva.example"),
    ("ada@BÜCHER.example", False, "ada@xn--bcher-kva.example"),
    ("ada@bücher.example", True, "ada@xn--bcher-kva.example"),
    ("ada@пример.example", False, "ada@xn--e1afmkfd.example"),
    ("ada@例え.example", False, "ada@xn--r8jz45g.example"),
    ("zoë@bücher.example", True, "zoë@xn--bcher-kva.example"),
    ("zoë@example.net", False, None),
]


@pytest.mark.parametrize("to, utf8, expected", RECIPIENTS)
def test_recipients_beyond_ascii(to, utf8, expected, tmp_path):
    file = tmp_path / "received"
    with running("server.py", "--received", file, *(["--utf8"] if utf8 else [])) as port:
        outcome = send(f"smtp://localhost:{port}", to=to)
    if expected is None:
        assert outcome.permanent and "SMTPUTF8" in outcome.text, outcome.text
        assert received(file) == []
        return
    assert outcome.code == 0, outcome.text
    (entry,) = received(file)
    assert entry["to"] == [expected]
    assert f"\r\nTo: {expected}\r\n" in entry["message"]
    assert ("SMTPUTF8" in entry["options"]) == (not expected.isascii())


# The behaviour of hostile.py; the scheme in the setting; a part of the message.
# Seconds within which it must be there. lictor waits for a reply for twenty, after a mail for forty, and ninety for
# all of them: a step must end before that.
STEP_LIMIT = 80
HOSTILE = [
    ("hangs-at-once", "smtp", "the server took too long"),
    ("hangs-at-once", "smtps", "took too long"),
    ("hangs-after-the-mail", "smtp", "the server took too long"),
    ("never-reads", "smtp", "the server took too long"),
    ("trickles", "smtp", "the server took too long"),
    ("trickles-lines", "smtp", "too"),
    ("drops-in-the-mail", "smtp", ""),
    ("endless-line", "smtp", "is too long"),
    ("endless-line", "smtps", ""),
    ("endless-reply", "smtp", "too many lines"),
    ("busy", "smtp", "421 4.3.2 too busy"),
    ("refuses-all", "smtp", "554 5.7.1 nobody may come"),
    ("speaks-http", "smtp", "not SMTP"),
    ("no-starttls", "smtp+starttls", "no STARTTLS"),
    ("refuses-starttls", "smtp+starttls", "454 4.7.0 not now"),
    ("speaks-before-tls", "smtp+starttls", "before TLS began"),
    ("repeats-the-password", "smtp", "(hidden)"),
    ("talks-much", "smtp", "550"),
]


def test_hostile_servers(authority):
    def check(row):
        behaviour, kind, said = row
        with running("hostile.py", behaviour, "--certificates", authority) as port:
            outcome = send(f"{kind}://{LOGIN}localhost:{port}", trust=authority / "ca.pem")
        why = outcome.text.splitlines()[0]
        fine = outcome.code == 1 and said in why and not outcome.permanent and outcome.seconds < STEP_LIMIT
        fine = fine and why.isprintable() and len(why.encode()) < 450
        return None if fine else (row, outcome)

    # The tests mostly wait for time limits, so all of them run at once.
    with ThreadPoolExecutor(len(HOSTILE)) as pool:
        wrong = list(filter(None, pool.map(check, HOSTILE)))
    assert not wrong


def test_an_endless_line_takes_no_memory(authority):
    """A gigabyte of address space is enough."""
    with running("hostile.py", "endless-line") as port:
        environment = {"LICTOR_MAIL": f"smtp://localhost:{port}", "LICTOR_MAIL_FROM": FROM}
        command = f"ulimit -v 1000000; exec '{BINARY}' mail test ada@example.net"
        ended = subprocess.run(
            ["sh", "-c", command], env=environment, capture_output=True, timeout=PATIENCE
        )
    assert ended.returncode == 1 and b"is too long" in ended.stderr, ended


def test_an_unreachable_server_is_a_temporary_failure():
    for transport in ("smtp://127.0.0.1:1", "smtps://127.0.0.1:1", "smtp://nowhere.invalid"):
        outcome = send(transport)
        assert outcome.code == 1 and not outcome.permanent, outcome


def test_a_folder_gets_a_private_file(tmp_path):
    outcome = send(f"dir:{tmp_path}/mails")
    assert outcome.code == 0, outcome.text
    (file,) = (tmp_path / "mails").iterdir()
    check_message(file.read_bytes().decode("ascii"))
    assert file.suffix == ".eml" and file.stat().st_mode & 0o777 == 0o600


def test_sendmail_gets_the_mail(tmp_path):
    program = tmp_path / "sendmail"
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\nexec cat >{tmp_path}/mail\n')
    program.chmod(0o700)
    outcome = send(f"sendmail:{program}", SECRET_KEY="x" * 32)
    assert outcome.code == 0, outcome.text
    arguments = (tmp_path / "arguments").read_text()
    assert arguments == "-i -f login@example.org -- ada@example.net\n"
    check_message((tmp_path / "mail").read_text())
