"""Servers that misbehave: lictor refuses or answers 503, within its deadlines, does not crash, and tells
nobody a password.
"""

import re
import ssl
import time

import pytest

import certificates
import hostile
from hostile import BEHAVIOURS, CHANGES, Fake, Proxy
from instance import PASSWORD, SECRET_KEY, Lictor, at_once, wait_for
from test_outages import NOTICED, RECOVERY, assert_all_served

SECRETS = ["the-password-of-the-url", SECRET_KEY, PASSWORD]
LIMIT = 90  # seconds within which a start must give up: its own deadlines of ten, on a busy machine


def refusal(lictor, fake):
    """Starts it against a fake, which must fail in time; returns what it said."""
    begun = time.monotonic()
    said = lictor.refused()
    seconds = time.monotonic() - begun
    assert seconds < LIMIT, (seconds, said)
    assert 2 <= len(said.splitlines()) <= 12, said
    assert "panicked" not in said, said
    assert said.isprintable() or all(line.isprintable() for line in said.splitlines()), said
    assert not any(secret in said for secret in SECRETS), said
    assert not any(b"the-password-of-the-url" in data for data in fake.received)
    print(f"{seconds:.1f} s: {said.splitlines()[-2:]}")
    return said


@pytest.fixture
def lictor(tmp_path):
    made = Lictor(tmp_path / "lictor", "")
    yield made
    made.kill()


# Those that keep lictor waiting are tested at the same time.
SLOW = [
    "hangs at once",
    "hangs after the first message",
    "trickles",
    "a message cut short",
    "a huge length",
    "SCRAM that stops",
    "hangs before it is ready",
    "hangs at the first query",
    "endless notices",
    "endless parameters",
    "an endless message",
    "endless rows",
    "endless notifications",
    "COPY that goes on for ever",
    "a huge row",
]


def start_against(lictor, behaviour):
    with Fake(BEHAVIOURS[behaviour]) as fake:
        lictor.environment["LICTOR_DATABASE"] = fake.url()
        return refusal(lictor, fake), b"".join(fake.received)


def test_starts_that_must_give_up(tmp_path):
    lictors = {behaviour: Lictor(tmp_path / behaviour, "") for behaviour in SLOW}
    for some in (SLOW[:8], SLOW[8:]):
        at_once([lambda behaviour=behaviour: start_against(lictors[behaviour], behaviour) for behaviour in some])


@pytest.mark.parametrize("behaviour", [behaviour for behaviour in BEHAVIOURS if behaviour not in SLOW])
def test_a_start(lictor, behaviour):
    said, received = start_against(lictor, behaviour)
    if behaviour in ("asks for the password", "asks for an MD5 hash"):
        assert "scram" in said.lower(), said
        assert received.endswith(b"lictor\0\0"), "it answered"
    if behaviour in ("SCRAM with a wrong proof", "SCRAM without a proof", "SCRAM with an empty proof"):
        assert b"SELECT" not in received and b"SET" not in received, "it talks to a server that knows no password"


def tls(authority, kind):
    return certificates.context(authority, kind)


def with_tls(behaviour):
    def served(client):
        client.read(8)
        behaviour(client)

    return served


STARTS_OF_TLS = {
    "no TLS": lambda c: (c.send(b"N"), c.drain()),
    "an old server": lambda c: (c.send(hostile.error(b"0A000", b"unsupported frontend protocol")), c.drain()),
    "another letter": lambda c: (c.send(b"X"), c.drain()),
    "hangs": lambda c: c.hang(),
    "hangs in the handshake": lambda c: (c.send(b"S"), c.hang()),
    "closes in the handshake": lambda c: c.send(b"S"),
    "bytes before the handshake": lambda c: (c.send(b"S" + hostile.WELCOME + hostile.READY), c.drain()),
    "plain text after the S": lambda c: (c.send(b"S"), time.sleep(0.3), c.send(hostile.WELCOME), c.drain()),
}


@pytest.mark.parametrize("start", STARTS_OF_TLS)
def test_a_start_of_tls(tmp_path, authority, start):
    modes = ["require", "verify-full"]
    lictors = [Lictor(tmp_path / mode, "") for mode in modes]
    pairs = list(zip(modes, lictors, strict=True))
    at_once([lambda pair=pair: start_of_tls(pair[1], authority, start, pair[0]) for pair in pairs])


def start_of_tls(lictor, authority, start, mode):
    with Fake(with_tls(STARTS_OF_TLS[start])) as fake:
        lictor.environment["LICTOR_DATABASE"] = fake.url(sslmode=mode, sslrootcert=authority / "ca.pem")
        refusal(lictor, fake)
    # Nothing but the request for TLS, and its first message, goes to such a server in plain text.
    assert b"user\0" not in b"".join(fake.received)


