"""The commands of docs/forward-auth.md ("In ten commands", and then for another app and another person) on a
fresh machine, and what their reader should see then.

Owns that page's part of the walk; check.py runs it, and makes the machine.
"""

import json
import re
import shlex

from page import ROOT, Block

PAGE = (ROOT / "docs/forward-auth.md").read_text()
NAMES = [f"{name}.example.org" for name in ("login", "wiki", "cal", "home", "photos")]
MOST = 10  # commands

# (what the page says, what runs, why)
REPLACED = [
    (
        'sed "s/example\\.org/$domain/g" Caddyfile >/etc/caddy/Caddyfile',
        "{ printf '{\\nlocal_certs\\nskip_install_trust\\n}\\n'; sed \"s/example\\.org/$domain/g\" Caddyfile; } >/etc/caddy/Caddyfile",
        "no ACME server is reached: Caddy is its own authority, which the machine trusts",
    ),
    ("python3 -m http.server", "systemd-run -q python3 -m http.server", "the next command must not wait for its end"),
]


def fences(heading, language):
    """The blocks of a section in a language."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def blocks():
    """The commands of the page's first section."""
    section = PAGE.split("## In ten commands")[1].split("\n## ")[0]
    found = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    # What is between the lines of a "here document" is no command.
    commands = re.sub(r"<<END\n.*?^END$", "", "".join(found), flags=re.MULTILINE | re.DOTALL).splitlines()
    assert len(commands) <= MOST, commands
    for said, runs, _ in REPLACED:
        assert section.count(said) == 1, said
        found = [block.replace(said, runs) for block in found]
    return [Block(block) for block in found]


def walk(m, address, password, timeout):
    m.run(f"echo {address} {' '.join(NAMES)} >>/etc/hosts")

    def curl(*arguments):
        command = ["curl", "-sS", "-m", "250", "-b", "/var/tmp/jar", "-c", "/var/tmp/jar", *arguments]
        return m.run(shlex.join(command), timeout=timeout)

    def status(url, *arguments):
        return curl("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", url, *arguments).strip()

    for block in blocks():
        m.do(block)
    m.trust("/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt")
    m.eventually("curl -fsS https://login.example.org/api/health", timeout=timeout)
    m.eventually("curl -fsS http://127.0.0.1:8001/", timeout=timeout)

    page = "https://wiki.example.org/lictor/"
    browser = ["-H", "Accept: text/html"]
    to_login = "302 https://login.example.org/login?return=https%3A%2F%2Fwiki.example.org%2Flictor%2F"
    assert status(page, *browser) == to_login, status(page, *browser)
    assert status(page) == "401"
    stranger = f'{{"username": "stranger", "password": "{password}", "invitation": "XXXX-XXXX"}}'
    assert status("https://login.example.org/api/registration", "-d", stranger) == "403"
    ada = ["-d", f'{{"username": "ada", "password": "{password}"}}', "-H", "Origin: https://login.example.org"]
    assert status("https://login.example.org/api/session", *ada) == "200"
    assert "Directory listing for /lictor/" in curl(page, *browser)
    assert status("https://wiki.example.org/admin/", *browser) == "404", "the app's own 404"
    assert status("https://home.example.org/", *browser) == "403", "nobody may"
    check = m.run("lictor access explain https://wiki.example.org/ --user ada --env-file /etc/lictor.env")
    assert "wiki.example.org" in check, check

    add_app(m)
    photos = "https://photos.example.org/"
    # Ada reaches the app, which does not run, once both have read what is new.
    reached = f"curl -sS -m 250 -b /var/tmp/jar -o /dev/null -w '%{{http_code}}' -H 'Accept: text/html' {photos}"
    m.eventually(f'[ "$({reached})" = 502 ]', timeout=timeout)
    bob = {"username": "bob", "password": password, "invitation": invite(m)}
    assert status("https://login.example.org/api/registration", "-d", json.dumps(bob)) == "200"
    m.run("lictor access explain https://home.example.org/files/ --user bob --env-file /etc/lictor.env")


def add_app(m):
    rule = "photos.example.org users"
    assert PAGE.count(f"`{rule}`") == 1
    (block,) = fences("Add an app", "caddyfile")
    m.run(f"echo {rule} >>/etc/lictor.access; printf %s {shlex.quote(block)} >>/etc/caddy/Caddyfile")
    for commands in fences("Add an app", "sh"):
        m.do(Block(commands))


def invite(m):
    """Returns the code of an invitation."""
    (commands,) = fences("Invite people", "sh")
    return re.search(r"^code +(\S+)", m.do(Block(commands)), re.MULTILINE)[1]
