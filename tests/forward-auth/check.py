"""Real proxies in front of an app: which requests reach it, and as which user.

Owns the requests and their expected outcomes. What counts is which requests the
app has received.

    python3 -B check.py nginx caddy     (LICTOR_BIN names another binary)
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import sys
from typing import NamedTuple

from app import running_app
from proxies import PROXIES, running_proxy
from servers import Lictor, lictor_binary, running

LIMIT = 20  # seconds within which an answer must arrive
PASSWORD = "seven wet otters"
# Name, roles, and the values that the app reads.
PEOPLE = {
    "ada": ("", ("ada", "1", "")),
    "root": ("admin,editor", ("root", "2", "admin,editor")),
    "@Jürgen": ("", ("@J%C3%BCrgen", "3", "")),
    "a,b;c=\"d\"+%41": ("", ("a%2Cb%3Bc%3D%22d%22%2B%2541", "4", "")),
    "idle": ("admin", ("idle", "5", "admin")),
    "gone": ("admin", ("gone", "6", "admin")),
}
FORGED = [("X-Auth-User", "root"), ("X-Auth-Id", "2"), ("X-Auth-Roles", "admin")]
LARGE = b"x" * 200_000


class Row(NamedTuple):
    """A request, and the user as whom it must reach the app, or the status that refuses it."""

    name: str
    expected: object  # the name of one of PEOPLE, a status, or either for each proxy
    fields: list
    path: str = "/"
    method: str = "GET"
    body: object = None  # a list of bytes is sent in chunks


def bearer(token):
    return ("Authorization", f"Bearer {token}")


def cookie(token):
    return ("Cookie", f"theme=dark; access_token={token}")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forgeries(token):
    """Forged tokens that resemble this one, which belongs to ada."""
    header, payload, tag = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "==="))
    of_root = base64url(json.dumps({**claims, "id": 2, "rls": "admin"}).encode())
    another_key = hmac.new(b"another secret, which nobody has", f"{header}.{of_root}".encode(), hashlib.sha256)
    return {
        "another key": f"{header}.{of_root}.{base64url(another_key.digest())}",
        "another payload": f"{header}.{of_root}.{tag}",
        "no signature": f"{header}.{of_root}.",
        "no algorithm": f"{base64url(json.dumps({'alg': 'none'}).encode())}.{of_root}.",
    }


def rows(tokens):
    """The requests while all users exist and are active."""
    ada, root = bearer(tokens["ada"]), bearer(tokens["root"])
    yield Row("no token", 401, [])
    yield Row("an empty cookie", 401, [cookie("")])
    yield Row("another scheme", 401, [("Authorization", "Basic YWRhOng=")])
    for name, token in forgeries(tokens["ada"]).items():
        yield Row(f"forged: {name}", 401, [bearer(token)])
        yield Row(f"forged, in the cookie: {name}", 401, [cookie(token)])
    for name, token in tokens.items():
        yield Row(f"{name} with a header", name, [bearer(token)])
        yield Row(f"{name} with a cookie", name, [cookie(token)])
    yield Row("two tokens", {"nginx": 400, "caddy": 401}, [ada, root])
    yield Row("a bad header and a good cookie", 401, [("Authorization", "Bearer x"), cookie(tokens["ada"])])

    yield Row("ada at the admins'", 403, [ada], "/admin/")
    yield Row("root at the admins'", "root", [root], "/admin/")
    yield Row("nobody at the admins'", 401, [], "/admin/")
    for path in ["//admin/", "/./admin/", "/x/../admin/", "/%61dmin/", "/admin//x", "/admin/x?role=editor"]:
        yield Row(f"ada at {path}", 403, [ada], path)
    for query in ["?role=", "?role=admin", "?role=editor&role=", "?&", "?%00"]:
        yield Row(f"ada at the admins' with {query}", 403, [ada], f"/admin/{query}")
        yield Row(f"ada with {query}", "ada", [ada], f"/{query}")
        yield Row(f"root at the admins' with {query}", "root", [root], f"/admin/{query}")
    yield Row("another path in a header", 403, [ada, ("X-Original-URI", "/"), ("X-Forwarded-Uri", "/")], "/admin/")

    yield Row("forged identity fields", "ada", [ada, *FORGED])
    yield Row("forged identity fields, twice", "ada", [ada, *FORGED, *FORGED])
    yield Row("forged identity fields, in lower case", "ada", [ada, *((n.lower(), v) for n, v in FORGED)])
    yield Row("a forged roles field", "ada", [ada, FORGED[2]])
    yield Row("forged identity fields without a token", 401, FORGED)
    yield Row("forged identity fields at the admins'", 403, [ada, *FORGED], "/admin/")
    # nginx drops such fields; Caddy passes them on, and lictor refuses the request.
    aliased = {"nginx": "ada", "caddy": 400}
    for character in "_.!~":
        aliases = [(name.replace("-", character), value) for name, value in FORGED]
        yield Row(f"forged identity fields with {character}", aliased, [ada, *aliases])
        yield Row(f"a forged identity field with one {character}", aliased, [ada, (f"X-Auth{character}User", "root")])

    # A proxy removes the fields that Connection names (RFC 9110 section 7.6.1).
    options = ("Connection", "close, x-auth-user, X-Auth-Id, X-Auth-Roles, X_Auth_User")
    yield Row("Connection names the identity fields", "ada", [ada, options])
    yield Row("Connection names the identity fields, in two lines", "ada", [ada, ("Connection", "close"), options])
    yield Row("Connection names forged fields", aliased, [ada, *FORGED, ("X_Auth_User", "root"), options])
    yield Row("Connection names the token", {"nginx": "ada", "caddy": 401}, [ada, ("Connection", "close, Authorization")])
    yield Row("a body", "ada", [ada], "/", "POST", LARGE)
    yield Row("a body in chunks", "ada", [ada], "/", "POST", [LARGE, LARGE])
    yield Row("a body without a token", 401, [], "/", "POST", b"x")
    yield Row("HEAD", "ada", [ada], "/", "HEAD")
    yield Row("HEAD without a token", 401, [], "/", "HEAD")
    yield Row("OPTIONS", "ada", [ada], "/", "OPTIONS")
    yield Row("OPTIONS without a token", 401, [], "/", "OPTIONS")
    yield Row("a head that is too large for lictor", {"nginx": 500, "caddy": 431}, [ada, *[("X-Much", "x" * 6000)] * 3])
    yield Row("another origin", "ada", [ada, ("Origin", "https://other.example")])


def ask(port, row):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    with contextlib.closing(connection):
        connection.putrequest(row.method, row.path, skip_accept_encoding=True)
        for name, value in row.fields:
            connection.putheader(name, value)
        chunked = isinstance(row.body, list)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif row.body is not None:
            connection.putheader("Content-Length", str(len(row.body)))
        connection.endheaders(row.body, encode_chunked=chunked)
        response = connection.getresponse()
        response.read()
        return response


def wrong(proxy, app, row):
    """A description of a wrong outcome, or None."""
    before = len(app.seen)
    answer = ask(proxy.port, row)
    seen = app.seen[before:]
    expected = row.expected[proxy.name] if isinstance(row.expected, dict) else row.expected
    got = f"{answer.status}, and the app saw {[request.identity for request in seen] or 'nothing'}"
    if isinstance(expected, int):
        challenge = answer.headers.get("WWW-Authenticate")
        fine = answer.status == expected and not seen and (challenge == "Bearer" or expected != 401)
        return None if fine else f"{got}, with the challenge {challenge}; expected: {expected}"
    identity = tuple([value] if value else [] for value in PEOPLE[expected][1])
    size = sum(map(len, row.body)) if isinstance(row.body, list) else len(row.body or b"")
    as_sent = [(row.method, row.path, size, identity)]
    fine = answer.status == 200 and [(r.method, r.path, r.size, r.identity) for r in seen] == as_sent
    return None if fine else f"{got}; expected: {as_sent}"


def populate(server):
    for name, (roles, _) in PEOPLE.items():
        answer = server.send("POST", "/api/registration", [], credentials(name))
        assert answer.status == 200, answer
        server.set_roles(name, roles)


def credentials(name):
    return json.dumps({"username": name, "password": PASSWORD}).encode()


def log_in(port, name):
    """Logs in through the proxy; returns the token."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    with contextlib.closing(connection):
        connection.request("POST", "/api/login", credentials(name))
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return json.loads(body)["access_token"]