@pytest.mark.parametrize(
    "mechanisms, expected",
    [
        ([b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256"], b"SCRAM-SHA-256-PLUS\0"),
        ([b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS"], b"SCRAM-SHA-256-PLUS\0"),
        ([b"SCRAM-SHA-256"], b"SCRAM-SHA-256\0"),
    ],
)
def test_the_strongest_way_to_log_in_is_chosen(lictor, authority, mechanisms, expected):
    behaviour = lambda client: client.scram(mechanisms=mechanisms)  # noqa: E731
    with Fake(behaviour, tls(authority, "good")) as fake:
        lictor.environment["LICTOR_DATABASE"] = fake.url(sslmode="verify-full", sslrootcert=authority / "ca.pem")
        refusal(lictor, fake)
    received = b"".join(fake.received)
    assert expected in received, received
    flag = b"p=tls-server-end-point,," if expected.startswith(b"SCRAM-SHA-256-PLUS") else b"y,,"
    assert flag in received, received


def test_channel_binding_can_be_demanded(lictor, authority):
    behaviour = lambda client: client.scram(mechanisms=[b"SCRAM-SHA-256"])  # noqa: E731
    with Fake(behaviour, tls(authority, "good")) as fake:
        lictor.environment["LICTOR_DATABASE"] = fake.url(
            sslmode="verify-full", sslrootcert=authority / "ca.pem", channel_binding="require"
        )
        said = refusal(lictor, fake)
    assert "bind" in said, said
    assert b",p=" not in b"".join(fake.received)


@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2])
def test_old_versions_of_tls(lictor, authority, maximum):
    context = certificates.context(authority, "good", maximum)
    with Fake(lambda client: client.scram(), context) as fake:
        lictor.environment["LICTOR_DATABASE"] = fake.url(sslmode="verify-full", sslrootcert=authority / "ca.pem")
        refusal(lictor, fake)
    assert (b"SCRAM" in b"".join(fake.received)) == (maximum == ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("change", CHANGES)
def test_a_server_that_turns_hostile(place, change):
    with Proxy(place.server) as proxy:
        lictor = place.lictor(url=proxy.url(place.name))
        lictor.start()
        token = lictor.register("ada").token
        threads = lictor.threads()
        since = len(lictor.log())
        proxy.change = CHANGES[change]
        asked = [
            lambda: lictor.protected(token),
            lambda: lictor.login("ada"),
            lambda: lictor.health(),
            lambda: lictor.register("somebody"),
        ]
        for _ in range(2):
            for answer in at_once(asked * 2):
                assert answer.status in (200, 401, 403, 409, 500, 503), answer
                assert answer.seconds < NOTICED, answer
        assert lictor.alive(), lictor.log()
        said = lictor.log()[since:]
        assert "panicked" not in said, said
        assert not any(secret in said for secret in SECRETS), said
        assert "\x1b" not in said and not re.search(r"^2026-01-01", said, re.MULTILINE), said
        # What was answered with 200 is there, and what was not is there as a whole or not at all.
        proxy.change = hostile.message
        wait_for(lambda: lictor.health().status == 200, RECOVERY + NOTICED)
        wait_for(lambda: lictor.login("ada").status == 200, RECOVERY)
        assert_all_served([lambda: lictor.protected(token)] * 4 + [lambda: lictor.login("ada")] * 4)
        # Some were started for requests that waited. They end after some idle seconds, unless they are stuck.
        wait_for(lambda: lictor.threads() <= threads + 4)
        halves = 'SELECT count(*) FROM users WHERE id NOT IN (SELECT "user" FROM sessions)'
        assert place.number(halves) == 0


def test_a_wrong_row_lets_nobody_in(place):
    """Rows that a proxy changes are wrong or missing; a token is never good because of it."""
    with Proxy(place.server) as proxy:
        lictor = place.lictor(url=proxy.url(place.name))
        lictor.start()
        token = lictor.register("ada").token
        assert lictor.send("POST", "/api/logout", token=token).status == 200
        for change in CHANGES.values():
            if change is hostile.hang:
                continue
            proxy.change = change
            for _ in range(3):
                assert lictor.protected(token).status in (403, 500, 503, 401)
                assert lictor.login("ada", "a wrong password").status in (401, 500, 503)
            proxy.change = hostile.message
            wait_for(lambda: lictor.health().status == 200, RECOVERY + NOTICED)


COLUMNS = [
    ("users", "name", "ALTER COLUMN name TYPE bytea USING name::bytea"),
    ("users", "roles", "ALTER COLUMN roles TYPE text[] USING ARRAY[roles]"),
    ("sessions", "expires", "ALTER COLUMN expires TYPE numeric"),
    ("sessions", "expires", "ALTER COLUMN expires TYPE timestamptz USING to_timestamp(expires)"),
    ("users", "active", "ALTER COLUMN active DROP DEFAULT, ALTER COLUMN active TYPE text"),
]


@pytest.mark.parametrize("table, column, change", COLUMNS, ids=[row[2].split(" USING")[0] for row in COLUMNS])
def test_columns_of_other_types(place, table, column, change):
    """As an administrator might change them: refused or an error, and never a crash or a way in."""
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    wrong = lictor.login("ada", "a wrong password").status
    assert wrong == 401
    try:
        place.sql(f"ALTER TABLE {table} {change}")
    except Exception as error:  # noqa: BLE001
        pytest.skip(f"PostgreSQL refuses the change: {error}")
    for ask in (lambda: lictor.protected(token), lambda: lictor.login("ada"), lambda: lictor.register("bob")):
        answer = ask()
        assert answer.status in (200, 500, 503), answer
    assert lictor.login("ada", "a wrong password").status in (401, 500, 503)
    assert lictor.alive()
    assert "panicked" not in lictor.log(), lictor.log()
