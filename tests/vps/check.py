"""Walks through docs/vps.md in a fresh Debian: runs its commands in order, and looks after each step at
what the reader should see. The last step is on a second fresh machine, and docs/forward-auth.md on a third.
At the end, scripts.py tries the removal of the .deb, and the .rpm.

    LICTOR_BIN=PROGRAM python3 -B tests/vps/check.py

What cannot be had in a machine without a network:
  DNS                 lines in /etc/hosts, and addresses of the loopback device
  certificates        see page.py
  the mail server     mail_server.py, at an address that is not localhost
  the other machine   another user, who comes by ssh
  one's own computer  dist/stage and dist/deb make the packages of LICTOR_BIN, and the test puts them there
  apt                 runs, and finds what it is to install in the tree; the .deb is really installed
  a terminal          the password comes on standard input
"""

import base64
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import forward_auth
import scripts
from page import OTHER_MACHINE, OWN_COMPUTER, ROOT, sections

sys.path.append(str(ROOT / "tests/debian"))
from machine import Machine  # noqa: E402

PACKAGES = ["caddy", "cron", "openssh-server", "python3", "rpm", "rsync"]
PASSWORD = "ten wooden lanterns"
SITE = "https://login.example.org"
# Addresses for documentation (RFC 5737), so not localhost for the unit's firewall.
VPS, MAIL = "192.0.2.80", "192.0.2.25"
MAILS = "/var/tmp/mails"
COPIES = "/home/other/lictor-backup"
VERSIONS = ["0.1.0", "0.2.0"]
# An emulated processor on a busy machine.
TIMEOUT = 900
# What asks whether lictor is well gives up after a second or two, which a busy machine may need: it asks again.
PATIENTLY = 'patiently() { for n in $(seq 50); do "$@" && return; sleep 0.2; done; "$@"; }\n'
ASKS = re.compile(r"^(?=lictor health\b|curl -fsS \S+/(?:api/health|metrics)\b)", re.MULTILINE)

CERTIFICATES = """
cd /var/tmp
new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
openssl req -x509 $new -keyout ca.key -out ca.crt -subj /CN=mail -days 9
openssl req $new -keyout mail.key -out mail.csr -subj /CN=smtp.example.org
openssl x509 -req -in mail.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -out mail.crt \\
    -extfile <(echo subjectAltName=DNS:smtp.example.org)
"""


class Vps(Machine):
    """A bare Debian, and what surrounds it in the world."""

    def __init__(self, packages):
        super().__init__(PACKAGES)
        self.packages = packages

    def __enter__(self):
        super().__enter__()
        self.run(f"ip address add {VPS}/32 dev lo; ip address add {MAIL}/32 dev lo")
        self.run(f"printf '{VPS} login.example.org\\n{MAIL} smtp.example.org\\n' >>/etc/hosts")
        self.run("set -e" + CERTIFICATES, timeout=TIMEOUT)
        self.trust("/var/tmp/ca.crt")
        self.put("/opt/mail_server.py", (ROOT / "tests/vps/mail_server.py").read_bytes())
        self.run(f"systemd-run -q python3 /opt/mail_server.py {MAIL} /var/tmp/mail.crt /var/tmp/mail.key {MAILS}")
        self.eventually("ss -ltn | grep -q :465")
        self.run("useradd --create-home --shell /bin/bash other")
        for package in self.packages:
            self.put(f"/root/{package.name}", package.read_bytes())
        return self

    def do(self, block, text=None):
        """Runs a block as its reader would; returns what it printed."""
        if block.place == OWN_COMPUTER:
            return ""
        user = "other" if block.place == OTHER_MACHINE else "root"
        self.put("/var/tmp/block", PATIENTLY + ASKS.sub("patiently ", text or block.replaced()))
        shell = f"su - {user} -c 'bash -e -o pipefail /var/tmp/block' <<<{shlex.quote(PASSWORD)}"
        return self.run(f"{shell} 2>&1", timeout=TIMEOUT)

    def ask(self, method, path, body=None, token=None):
        """The status and the JSON of an answer, through Caddy."""
        command = ["curl", "-sS", "-m", "250", "-X", method, "-w", "%{http_code}", SITE + path]
        command += [] if body is None else ["-d", json.dumps(body)]
        command += [] if token is None else ["-H", f"Authorization: Bearer {token}"]
        out = self.run(shlex.join(command), timeout=TIMEOUT)
        return int(out[-3:]), json.loads(out[:-3] or "null")

    def log_in(self, name, password=PASSWORD):
        status, answer = self.ask("POST", "/api/login", {"username": name, "password": password})
        assert status == 200, answer
        return answer["access_token"]

    def protected(self, token):
        return self.ask("GET", "/api/protected", token=token)[0]

    def trust(self, certificate):
        """What update-ca-certificates does, without a quarter of a minute for those that are there."""
        # Not one that is half written.
        self.eventually(f"grep -q END {certificate}", timeout=TIMEOUT)
        self.run(f"cat {certificate} >>/etc/ssl/certs/ca-certificates.crt")


