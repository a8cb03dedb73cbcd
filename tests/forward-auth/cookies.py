"""What browsers send: the session's cookie, alone and among others, and where they are sent to without one.

Owns these requests and their expected outcomes. The real browser is in tests/browser.
"""

import json
import time
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlsplit

from names import CAL, HOME, LOGIN, WIKI, request
from rows import PASSWORD, Row, bearer

COOKIE = "__Secure-lictor"
OWN = ("Origin", f"https://{WIKI}")
FOREIGN = ("Origin", "https://other.example")
SIBLING = ("Origin", f"https://{CAL}")
# As Chromium asks for a page.
NAVIGATION = [
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Site", "none"),
]
FRAME = [NAVIGATION[0], NAVIGATION[1], ("Sec-Fetch-Dest", "iframe"), ("Sec-Fetch-Site", "cross-site")]
SCRIPT = [("Accept", "*/*"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Site", "same-origin")]
HANDSHAKE = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]


def log_in(authority, name):
    """Logs in as the login page does; returns the cookie's value and its attributes."""
    body = json.dumps({"username": name, "password": PASSWORD}).encode()
    answer = request(authority, LOGIN, "POST", "/api/session", [("Origin", f"https://{LOGIN}")], body)
    assert answer.status == 200, answer.body
    assert b"token" not in answer.body, answer.body
    morsel = given(answer)
    return morsel.value, morsel


def given(answer):
    """The session's cookie in an answer, or None."""
    lines = answer.headers.get_all("Set-Cookie", [])
    return next((line for line in (SimpleCookie(line).get(COOKIE) for line in lines) if line), None)


def wrong_attributes(morsel):
    """What is wrong with the attributes of a new cookie, or None."""
    has = {name: morsel[name] for name in ("secure", "httponly", "samesite", "path", "domain")}
    should = {"secure": True, "httponly": True, "samesite": "Lax", "path": "/", "domain": "example.org"}
    fine = has == should and 0 < int(morsel["max-age"]) <= 30 * 24 * 3600
    return None if fine else f"{has}, {morsel['max-age']}"


def with_cookie(value, *others):
    return [("Cookie", "; ".join([*others, f"{COOKIE}={value}"]))]


def to_login(host, path):
    """A check: the answer leads to the login page, and back to this page from there. Traefik makes `&` of `;`."""

    def check(answer):
        to = urlsplit(answer.headers.get("Location", ""))
        query = parse_qsl(to.query, keep_blank_values=True)
        fine = (to.scheme, to.netloc, to.path) == ("https", LOGIN, "/login")
        fine = fine and query in ([("return", f"https://{host}{each}")] for each in (path, path.replace(";", "&")))
        fine = fine and answer.headers.get("Cache-Control") == "no-store"
        return None if fine else f"it leads to {answer.headers.get('Location')}, {answer.headers.get('Cache-Control')}"

    return check


def deletes_cookie(answer):
    """A check: the browser forgets the cookie."""
    morsel = given(answer)
    fine = morsel is not None and morsel.value == "" and morsel["max-age"] == "0" and morsel["domain"] == "example.org"
    return None if fine else f"the cookie is {morsel}"


def no_prompt(answer):
    """A check: a browser shows no window that asks for a password."""
    challenges = answer.headers.get_all("WWW-Authenticate", [])
    return None if not any(each.startswith("Basic") for each in challenges) else str(challenges)


def ways_in():
    """Requests without a session."""
    for host, path in [
        (WIKI, "/"),
        (WIKI, "/a/b?x=1&y=%2F+z&return=https://other.example/&&"),
        (CAL, "/%C3%A4%20/?q=%26;'\"<>"),
    ]:
        yield Row(f"a page: {host}{path}", 302, NAVIGATION, path, host=host, answer=to_login(host, path))
    yield Row("an older browser's page", 302, NAVIGATION[:1], answer=to_login(WIKI, "/"))
    yield Row("a picture", 401, [("Accept", "image/*"), ("Sec-Fetch-Mode", "no-cors")], answer=no_prompt)
    yield Row("a script's request", 401, SCRIPT, answer=no_prompt)
    yield Row("a frame", 401, FRAME, answer=no_prompt)
    yield Row("a form", 401, [*NAVIGATION, OWN], "/", "POST", b"a=b")


def alone(value):
    """Requests with a good cookie of ada."""
    good = with_cookie(value)
    yield Row("the cookie", "ada", good)
    yield Row("the cookie, HEAD", "ada", good, method="HEAD")
    yield Row("the cookie on another name", 200, good, "/.web/", host=CAL)
    yield Row("the cookie where a role is missing", 403, [*good, *SCRIPT], "/admin/")
    yield Row("a page where a role is missing", 302, [*good, *NAVIGATION], "/admin/", answer=to_login(WIKI, "/admin/"))
    yield Row("files where a role is missing", 403, [*good, *SCRIPT], "/files/", host=HOME)
    # A request that another site makes the browser send.
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        yield Row(f"{method} without an origin", 403, good, method=method, body=b"x")
        yield Row(f"{method} of another site", 403, [*good, FOREIGN], method=method, body=b"x")
    yield Row("POST of a sibling", 403, [*good, SIBLING], method="POST", body=b"x")
    yield Row("POST of no origin that can be named", 403, [*good, ("Origin", "null")], method="POST", body=b"x")
    yield Row("POST of plain HTTP", 403, [*good, ("Origin", f"http://{WIKI}")], method="POST", body=b"x")
    yield Row("POST of another port", 403, [*good, ("Origin", f"https://{WIKI}:8443")], method="POST", body=b"x")
    yield Row("POST of the page itself", "ada", [*good, OWN], method="POST", body=b"x")
    yield Row("POST of the page itself, in chunks", "ada", [*good, OWN], method="POST", body=[b"x"])
    yield Row("POST that says it is of the page", "ada", [*good, ("Sec-Fetch-Site", "same-origin")], method="POST", body=b"x")
    yield Row("POST that says it is not", 403, [*good, ("Sec-Fetch-Site", "same-site")], method="POST", body=b"x")
    get = [("X-Forwarded-Method", "GET"), ("X-Original-Method", "GET")]
    yield Row("POST that says to be a GET", 403, [*good, *get], method="POST", body=b"x")
    yield Row("GET of another site", "ada", [*good, FOREIGN])
    yield Row("OPTIONS of another site", "ada", [*good, FOREIGN], method="OPTIONS")
    yield Row("a WebSocket of another site", 403, [*good, *HANDSHAKE, FOREIGN])
    yield Row("a WebSocket of a sibling", 403, [*good, *HANDSHAKE, SIBLING])
    yield Row("a WebSocket of the page itself", "ada", [*good, *HANDSHAKE, OWN])


def among_others(value, of_root):
    """The cookie among those that a sibling may have planted, and in places where it does not count."""
    # The MAC is before the session's name.
    mac = ("B" if value[0] == "A" else "A") + value[1:]
    yield Row("a cookie with another MAC", 401, with_cookie(mac))
    yield Row("a cookie for another session", 401, with_cookie(value[:-1] + ("1" if value[-1] == "0" else "0")))
    yield Row("another user's session with this MAC", 401, with_cookie(value[:22] + of_root[22:]))
    yield Row("an empty cookie", 401, with_cookie(""))
    yield Row("a cookie with much in it", 401, with_cookie("x" * 3000))
    yield Row("the name for plain HTTP", 401, [("Cookie", f"lictor={value}")])
    yield Row("the name of one host", 401, [("Cookie", f"__Host-lictor={value}")])
    yield Row("the name in another case", 401, [("Cookie", f"__secure-Lictor={value}")])
    yield Row("a name that ends like it", 401, [("Cookie", f"x{COOKIE}={value}")])
    yield Row("in the token's cookie", 401, [("Cookie", f"access_token={value}")])
    yield Row("as a token", 401, [bearer(value)])
    yield Row("in another cookie's value", 401, [("Cookie", f'a="b; {COOKIE}={mac}"')])
    yield Row("planted before it", "ada", with_cookie(value, f"{COOKIE}={mac}"))
    yield Row("planted after it", "ada", [("Cookie", f"{COOKIE}={value}; {COOKIE}=x")])
    yield Row("planted in a line of its own", "ada", [("Cookie", f"{COOKIE}=x"), *with_cookie(value)])
    yield Row("twice the same", "ada", with_cookie(value, f"{COOKIE}={value}"))
    yield Row("another's good one planted", 401, with_cookie(value, f"{COOKIE}={of_root}"))
    yield Row("one of 50", "ada", with_cookie(value, *(f"c{n}={n}" for n in range(49))))
    yield Row("behind 50 planted ones", 401, with_cookie(value, *(f"{COOKIE}={n}" for n in range(50))))


def ends(authority, lictor):
    """Pairs of a change and the request after it: each ends a session."""

    def session():
        return log_in(authority, "ada")[0]

    def expire():
        lictor.database.execute("UPDATE sessions SET expires = ?", int(time.time()) - 1)

    value = session()
    leave = [*with_cookie(value), ("Origin", f"https://{LOGIN}")]

    def forgets(path):
        return lambda answer: to_login(WIKI, path)(answer) or deletes_cookie(answer)

    def from_elsewhere():
        for origin in ([], [FOREIGN], [SIBLING]):
            answer = request(authority, LOGIN, "DELETE", "/api/session", [*with_cookie(value), *origin])
            assert answer.status == 403, (origin, answer.status)

    def log_out():
        answer = request(authority, LOGIN, "DELETE", "/api/session", leave)
        assert answer.status == 200 and not deletes_cookie(answer), (answer.status, answer.body)
        # Once more is no error.
        assert request(authority, LOGIN, "DELETE", "/api/session", leave).status == 200

    yield from_elsewhere, Row("another site cannot log out", "ada", with_cookie(value))
    yield log_out, Row("logged out: a page", 302, [*with_cookie(value), *NAVIGATION], answer=forgets("/"))
    yield lambda: None, Row("logged out: a script", 401, [*with_cookie(value), *SCRIPT], answer=deletes_cookie)
    page = [*with_cookie(value), *NAVIGATION]
    yield lambda: None, Row("logged out: another name", 302, page, host=CAL, answer=to_login(CAL, "/"))
    yield lambda: None, Row("logged out: where everyone may", "nobody", with_cookie(value), "/public")

    again = session()
    yield lambda: None, Row("logged in again", "ada", with_cookie(again))
    yield expire, Row("expired", 302, [*with_cookie(again), *NAVIGATION], answer=forgets("/"))
    last = session()
    yield lambda: lictor.deactivate("ada"), Row("deactivated", 302, [*with_cookie(last), *NAVIGATION], answer=forgets("/"))