def changes(tokens, lictor):
    """Pairs of a change and the request after it."""
    ada, root, idle, gone = (bearer(tokens[name]) for name in ("ada", "root", "idle", "gone"))
    logged_out = bearer(tokens["@Jürgen"])
    yield lambda: lictor.send("POST", "/api/logout", [logged_out]), Row("logged out", 403, [logged_out])
    yield lambda: lictor.deactivate("idle"), Row("shut out", 403, [idle])
    yield lambda: lictor.user("activate", "idle"), Row("active again, but logged out", 403, [idle])
    yield lambda: lictor.delete("gone"), Row("deleted", 401, [gone])
    yield lambda: lictor.set_roles("root", "editor"), Row("an admin no more", 403, [root], "/admin/")
    yield lambda: lictor.set_roles("root", "admin,editor"), Row("an admin again", "root", [root], "/admin/")
    # The endpoint that the proxy calls gives no access to others.
    yield lambda: None, Row("the question itself", {"nginx": 404, "caddy": "ada"}, [ada], "/_lictor/user")


def run(kind):
    """Runs all requests through one proxy; returns how many passed, and a line for each failure."""
    failures, passed = [], 0
    with running_app() as app, contextlib.ExitStack() as stack:
        lictor = stack.enter_context(running(Lictor))
        populate(lictor)
        with running_proxy(kind, lictor.port, app.server_port) as proxy:
            tokens = {name: log_in(proxy.port, name) for name in PEOPLE}
            asked = [(lambda: None, row) for row in rows(tokens)]
            asked += changes(tokens, lictor)
            down = {"nginx": 500, "caddy": 502}
            for path in ["/", "/admin/"]:
                row = Row(f"lictor is down: {path}", down, [bearer(tokens["root"])], path)
                asked.append((stack.close, row))
            for change, row in asked:
                change()
                if failure := wrong(proxy, app, row):
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
