"""The requests with tokens, and their expected outcomes.

Owns the table of who may pass, of forged tokens, and of what a client says of itself. What
browsers do with cookies is in cookies.py.
"""

import base64
import hashlib
import hmac
import json
from typing import NamedTuple

from names import CAL, HOME, LOGIN, WIKI

PASSWORD = "seven wet otters"
# Name, roles, and the values that the app reads: name, id, roles.
PEOPLE = {
    "ada": ("", ("ada", "1", "")),
    "root": ("admin,editor", ("root", "2", "admin,editor")),
    "@Jürgen": ("", ("@J%C3%BCrgen", "3", "")),
    "a,b;c=\"d\"+%41": ("", ("a%2Cb%3Bc%3D%22d%22%2B%2541", "4", "")),
    "idle": ("admin", ("idle", "5", "admin")),
    "gone": ("admin", ("gone", "6", "admin")),
    "fay": ("family", ("fay", "7", "family")),
}
NOBODY = "nobody"  # reaches the app, which learns no name
FORGED = [("X-Auth-User", "root"), ("X-Auth-Id", "2"), ("X-Auth-Roles", "admin")]
ALSO_FORGED = [("Remote-User", "root"), ("Remote-Name", "root"), ("Remote-Email", "root@example.org"), ("Remote-Groups", "admin")]
LARGE = b"x" * 1_200_000


class Row(NamedTuple):
    """A request, and the user as whom it must reach the app, or the status that refuses it."""

    name: str
    expected: object  # the name of one of PEOPLE, NOBODY, a status, a tuple of these, or either for each proxy
    fields: list
    path: str = "/"
    method: str = "GET"
    body: object = None  # a list of bytes is sent in chunks
    host: str = WIKI
    named: object = None  # what Host fields say, if not the host
    answer: object = None  # gets the answer, and returns what is wrong with it
    sees: object = None  # a field, and the values of it that the app must get


def bearer(token):
    return ("Authorization", f"Bearer {token}")


