"""Real proxies with the example files in front of three apps: which requests reach them, and as which user.

Owns the site, and how outcomes are compared. What counts is which requests the echo app
has received. The requests are in rows.py and cookies.py, the other two apps in programs.py.

    python3 -B check.py nginx caddy haproxy traefik     (LICTOR_BIN names another binary)
"""

import contextlib
import itertools
import json
import sys
import tempfile
import time

import cookies
import programs
import rows
import websocket
from app import running_app
from names import DOMAIN, LIMIT, LOGIN, WIKI, Authority, leading_to, request
from proxies import EXAMPLES, PROXIES, running_proxy
from rows import NOBODY, PASSWORD, PEOPLE, Row, bearer
from servers import Lictor, lictor_binary, running


class Login(Lictor):
    """As docs/forward-auth.md has it, but anybody may register."""

    options = [
        *("--trusted-proxy", "127.0.0.1,::1", "--public-url", f"https://{LOGIN}"),
        *("--cookie-domain", DOMAIN, "--access", str(EXAMPLES / "access")),
    ]

    def command(self):
        # Guesses are counted, as by default.
        command = super().command()
        command[command.index("--throttle") + 1] = "on"
        return command


class Site:
    """lictor, the proxy and the apps, all running."""

    def __init__(self, authority, proxy, app, lictor):
        self.authority, self.proxy, self.app, self.lictor = authority, proxy, app, lictor

    def wrong(self, row):
        """A description of a wrong outcome, or None."""
        before = len(self.app.seen)
        answer = request(self.authority, row.host, row.method, row.path, row.fields, row.body, row.named)
        seen = self.app.seen[before:]
        expected = row.expected[self.proxy.name] if isinstance(row.expected, dict) else row.expected
        either = expected if isinstance(expected, tuple) else (expected,)
        fine = any(self.as_expected(answer, row, each, seen) for each in either)
        leaked = [leak for got in seen for leak in got.credentials + got.claims if leak not in self.proxy.says]
        more = row.answer(answer) if row.answer and fine else None
        if fine and not leaked and not more:
            return None
        saw = [(got.method, got.path, got.identity) for got in seen]
        return f"{answer.status}, and the app saw {saw or 'nothing'}; {leaked or more or ''} expected: {expected}"

    def as_expected(self, answer, row, expected, seen):
        if isinstance(expected, int):
            return refused(answer, expected, seen)
        return passed(answer, row, self.proxy.passes_on(row.path), expected, seen)


def refused(answer, expected, seen):
    challenges = answer.headers.get_all("WWW-Authenticate", [])
    return answer.status == expected and not seen and ("Bearer" in challenges or expected != 401)


def passed(answer, row, path, expected, seen):
    """Whether the app has got the request, with its body and this path, and all that lictor says of the user."""
    name, ident, roles = PEOPLE[expected][1] if expected != NOBODY else ("", "", "")
    identity = tuple([value] if value else [] for value in (name, ident, roles, name, name, "", roles))
    size = sum(map(len, row.body)) if isinstance(row.body, list) else len(row.body or b"")
    as_sent = [(row.method, path, size, identity)]
    # Some of the examples set one more field, for apps that know no other.
    others = {value for got in seen for value in got.values("x_remote_user")}
    got_as_sent = [(got.method, got.path, got.size, got.identity) for got in seen] == as_sent
    sees = row.sees is None or [got.values(row.sees[0]) for got in seen] == [row.sees[1]]
    return answer.status == 200 and got_as_sent and others <= {name} and sees


def populate(server):
    for name, (roles, _) in PEOPLE.items():
        answer = server.send("POST", "/api/registration", [], credentials(name))
        assert answer.status == 200, answer
        server.set_roles(name, roles)


def wait_until_it_leads(authority):
    """Waits until the proxy leads to lictor: Traefik accepts connections before it has read where they lead."""
    give_up = time.monotonic() + LIMIT
    while True:
        with contextlib.suppress(OSError):
            if request(authority, LOGIN, "GET", "/api/").status == 200:
                return
        assert time.monotonic() < give_up, "the proxy does not lead to lictor"
        time.sleep(0.05)


def credentials(name):
    return json.dumps({"username": name, "password": PASSWORD}).encode()


def log_in(authority, name):
    """Logs in through the proxy; returns the token."""
    answer = request(authority, LOGIN, "POST", "/api/login", body=credentials(name))
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["access_token"]


def asked(site, tokens, stop):
    """Pairs of a change and the request after it, in their order."""

    def nothing():
        pass

    value, attributes = cookies.log_in(site.authority, "ada")
    of_root, _ = cookies.log_in(site.authority, "root")
    if wrong := cookies.wrong_attributes(attributes):
        raise AssertionError(wrong)
    tables = [
        rows.rows(tokens),
        rows.places(tokens),
        rows.forged_names(tokens),
        rows.claims(tokens),
        rows.upgrades(tokens),
        cookies.ways_in(),
        cookies.alone(value),
        cookies.among_others(value, of_root),
    ]
    for table in tables:
        yield from ((nothing, row) for row in table)
    yield from rows.changes(tokens, site.lictor)
    yield from cookies.ends(site.authority, site.lictor)
    down = {"nginx": 500, "caddy": 502, "haproxy": 503, "traefik": 500}
    for path in ["/", "/admin/", "/public"]:
        yield stop, Row(f"lictor is down: {path}", down, [bearer(tokens["root"])], path)


def run(kind):
    """Runs all requests through one proxy; returns how many passed, and a line for each failure."""
    failures, passed = [], 0
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="forward-auth-"))
        authority = Authority(directory)
        app = stack.enter_context(running_app())
        calendars, files = stack.enter_context(programs.running_programs(kind.calendar_user))
        server = stack.enter_context(contextlib.ExitStack())
        lictor = server.enter_context(running(Login))
        populate(lictor)
        ports = {5000: lictor.port, 8001: app.server_port, 8002: calendars, 8003: files}
        proxy = stack.enter_context(running_proxy(kind, authority, ports))
        stack.enter_context(leading_to(proxy.port))
        wait_until_it_leads(authority)
        site = Site(authority, proxy, app, lictor)
        tokens = {name: log_in(authority, name) for name in PEOPLE}
        cookie = cookies.with_cookie(cookies.log_in(authority, "ada")[0])
        of_programs = programs.checks(authority, tokens), websocket.checks(authority, WIKI, cookie)
        for name, holds in itertools.chain(*of_programs, programs.guesses(authority)):
            if holds:
                passed += 1
            else:
                failures.append(name)
        for change, row in asked(site, tokens, server.close):
            change()
            if failure := site.wrong(row):
                failures.append(f"{row.name}: {failure}")
            else:
                passed += 1
    return passed, failures


def main():
    if lictor_binary() is None:
        sys.exit("no lictor binary: run `cargo build` first, or set LICTOR_BIN")
    failed = 0
    for name in sys.argv[1:]:
        kind = PROXIES[name]
        passed, failures = run(kind)
        print(f"{name} ({kind.version()}): {passed} passed, {len(failures)} failed")
        for failure in failures:
            print(f"  WRONG {failure}")
        failed += len(failures)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