def install(m, steps):
    for block in steps[1]:
        m.do(block)
    assert m.run("systemctl is-active lictor lictor.socket").split() == ["active"] * 2
    assert m.run("systemctl is-enabled lictor lictor.socket").split() == ["enabled"] * 2
    assert m.run("stat -c %a /etc/lictor.env").strip() == "600"
    assert "handed over [127.0.0.1:5000]" in m.run("journalctl --sync; journalctl -q -o cat -u lictor")


def https(m, steps):
    reload, ask = steps[3]
    m.do(reload)
    m.trust("/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt")
    # The page says: after some seconds.
    m.eventually(f"curl -fsS {SITE}/api/health", timeout=TIMEOUT)
    assert '"status":"ok"' in m.do(ask)
    assert "<!doctype html" in m.run(f"curl -fsS {SITE}/").lower()
    assert m.run("curl -sS -o /dev/null -w '%{http_code}' http://login.example.org/") == "308"
    stranger = {"username": "stranger", "password": PASSWORD, "invitation": "XXXX-XXXX"}
    assert m.ask("POST", "/api/registration", stranger)[0] == 403


def mail(m, steps):
    for block in steps[4]:
        out = m.do(block)
    assert "sent to ada@example.org by smtps://smtp.example.org:465 as login@example.org" in out, out
    m.eventually(f"grep -q 'To: .*ada@example.org' {MAILS}")


def administrator(m, steps):
    add, invite = steps[2]
    m.do(add)
    users = m.run("lictor user list --env-file /etc/lictor.env")
    assert "ada" in users and "admin" in users, users
    return m.do(invite).split()[1]


def backup(m, steps):
    nightly, key, accept, fetch = steps[5]
    assert m.do(nightly).count("lictor-2") == 2
    public = m.do(key).strip().splitlines()[-1]
    assert accept.text.count("ssh-ed25519 AAAA…") == 1
    m.do(accept, accept.text.replace("ssh-ed25519 AAAA…", public))
    assert m.do(fetch).count("-rw-------") == 2
    # The key opens nothing else.
    for command in ("ssh lictor id", "rsync -a .bashrc lictor:/", "rsync -a lictor:/../../../../etc/lictor.env ."):
        code, out, _ = m.outcome(f"su - other -c {shlex.quote(command)}", timeout=TIMEOUT)
        assert code != 0 and "uid=" not in out, f"{command}: {out}"
    assert "lictor.env" not in m.run("ls -a /home/other")


def monitoring(m, steps):
    crontab, look, metrics = steps[6]
    m.do(crontab)
    # It would take until nine in the morning.
    lines = [line.split(" ", 5)[5] for line in m.run("crontab -u other -l").splitlines()]
    assert len(lines) == 3
    as_cron = [f"su - other -c {shlex.quote(line)}" for line in lines]
    for line in as_cron:
        # Silent, once the machine is not too busy for the times that they give.
        m.eventually(f'out=$({line} 2>&1) && test -z "$out"', timeout=TIMEOUT)
    out = m.do(look)
    assert "0 loaded units" in out and "lictor-backup.timer" in out and "login" in out, out
    assert "lictor_ready 1" in m.do(metrics)
    # All is not well: each says so.
    m.run("systemctl stop lictor.socket lictor")
    code, _, err = m.outcome(as_cron[1], timeout=TIMEOUT)
    assert code != 0 and "502" in err, err
    m.run("systemctl start lictor.socket lictor", timeout=TIMEOUT)
    m.run(f"touch -d -3days {COPIES}/*")
    assert m.run(as_cron[2]) == "no new backup of lictor\n"


