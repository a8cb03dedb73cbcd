"""Two real programs behind the proxy that take the user from a header field, Radicale (calendars) and WsgiDAV
(files), and the programs that talk with them: the caldav library, and WebDAV requests with an app password.

Owns starting them, and what they must and must not be able to do.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import caldav
from names import CAL, HOME, LOGIN, WIKI, request
from proxies import free_port, stop, wait_until_it_accepts
from rows import basic, bearer

RADICALE = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = {user}
[storage]
filesystem_folder = {folder}/calendars
"""
# Nobody is let in without the field: the password is nobody's.
WSGIDAV = {
    "http_authenticator": {"trusted_auth_header": "HTTP_REMOTE_USER"},
    "simple_dc": {"user_mapping": {"*": {"nobody": {"password": "none at all"}}}},
    "server": "cheroot",
    "property_manager": True,
    "lock_storage": True,
}
EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:one@example.org
DTSTAMP:20300101T000000Z
DTSTART:20300101T100000Z
DTEND:20300101T110000Z
SUMMARY:tea with otters
END:VEVENT
END:VCALENDAR
"""


@contextlib.contextmanager
def running_programs(calendar_user):
    """Runs both; gives their ports."""
    with tempfile.TemporaryDirectory(prefix="forward-auth-") as folder, contextlib.ExitStack() as stack:
        folder = Path(folder)
        calendars, files = free_port(), free_port()
        (folder / "radicale.conf").write_text(RADICALE.format(port=calendars, folder=folder, user=calendar_user))
        (folder / "files").mkdir()
        settings = {"host": "127.0.0.1", "port": files, "provider_mapping": {"/files": str(folder / "files")}, **WSGIDAV}
        (folder / "wsgidav.json").write_text(json.dumps(settings))
        run(stack, folder, calendars, ["-m", "radicale", "--config", "radicale.conf"])
        run(stack, folder, files, ["-m", "wsgidav.server.server_cli", "--config", "wsgidav.json"])
        yield calendars, files


def run(stack, folder, port, arguments):
    output = folder / f"output-{port}"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    stack.callback(stop, process)
    wait_until_it_accepts(process, port, output)


def app_password(authority, token, name, **options):
    """Makes an app password as the account page does; returns its id and its text."""
    body = json.dumps({"name": name, **options}).encode()
    answer = request(authority, LOGIN, "POST", "/api/app-passwords", [bearer(token)], body)
    assert answer.status == 201, answer.body
    made = json.loads(answer.body)
    return made["id"], made["password"]


def calendars(authority, name, password):
    return caldav.DAVClient(
        url=f"https://{CAL}/", username=name, password=password, ssl_verify_cert=str(authority.root)
    )


def events(client):
    return [event.icalendar_component["SUMMARY"] for calendar in client.principal().calendars() for event in calendar.events()]


def refused(client):
    """Whether a calendar program gets nowhere."""
    try:
        client.principal().calendars()
    except caldav.error.AuthorizationError:
        return True
    return False


def checks(authority, tokens):
    """Pairs of a name and whether it holds, for a user with a calendar and one with files."""
    ident, password = app_password(authority, tokens["ada"], "the phone's calendar", hosts=[CAL])
    of_root = app_password(authority, tokens["root"], "everything")[1]

    ada = calendars(authority, "ada", password)
    calendar = ada.principal().make_calendar(name="Otters")
    calendar.save_event(EVENT)
    yield "CalDAV: a calendar with an event", events(ada) == ["tea with otters"]
    found = calendar.search(
        start=datetime(2029, 12, 31, tzinfo=timezone.utc), end=datetime(2030, 1, 2, tzinfo=timezone.utc), event=True
    )
    yield "CalDAV: a search by time", len(found) == 1
    yield "CalDAV: another user sees none of it", events(calendars(authority, "root", of_root)) == []
    path = calendar.url.path
    status, _ = dav(authority, CAL, "GET", path, [basic("root", of_root)])
    yield "CalDAV: nor does another user by its address", status in (403, 404)
    wrong = [("ada", of_root), ("root", password), ("ada", password[:-1]), ("ada", "seven wet otters")]
    yield "CalDAV: not with another's password", all(refused(calendars(authority, *pair)) for pair in wrong)
    yield "an app password is good where it may be used", dav(authority, CAL, "GET", "/.web/", [basic("ada", password)])[0] == 200
    yield "and nowhere else", dav(authority, WIKI, "GET", "/", [basic("ada", password)])[0] == 403
    yield "nor for lictor itself", dav(authority, LOGIN, "GET", "/api/me", [basic("ada", password)])[0] == 403
    yield from files(authority, tokens)
    listed = json.loads(dav(authority, LOGIN, "GET", "/api/app-passwords", [bearer(tokens["ada"])])[1])
    yield "the list has its name, and not the password", "the phone's calendar" in str(listed) and password not in str(listed)
    gone = dav(authority, LOGIN, "DELETE", f"/api/app-passwords/{ident}", [bearer(tokens["ada"])])
    yield "CalDAV: not once it is deleted", gone[0] == 200 and refused(ada)


def guesses(authority):
    """Whether the limit of docs/throttling.md is what it says: the client is told to wait after 20 guesses."""
    guess = [basic("ada", "lap_" + "0" * 24)]
    told = []
    # On a busy machine the first waits are over before the next guess; each is twice as long as the one before.
    while len(told) < 22 or len(told) < 40 and not told[-1]:
        answer = request(authority, WIKI, "GET", "/", guess, source="127.0.0.2")
        told.append(answer.headers.get_all("Retry-After", []))
        if answer.status != 401:
            break
    fine = answer.status == 401 and told[:20] == [[]] * 20 and len(told[-1]) == 1
    yield f"an app password that is guessed counts once: {told}", fine


def files(authority, tokens):
    fay = basic("fay", app_password(authority, tokens["fay"], "the laptop's files")[1])
    yield "WebDAV: a file is written", dav(authority, HOME, "PUT", "/files/a.txt", [fay], b"otters")[0] == 201
    yield "WebDAV: and read", dav(authority, HOME, "GET", "/files/a.txt", [fay]) == (200, b"otters")
    status, listing = dav(authority, HOME, "PROPFIND", "/files/", [fay, ("Depth", "1")])
    yield "WebDAV: and listed", status == 207 and b"a.txt" in listing
    lock = b'<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner/></lockinfo>'
    status, locked = dav(authority, HOME, "LOCK", "/files/a.txt", [fay, ("Content-Type", "application/xml")], lock)
    yield "WebDAV: and locked", status == 200 and b"lockdiscovery" in locked
    page = dav(authority, HOME, "GET", "/files/", [fay])
    yield "WebDAV: the program knows who it is", page[0] == 200 and b"fay" in page[1]
    yield "WebDAV: not without a password", dav(authority, HOME, "GET", "/files/a.txt", [])[0] == 401
    nobody = dav(authority, HOME, "GET", "/files/a.txt", [("Remote-User", "nobody")])[0]
    yield "WebDAV: not with the program's own field", nobody in (401, 403)
    made = dav(authority, HOME, "PUT", "/files/b.txt", [fay], b"otters")[0]
    moved = dav(authority, HOME, "MOVE", "/files/b.txt", [fay, ("Destination", f"https://{HOME}/files/c.txt")])[0]
    yield "WebDAV: another one is moved", (made, moved) == (201, 201)
    for place in ["/elsewhere/c.txt", "/files/../c.txt", f"https://{HOME}/c.txt", f"https://{CAL}/files/d.txt", "c.txt"]:
        copied = dav(authority, HOME, "COPY", "/files/c.txt", [fay, ("Destination", place)])[0]
        yield f"WebDAV: not to {place}", copied == 403
    encoded = dav(authority, HOME, "PUT", "/files/%C3%A4%20b.txt", [fay], b"x")[0]
    yield "WebDAV: a name that is encoded", encoded == 201


def dav(authority, host, method, path, fields, body=None):
    answer = request(authority, host, method, path, fields, body)
    return answer.status, answer.body