def basic(name, password):
    return ("Authorization", "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())


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
    yield Row("a password of no app", 401, [basic("ada", "")])
    for name, token in forgeries(tokens["ada"]).items():
        yield Row(f"forged: {name}", 401, [bearer(token)])
        yield Row(f"forged, in the cookie: {name}", 401, [cookie(token)])
    for name, token in tokens.items():
        yield Row(f"{name} with a header", name, [bearer(token)])
        yield Row(f"{name} with a cookie", name, [cookie(token)])
    yield Row("two tokens", {"nginx": 400, "caddy": 401, "haproxy": 401, "traefik": 401}, [ada, root])
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

    # Caddy takes such fields away, the others leave them to lictor, which refuses the request.
    forged = {"nginx": 403, "caddy": "ada", "haproxy": 403, "traefik": 403}
    yield Row("forged identity fields", forged, [ada, *FORGED])
    yield Row("forged identity fields, twice", forged, [ada, *FORGED, *FORGED])
    yield Row("forged identity fields, in lower case", forged, [ada, *((n.lower(), v) for n, v in FORGED)])
    yield Row("a forged roles field", forged, [ada, FORGED[2]])
    yield Row("forged identity fields without a token", {"nginx": 403, "caddy": 401, "haproxy": 403, "traefik": 403}, FORGED)
    yield Row("forged identity fields at the admins'", 403, [ada, *FORGED], "/admin/")
    # nginx drops such fields; the others pass them on.
    aliased = {"nginx": "ada", "caddy": 403, "haproxy": 403, "traefik": 403}
    for character in "_.!~":
        aliases = [(name.replace("-", character), value) for name, value in FORGED]
        yield Row(f"forged identity fields with {character}", aliased, [ada, *aliases])
        yield Row(f"a forged identity field with one {character}", aliased, [ada, (f"X-Auth{character}User", "root")])

    # A proxy removes the fields that Connection names (RFC 9110 section 7.6.1).
    options = ("Connection", "close, x-auth-user, X-Auth-Id, X-Auth-Roles, X_Auth_User")
    yield Row("Connection names the identity fields", "ada", [ada, options])
    yield Row("Connection names the identity fields, in two lines", "ada", [ada, ("Connection", "close"), options])
    # Traefik does so before it asks.
    named = {"nginx": 403, "caddy": 403, "haproxy": 403, "traefik": "ada"}
    yield Row("Connection names forged fields", named, [ada, *FORGED, ("X_Auth_User", "root"), options])
    both = ("Connection", "keep-alive, Remote-User, X-Real-IP, X-Forwarded-For, X-Forwarded-Proto, Cookie, Host")
    yield Row("Connection names what the proxy says", "ada", [ada, both], sees=("x_forwarded_for", ["127.0.0.1"]))
    yield Row("Connection names the IP address", "ada", [ada, both], sees=("x_real_ip", ["127.0.0.1"]))
    token_named = {"nginx": "ada", "caddy": "ada", "haproxy": "ada", "traefik": 401}
    yield Row("Connection names the token", token_named, [ada, ("Connection", "close, Authorization")])
    yield Row("a body", "ada", [ada], "/", "POST", LARGE)
    yield Row("a body in chunks", "ada", [ada], "/", "POST", [LARGE, LARGE])
    yield Row("a body without a token", 401, [], "/", "POST", b"x")
    yield Row("HEAD", "ada", [ada], "/", "HEAD")
    yield Row("HEAD without a token", 401, [], "/", "HEAD")
    yield Row("OPTIONS", "ada", [ada], "/", "OPTIONS")
    yield Row("OPTIONS without a token", 401, [], "/", "OPTIONS")
    too_large = {"nginx": 400, "caddy": 431, "haproxy": 400, "traefik": 431}
    yield Row("a head that is too large for lictor", too_large, [ada, *[("X-Much", "x" * 6000)] * 3])
    yield Row("another origin", "ada", [ada, ("Origin", "https://other.example")])


def places(tokens):
    """Names and paths: which rule counts."""
    ada, root, fay = (bearer(tokens[name]) for name in ("ada", "root", "fay"))
    yield Row("without a token where everyone may", NOBODY, [], "/public/x")
    yield Row("ada where everyone may", "ada", [ada], "/public")
    yield Row("forged fields where everyone may", {"nginx": 403, "caddy": NOBODY, "haproxy": 403, "traefik": 403}, FORGED, "/public")
    yield Row("a path that only begins like it", 401, [], "/publicity")
    for path in ["/public/../admin/", "/public/%2e%2e/admin/", "/public/..%2fadmin/", "/public/%5c..%5cadmin"]:
        yield Row(f"without a token at {path}", 401, [], path)
        yield Row(f"ada at {path}", 403, [ada], path)
    for path in ["/admin.html", "/admin.json/x", "/index.php/admin/", "/public/index.php/admin"]:
        yield Row(f"without a token at {path}", 401, [], path)
        yield Row(f"ada at {path}", 403, [ada], path)
    yield Row("a program's page where everyone may", 401, [], "/public/index.php/x")
    for path in ["/public/app.v2.js", "/public/chart.js/x.css", "/public/v1.2/admin"]:
        yield Row(f"without a token at {path}", NOBODY, [], path)
    # Traefik passes on, and asks about, one slash.
    for user, refused, fields in [(NOBODY, 401, []), ("ada", 403, [ada])]:
        either = {"nginx": refused, "caddy": refused, "haproxy": refused, "traefik": user}
        yield Row(f"two slashes: {user}", either, fields, "/public//x")
    yield Row("ada at the calendars", 200, [ada], host=CAL, path="/.web/")
    yield Row("ada at the family's files", 403, [ada], host=HOME, path="/files/")
    # nginx and Traefik have their answer to other paths before they ask.
    beside = {"nginx": 404, "caddy": 403, "haproxy": 403, "traefik": 404}
    yield Row("root beside the files", beside, [root], host=HOME)
    yield Row("fay at another path", beside, [fay], host=HOME, path="/file")

    # A second path in the same request.
    for place, expected in [
        *(("/x", "ada"), (f"https://{WIKI}/x/y", "ada"), ("/admin/x", 403), (f"https://{WIKI}/admin/x", 403)),
        *((f"https://{WIKI}/x/../admin/", 403), (f"https://{CAL}/x", 403), ("x", 403)),
    ]:
        yield Row(f"ada with the Destination {place}", expected, [ada, ("Destination", place)])
        yield Row(f"ada deletes with the Destination {place}", expected, [ada, ("Destination", place)], "/x", "DELETE")
    yield Row("ada with two Destinations", 403, [ada, ("Destination", "/x"), ("Destination", "/admin/")])
    yield Row("no token with a Destination", 401, [("Destination", "/x")], "/public/x")
    yield Row("no token with a Destination where everyone may", NOBODY, [("Destination", "/public/y")], "/public/x")
    # A client says which request it means: only the proxy may.
    admin = {"path": "/admin/"}
    for fields in [
        [("X-Forwarded-Uri", "/public")],
        [("X-Forwarded-Host", CAL), ("X-Forwarded-Uri", "/")],
        [("X-Original-URL", f"https://{WIKI}/public")],
        [("X-Original-URL", f"https://{WIKI}/public"), ("X-Original-Method", "GET")],
        [("X_Forwarded_Uri", "/public"), ("X_Original_URL", f"https://{WIKI}/public")],
        [("Connection", "close, X-Forwarded-Uri, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Method")],
        [("X-Forwarded-For", "127.0.0.1"), ("Forwarded", f"host={CAL}")],
        [("X-HTTP-Method-Override", "GET"), ("X-Rewrite-URL", "/public")],
    ]:
        names = ", ".join(name for name, _ in fields)
        yield Row(f"ada at the admins' with {names}", 403, [ada, *fields], **admin)
        yield Row(f"without a token at the admins' with {names}", (401, 403), fields, **admin)

    # The name in another spelling is the same rule, or no host at all.
    upper = WIKI.upper()
    yield Row("the name in upper case", "ada", [ada], named=[upper])
    yield Row("the name in upper case, at the admins'", 403, [ada], named=[upper], **admin)
    yield Row("the name with its port", "ada", [ada], named=[f"{WIKI}:443"])
    yield Row("the name with its port, at the admins'", 403, [ada], named=[f"{WIKI}:443"], **admin)
    whole = f"https://{CAL}/public"
    yield Row("an absolute address that is not the Host", {"nginx": 401, "caddy": 401, "haproxy": 400, "traefik": 401}, [], whole)
    yield Row("the login page's name does not lead to an app", 200, [root], "/admin/", named=[LOGIN])
    # Each name of a list could decide about something else.
    for named in [f"{LOGIN},{WIKI}"], [f"{WIKI},{LOGIN}"], [f"{LOGIN}, {WIKI}"], [LOGIN, WIKI], [WIKI, LOGIN]:
        # Caddy has no page for such a name, and says so with an empty 200.
        yield Row(f"two names: {named}", {"nginx": (400, 404), "caddy": (200, 400), "haproxy": 400, "traefik": (400, 404)}, ALSO_FORGED, "/admin/", named=named)
    # Only HAProxy asks about a name that it does not have.
    unknown = {"nginx": 404, "caddy": 200, "haproxy": 403, "traefik": 404}
    yield Row("a name that nobody knows", unknown, [root], named=["other.example.org"])


def forged_names(tokens):
    """Every field that an app may take for the user, in every spelling."""
    ada = bearer(tokens["ada"])
    for name, value in [*FORGED, *ALSO_FORGED]:
        under = name.replace("-", "_")
        removed = {"nginx": 403, "caddy": "ada", "haproxy": 403, "traefik": 403}
        yield Row(f"{name}", removed, [ada, (name, value)])
        yield Row(f"{name} in capitals", removed, [ada, (name.upper(), value)])
        yield Row(f"{name} and an empty one", removed, [ada, (name, value), (name, "")])
        yield Row(f"{name} with and without an underscore", 403, [ada, (name, value), (under, value)])
        yield Row(f"{name} without a token", {"nginx": 403, "caddy": 401, "haproxy": 403, "traefik": 403}, [(name, value)])
        # nginx drops these.
        aliased = {"nginx": "ada", "caddy": 403, "haproxy": 403, "traefik": 403}
        yield Row(f"{name} with an underscore", aliased, [ada, (under, value)])
        yield Row(f"{name} with one underscore", aliased, [ada, (name.replace("-", "_", 1), value)])
    # This one the examples make. They take the client's away, in any spelling, or lictor refuses the request.
    for name in ["X-Remote-User", "X-REMOTE-USER", "X_Remote_User", "X-Remote_User", "x_remote-user", "X_REMOTE_USER"]:
        yield Row(f"{name}", ("ada", 403), [ada, (name, "root")])
        yield Row(f"{name} where everyone may", (NOBODY, 403), [(name, "root")], "/public")
        yield Row(f"{name} without a token", (401, 403), [(name, "root")])
    calendar = {"method": "PROPFIND", "path": "/root/", "host": CAL}
    for name in ["X-Remote-User", "X_Remote_User"]:
        yield Row(f"{name} at the calendars", (401, 403), [("Depth", "0"), (name, "root")], **calendar)
        yield Row(f"{name} of ada at the calendars", 403, [ada, ("Depth", "0"), (name, "root")], **calendar)


def claims(tokens):
    """What only the proxy may say. The echo app looks for it in every request of this test."""
    ada = bearer(tokens["ada"])
    wiki = ("X-Forwarded-Host", WIKI)
    for name, value in [
        *(("X-Original-URL", "/admin/"), ("X-Original-Method", "POST"), ("X-Rewrite-URL", "/admin/")),
        *(("X-Forwarded-Uri", "/admin/"), ("X-Forwarded-Method", "POST"), ("X-Forwarded-Prefix", "/admin")),
        *(("X-Forwarded-Port", "80"), ("X-Forwarded-Scheme", "http"), ("X-Forwarded-Ssl", "off")),
        *(("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Server", CAL)),
        *(("X-Real-IP", "10.0.0.1"), ("True-Client-IP", "10.0.0.1"), ("X-Client-IP", "10.0.0.1")),
        *(("X-Original-URI", "/admin/"), ("Forwarded", f"for=10.0.0.1;host={CAL};proto=http")),
        *(("X-Original-Host", CAL), ("X-Host", CAL), ("X-Scheme", "http")),
        *(("X-Forwarded-Path", "/admin/"), ("X-Envoy-Original-Path", "/admin/")),
    ]:
        yield Row(f"{name} of the client", "ada", [ada, (name, value)])
        yield Row(f"{name} of the client, twice", "ada", [ada, (name.lower(), value), wiki, (name, value)])
        yield Row(f"{name} of the client where everyone may", NOBODY, [(name, value)], "/public")
    # lictor refuses these. Only nginx asks with them; the others take them away before that.
    for name, value in [
        *(("X-Script-Name", "/public"), ("X-Ingress-Path", "/public")),
        *(("X-Sendfile-Type", "X-Accel-Redirect"), ("X-Accel-Mapping", "/=/admin/")),
    ]:
        for user, token in [("ada", [ada]), (NOBODY, [])]:
            removed = {"nginx": 403, "caddy": user, "haproxy": user, "traefik": user}
            path = "/public/admin/"
            yield Row(f"{name} of the client: {user}", removed, [*token, (name, value)], path)
            twice = [(name.lower(), value), (name.upper(), value)]
            yield Row(f"{name} of the client, twice: {user}", removed, [*token, *twice], path)


def upgrades(tokens):
    """A client that may change to HTTP/2 without TLS speaks to the app past the proxy from then on. What
    arrives as no upgrade is as good as a refusal, by lictor or by HAProxy, which wants a WebSocket's key."""
    ada = bearer(tokens["ada"])
    settings = ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")
    key = [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13")]
    for lines in [
        *(["h2c"], ["H2C"], ["websocket, h2c"], ["h2c, websocket"], ["websocket", "h2c"], ["h2c", "websocket"]),
        *(["TLS/1.2"], ["websocket/13"], ["websockets"], [" h2c ,"], ["websocket"], ["WebSocket"]),
    ]:
        upgrade = [("Upgrade", line) for line in lines]
        for connection in ["Upgrade, HTTP2-Settings", "upgrade", "close, Remote-User, HTTP2-Settings, Upgrade"]:
            fields = [("Connection", connection), *upgrade, settings]
            yield Row(f"Upgrade: {lines}, {connection}", ("ada", 400, 403), [ada, *fields])
            yield Row(f"Upgrade: {lines}, {connection}, where everyone may", (NOBODY, 400, 403), fields, "/public")
            yield Row(f"Upgrade: {lines}, {connection}, without a token", (400, 401, 403), fields)
            yield Row(f"Upgrade: {lines}, {connection}, with a key", ("ada", 403), [ada, *key, *fields])
    for value in ["websocket", "WebSocket"]:
        fields = [ada, *key, ("Connection", "keep-alive, Upgrade"), ("Upgrade", value)]
        yield Row(f"Upgrade: {value} goes on to the app", "ada", fields, sees=("upgrade", ["websocket"]))
    yield Row("HTTP2-Settings alone", ("ada", 403), [ada, settings])
    yield Row("HTTP2-Settings, named in Connection", ("ada", 403), [ada, settings, ("Connection", "HTTP2-Settings")])


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
    itself = {"nginx": 404, "caddy": "ada", "haproxy": "ada", "traefik": "ada"}
    yield lambda: None, Row("the question itself", itself, [ada], "/_lictor/ask")