def walk(m, steps):
    """The page on the first machine; returns the copies that the other machine has."""
    install(m, steps)
    invitation = administrator(m, steps)
    https(m, steps)
    token = m.log_in("ada")
    assert m.protected(token) == 200
    guest = {"username": "bob", "password": PASSWORD, "invitation": invitation}
    assert m.ask("POST", "/api/registration", guest)[0] in (200, 201)
    assert VPS in m.run("lictor audit --env-file /etc/lictor.env"), "the client's IP address is lost"
    done("install, first administrator, HTTPS")

    mail(m, steps)
    # By the service, which needs the drop-in.
    assert m.ask("POST", "/api/reset", {"email": "ada@example.org"})[0] == 200
    m.eventually(f"grep -q {SITE}/reset-finalize {MAILS}", timeout=TIMEOUT)
    done("mail")
    backup(m, steps)
    done("backup")
    monitoring(m, steps)
    done("monitoring")

    (upgrade,) = steps[7]
    assert m.protected(token) == 200
    with scripts.requests(m):
        m.do(upgrade)
    assert m.run("dpkg-query -W -f '${Version}' lictor") == f"{VERSIONS[1]}-1"
    assert m.protected(token) == 200, "an upgrade has ended a session"
    assert m.run("systemctl is-active lictor.socket lictor-backup.timer").split() == ["active"] * 2
    done("upgrade")

    m.run("lictor user delete bob --yes --env-file /etc/lictor.env")
    assert "bob" in m.do(steps[8][0])
    assert m.protected(token) == 403, "a session of the copy is good again"
    assert m.protected(m.log_in("ada")) == m.protected(m.log_in("bob")) == 200
    done("restore")
    m.run(f"su - other -c 'rsync -a lictor:/ {COPIES}/'", timeout=TIMEOUT)
    return base64.b64decode(m.run("tar -cC /home/other lictor-backup | base64"))


def new_machine(m, steps, copies):
    install(m, steps)
    https(m, steps)
    mail(m, steps)
    bring, restore = steps[8][1:]
    # The two machines have no network between them.
    assert bring.place == OTHER_MACHINE and "scp -rp ~/lictor-backup root@" in bring.text
    m.put("/var/tmp/copies.tar", copies)
    m.run("tar -xC /root --no-same-owner -f /var/tmp/copies.tar")
    out = m.do(restore)
    assert "ada" in out and "bob" in out, out
    assert m.protected(m.log_in("ada")) == m.protected(m.log_in("bob")) == 200
    assert m.run("stat -c '%a %U' /var/lib/lictor/lictor.db /var/lib/lictor/lictor.key").split() == ["600", "lictor"] * 2
    done("restore on a new machine")


def packages(folder):
    """What one's own computer would make: two versions of LICTOR_BIN, of which the page installs one and
    then the other; and an .rpm."""
    program = os.environ["LICTOR_BIN"]
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1767225600"}
    stage = folder / "stage"
    subprocess.run([ROOT / "dist/stage", program, stage], check=True)
    for version in VERSIONS:
        command = [ROOT / "dist/deb", stage, program, os.uname().machine, version, folder]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = [ROOT / "dist/rpm", stage, program, os.uname().machine, VERSIONS[1], folder]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("*.deb")), next(folder.glob("*.rpm"))


def removal(m, package):
    scripts.deb(m, f"/root/{package.name}")
    done("upgrade, removal and installation of the .deb")


def rpm(m, package):
    scripts.rpm(m, package)
    done("scripts of the .rpm")


def done(what):
    print(f"ok {what} ({time.monotonic() - BEGUN:.0f} s)", flush=True)


def main():
    steps = sections()
    with tempfile.TemporaryDirectory() as folder:
        made, package = packages(Path(folder))
        with Vps(made) as m:
            copies = watched(m, walk, steps)
            watched(m, removal, made[-1])
        with Vps(made) as m:
            watched(m, new_machine, steps, copies)
        with Vps(made) as m:
            watched(m, forward_auth.walk, VPS, PASSWORD, TIMEOUT)
            done("one login for every app")
        with Machine(PACKAGES) as m:
            watched(m, rpm, package)


def watched(m, part, *arguments):
    try:
        return part(m, *arguments)
    except BaseException:
        print(m.run("journalctl -q -o short-monotonic -u lictor -u caddy -u lictor-backup | tail -n 40", check=False))
        raise


if __name__ == "__main__":
    BEGUN = time.monotonic()
    main()
