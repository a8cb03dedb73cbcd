"""The people of a running lictor: accounts that are good to use, however often a generated request deletes
one, ends its sessions or changes its password. Each is looked at before it is given out, and replaced if it is
not as it should be.

It knows nothing of schemathesis.
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import re
import struct
import time
import urllib.parse
from pathlib import Path

from server import PASSWORD, PATIENCE, command

LINK = re.compile(r"^\S+\?token=(\S+)", re.MULTILINE)


class Refused(Exception):
    """A request of ours that the server does not take in this configuration."""


class Person:
    def __init__(self, name):
        self.name, self.email = name, f"{name}@example.org"
        self.token = self.app_password = None
        # Of the second factor: its secret, and the recovery codes that are left.
        self.secret, self.codes = None, []

    def otp(self):
        """A code that nobody has used yet."""
        return self.codes.pop()

    def first_otp(self):
        """The code that turns the second factor on."""
        return totp(self.secret)


class World:
    def __init__(self, url, database, mails, registration, setup_token, apart, factors):
        host = urllib.parse.urlsplit(url)
        self.address = host.hostname, host.port
        self.database, self.mails = database, mails and Path(mails)
        self.registration, self.setup_token = registration, setup_token
        # Whether these requests come from other IP addresses than the generated ones, behind a trusted proxy.
        self.apart = apart
        # The kinds of accounts that have a second factor.
        self.factors = set(factors)
        self.people, self.tokens, self.count = {}, {}, 0

    # Requests

    def send(self, method, path, body=None, **headers):
        """Sends a request; returns the status, the JSON and the fields of the answer."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        if self.apart:
            self.count += 1
            headers["X-Forwarded-For"] = f"203.0.{self.count // 250 % 250}.{self.count % 250 + 1}"
        # A connection of its own: the server closes one that was idle for long.
        with contextlib.closing(http.client.HTTPConnection(*self.address, timeout=PATIENCE)) as connection:
            connection.request(method, path, text, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null"), answer.headers

    def ask(self, method, path, body=None, **headers):
        """The JSON of a request that must succeed."""
        status, found, _ = self.send(method, path, body, **headers)
        if status >= 300:
            raise Refused(f"{method} {path}: {status} {found}")
        return found

    # Names that nobody has

    def fresh(self, what="person"):
        self.count += 1
        return f"{what}{self.count}"

    # People

    def person(self, kind):
        """A good account of this kind: `admin`, `user`, `factor` (with a second factor), `begun` (with one
        that is not confirmed yet), `victim` (for administrators to change)."""
        person = self.people.get(kind)
        if person is None or not (self.is_good(person, kind) or self.logs_in(person, kind)):
            person = self.people[kind] = self.make(kind)
        return person

    def is_good(self, person, kind):
        status, found, _ = self.send("GET", "/api/me", Authorization=f"Bearer {person.token}")
        if status != 200 or (kind == "admin") != ("admin" in found["roles"]):
            return False
        # A code for this request, and one for the next.
        return found["second_factor"] == (kind in self.factors) and (kind not in self.factors or len(person.codes) > 1)

    def logs_in(self, person, kind):
        login = {"username": person.name, "password": PASSWORD}
        if kind in self.factors and person.secret:
            if len(person.codes) < 3:
                return False
            login["otp"] = person.otp()
        status, found, _ = self.send("POST", "/api/login", login)
        if status != 200:
            return False
        person.token = found["access_token"]
        return not person.secret or self.is_good(person, kind)

    def make(self, kind):
        person = Person(self.fresh(kind))
        role = ("--role", "admin") if kind == "admin" else ()
        add = ("user", "add", person.name, "--email", person.email, *role)
        code, said = command(self.database, *add, text=PASSWORD + "\n")
        assert code == 0, said
        assert self.logs_in(person, kind), f"{person.name} cannot log in"
        if kind in self.factors or kind == "begun":
            begun = self.ask("POST", "/api/second-factor", {"password": PASSWORD}, **bearer(person))
            person.secret = begun["secret"]
        if kind in self.factors:
            confirm = {"otp": person.first_otp()}
            person.codes = self.ask("PUT", "/api/second-factor", confirm, **bearer(person))["recovery_codes"]
        return person

    def forget(self, kind):
        """The next account of this kind is another one."""
        self.people.pop(kind, None)

    def number_of(self, person):
        return self.ask("GET", "/api/me", **bearer(person))["id"]

    # What shows who somebody is

    def cookie(self, person, name):
        """The value of the cookie of a browser session, which has this name."""
        _, found, headers = self.send("POST", "/api/session", "", **bearer(person))
        given = re.search(rf"^{re.escape(name)}=([^;]+)", headers["Set-Cookie"] or "")
        assert given, f"no cookie {name}: {found}"
        return given[1]

    def basic(self, person):
        """The value of `Authorization` with an app password."""
        shown = person.app_password
        if shown is None or self.send("GET", "/api/protected", Authorization=shown)[0] != 200:
            made = self.ask("POST", "/api/app-passwords", {"name": "tests", "api": True}, **bearer(person))
            pair = f"{person.name}:{made['password']}"
            person.app_password = "Basic " + base64.b64encode(pair.encode()).decode()
        return person.app_password

    # Tokens of mails

    def mailed_token(self, kind):
        """A token of a mail that is good: `confirmation` or `reset`."""
        path = "/api/finalize/check" if kind == "confirmation" else "/api/reset_finalize"
        token = self.tokens.get(kind)
        if token is None or self.send("GET", path, Authorization=f"Bearer {token}")[0] != 200:
            token = self.tokens[kind] = self.mailed(self.confirm() if kind == "confirmation" else self.reset())
        return token

    def confirm(self):
        """Has a mail sent that confirms an e-mail address; returns the address."""
        name = self.fresh("new")
        email = f"{name}@example.org"
        if self.registration == "email":
            self.ask("POST", "/api/registration", {"username": name, "password": PASSWORD, "email": email})
        else:
            change = {"email": email, "password": PASSWORD}
            self.ask("PUT", "/api/email", change, **bearer(self.person("user")))
        return email

    def reset(self):
        person = self.person("victim")
        email = self.ask("GET", "/api/me", **bearer(person))["email"]
        if email is None:
            self.forget("victim")
            return self.reset()
        self.ask("POST", "/api/reset", {"email": email})
        return email

    def mailed(self, email):
        """The token of the mail with a link that arrives for this e-mail address."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for path in sorted(self.mails.glob("*.eml")):
                mail = path.read_text(errors="replace")
                path.unlink()
                link = LINK.search(mail)
                if link and f"\nTo: {email}\n" in mail.replace("\r\n", "\n"):
                    return link[1].rstrip()
            time.sleep(0.002)
        raise AssertionError(f"no mail came for {email}")


def bearer(person):
    return {"Authorization": f"Bearer {person.token}"}


def totp(secret):
    """The code of this moment (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
