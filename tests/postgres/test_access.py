"""How lictor gets in: TLS and certificates, passwords, Unix sockets, roles with few rights; and that no
password shows.
"""

import os
import pwd
import re
import signal

import pytest

import server as postgres
from conftest import Place
from instance import wait_for

HBA = """
local   all  postgres                  trust
local   all  by_peer                   peer map=tests
local   all  all                       reject
hostssl all  by_scram   127.0.0.1/32   scram-sha-256
hostssl all  by_md5     127.0.0.1/32   md5
hostssl all  by_text    127.0.0.1/32   password
host    all  plain      127.0.0.1/32   scram-sha-256
host    all  postgres   127.0.0.1/32   trust
"""
# Characters that a URL must write with %.
PASSWORD = "p@ss:w/rd %ü#?&="
IN_URL = "p%40ss%3Aw%2Frd%20%25%C3%BC%23%3F%26%3D"


@pytest.fixture(scope="module")
def access(authority):
    """A server with TLS, on which each role has a way of its own to log in."""
    with postgres.running(hba=HBA, log_connections="on") as server:
        show(server, authority, "good", restart=True)
        me = pwd.getpwuid(os.geteuid()).pw_name
        server.write("pg_ident.conf", f"tests {me} by_peer\n")
        server.sql(
            f"CREATE ROLE by_scram LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}';"
            f"CREATE ROLE by_text LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE by_peer LOGIN;"
            f"SET password_encryption = md5; CREATE ROLE by_md5 LOGIN PASSWORD '{PASSWORD}'"
        )
        server.reload()
        yield server


def show(server, authority, kind, restart=False):
    """Makes the server show this certificate."""
    server.write("server.pem", (authority / f"{kind}.pem").read_text())
    file = server.data / "server.pem"
    server.configure(ssl="on", ssl_cert_file=file, ssl_key_file=file)
    if restart:
        server.stop()
        server.start()
    else:
        server.reload()


@pytest.fixture
def place(access, tmp_path):
    place = Place(access, tmp_path)
    access.sql(f"GRANT CREATE ON DATABASE {place.name} TO PUBLIC")
    yield place
    place.end()


def works(lictor, name="ada"):
    with lictor.running():
        lictor.register(name).token
        lictor.login(name).token
    said = lictor.log()
    assert PASSWORD not in said and IN_URL not in said, said


def refused(lictor, *words):
    said = lictor.refused()
    assert len(said.splitlines()) >= 2, said
    for word in words:
        assert word.lower() in said.lower(), (word, said)
    assert PASSWORD not in said and IN_URL not in said, said
    return said


def url(place, user="by_scram", password=IN_URL, **parameters):
    return place.url(user=user, password=password, **parameters)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_verify_full(place, authority, host):
    parameters = {"host": host, "sslmode": "verify-full", "sslrootcert": authority / "ca.pem"}
    lictor = place.lictor(url=url(place, **parameters))
    since = len(place.server.log())
    works(lictor)
    said = place.server.log()[since:]
    assert "method=scram-sha-256" in said and "SSL enabled (protocol=TLSv1.3" in said, said


def test_no_authority_is_trusted_by_itself(place):
    refused(place.lictor(url=url(place, sslmode="verify-full")), "certificate")


def test_this_machine_needs_no_tls_unless_said_otherwise(place):
    works(place.lictor(url=url(place, user="plain", sslmode=None)))


CERTIFICATES = [
    # The certificate, and what each sslmode says of it.
    ("good", {"verify-full": None, "verify-ca": None, "require": None}),
    ("wrong-name", {"verify-full": "name", "verify-ca": None, "require": None}),
    ("unknown", {"verify-full": "certificate", "verify-ca": "certificate"}),
    ("expired", {"verify-full": "expired", "verify-ca": "expired"}),
]


def test_certificates(place, authority):
    try:
        for kind, modes in CERTIFICATES:
            show(place.server, authority, kind)
            for number, (mode, problem) in enumerate(modes.items()):
                lictor = place.lictor(url=url(place, sslmode=mode, sslrootcert=authority / "ca.pem"))
                print(kind, mode)
                if problem:
                    refused(lictor, problem)
                else:
                    works(lictor, f"{kind}-{number}")
    finally:
        show(place.server, authority, "good")


def test_any_certificate_will_do_if_none_must_be_trusted(place, authority):
    """`require` without a file of authorities, as libpq does it."""
    try:
        for number, kind in enumerate(["unknown", "expired", "wrong-name"]):
            show(place.server, authority, kind)
            works(place.lictor(url=url(place, sslmode="require")), f"user-{number}")
    finally:
        show(place.server, authority, "good")


def test_a_server_that_takes_no_plain_text(place):
    refused(place.lictor(url=url(place, sslmode="disable")), "no encryption")


def test_a_server_without_tls(place):
    place.server.configure(ssl="off")
    place.server.reload()
    try:
        for mode in ("require", "verify-full"):
            refused(place.lictor(url=url(place, user="plain", sslmode=mode)), "tls")
        works(place.lictor(url=url(place, user="plain", sslmode="disable")))
    finally:
        place.server.configure(ssl="on")
        place.server.reload()


def test_channel_binding(place, authority):
    parameters = {"sslmode": "verify-full", "sslrootcert": authority / "ca.pem", "channel_binding": "require"}
    works(place.lictor(url=url(place, **parameters)))


def test_an_md5_hash_is_refused(place, authority):
    parameters = {"sslmode": "verify-full", "sslrootcert": authority / "ca.pem"}
    refused(place.lictor(url=url(place, user="by_md5", **parameters)), "scram-sha-256")


def test_the_password_itself_goes_only_to_a_server_that_is_known(place, authority):
    works(place.lictor(url=url(place, user="by_text", sslmode="verify-full", sslrootcert=authority / "ca.pem")))
    refused(place.lictor(url=url(place, user="by_text", sslmode="require")), "scram-sha-256")


def test_what_is_wrong_is_said(place, authority):
    parameters = {"sslmode": "verify-full", "sslrootcert": authority / "ca.pem"}
    refused(place.lictor(url=url(place, password="a-wrong-password", **parameters)), "password")
    refused(place.lictor(url=url(place, password=None, **parameters)), "password")
    refused(place.lictor(url=url(place, user="nobody", **parameters)), "nobody")
    other = place.server.url("no_such_database", user="by_scram", password=IN_URL, **parameters)
    refused(place.lictor(url=other), "no_such_database")
    missing = {"sslmode": "verify-full", "sslrootcert": authority / "missing.pem"}
    refused(place.lictor(url=url(place, **missing)), "missing.pem")
    refused(place.lictor(url=place.server.url(place.name, host="no-such-host.invalid")), "no-such-host.invalid")
    refused(place.lictor(url=place.server.url(place.name, port=1)), "127.0.0.1")


def test_a_unix_socket_with_peer(place):
    address = f"postgresql:///{place.name}?host={place.server.directory}&port={place.server.port}&user=by_peer"
    since = len(place.server.log())
    works(place.lictor(url=address))
    assert "method=peer" in place.server.log()[since:]


def test_a_password_file(place, authority, tmp_path):
    file = tmp_path / "pgpass"
    file.write_text(
        f"# a comment\nother:*:*:*:wrong\n127.0.0.1:{place.server.port}:*:by_scram:"
        + PASSWORD.replace(":", "\\:")
        + "\n"
    )
    file.chmod(0o600)
    environment = {"PGPASSFILE": str(file), "PGSSLROOTCERT": str(authority / "ca.pem")}
    works(place.lictor(url=url(place, password=None, sslmode="verify-full"), **environment))
    file.chmod(0o644)
    lictor = place.lictor(url=url(place, password=None, sslmode="verify-full"), **environment)
    refused(lictor, "password")


def test_no_password_shows(place, authority):
    secret = url(place, sslmode="verify-full", sslrootcert=authority / "ca.pem")
    lictor = place.lictor(url=secret)
    with lictor.running():
        for words in (["check"], ["user", "list"], ["--help"], ["serve", "--help"]):
            code, said = lictor.command(*words, check=False)
            assert code == 0, said
            assert PASSWORD not in said and IN_URL not in said, said
        for file in ("cmdline",):
            shown = open(f"/proc/{lictor.process.pid}/{file}", "rb").read()
            assert IN_URL.encode() not in shown
    for wrong in (
        secret + "&nonsense=1",
        secret.replace("sslmode=verify-full", "sslmode=maybe"),
        secret.replace(":" + str(place.server.port), ":port"),
    ):
        lictor.environment["LICTOR_DATABASE"] = wrong
        code, said = lictor.command("check", check=False)
        assert code in (1, 2), said
        assert PASSWORD not in said and IN_URL not in said, said


def test_other_names_of_the_scheme(place):
    address = place.server.url(place.name).removeprefix("postgres://")
    for number, scheme in enumerate(["postgres", "postgresql", "postgresql+psycopg2"]):
        works(place.lictor(url=f"{scheme}://{address}"), f"user-{number}")
    lictor = place.lictor()
    del lictor.environment["LICTOR_DATABASE"]
    lictor.environment["DATABASE_URL"] = place.server.url(place.name)
    with lictor.running():
        lictor.login("user-1").token


def test_a_role_that_may_only_use_the_tables(place):
    """An owner makes the tables, and another role runs the server."""
    server = place.server
    owner = place.lictor()
    owner.command("user", "add", "root", "--create", "--role", "admin", text="ten wooden lanterns")
    role = f"runs_{place.name}"
    place.sql(
        f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'; GRANT USAGE ON SCHEMA lictor TO {role};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lictor TO {role};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA lictor TO {role}"
    )
    hba = (server.data / "pg_hba.conf").read_text()
    try:
        server.write("pg_hba.conf", f"host all {role} 127.0.0.1/32 scram-sha-256\n" + hba)
        server.reload()
        lictor = place.lictor(url=place.url(user=role, password=IN_URL))
        with lictor.running():
            token = lictor.register("ada").token
            assert lictor.protected(token).status == 200
            assert lictor.login("ada", "a wrong password").status == 401
            assert lictor.login("nobody", "a wrong password").status == 401
            assert lictor.send("POST", "/api/logout", token=token).status == 200
            root = lictor.login("root").token
            assert lictor.send("POST", "/api/admin/invitations", {}, token=root).status == 200
            assert lictor.send("GET", "/api/admin/audit", token=root).status == 200
            lictor.command("user", "list")
            lictor.command("user", "delete", "ada", "--yes")
        said = lictor.log()
        assert "permission denied" not in said and "ERROR" not in said, said
        # It could not make them.
        other = f"empty_{place.name}"
        server.create(other)
        try:
            refused(place.lictor(url=server.url(other, user=role, password=IN_URL)), "CREATE SCHEMA")
        finally:
            server.drop(other)
    finally:
        server.write("pg_hba.conf", hba)
        server.reload()


def test_a_lost_key_was_replaced_if_the_tables_could_not_be_read(place):
    """A role that may not see who is logged in makes no new key."""
    owner = place.lictor()
    with owner.running():
        owner.register("ada")
    role = f"blind_{place.name}"
    place.sql(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA lictor TO {role}; GRANT SELECT ON version TO {role}")
    hba = (place.server.data / "pg_hba.conf").read_text()
    try:
        place.server.write("pg_hba.conf", f"host all {role} 127.0.0.1/32 trust\n" + hba)
        place.server.reload()
        lictor = place.lictor(url=place.url(user=role))
        del lictor.environment["SECRET_KEY"]
        refused(lictor, "lacks rights")
        # The next start would have found a key.
        assert not (lictor.directory / "lictor.key").exists()
    finally:
        place.server.write("pg_hba.conf", hba)
        place.server.reload()


def test_the_docs_name_the_rights():
    """docs/postgres.md has the grants of the test above."""
    docs = postgres.Path(__file__).resolve().parents[2] / "docs" / "postgres.md"
    if not docs.exists():
        pytest.skip("docs/postgres.md is not written yet")
    text = re.sub(r"\s+", " ", docs.read_text())
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lictor" in text
    assert "SEQUENCES IN SCHEMA lictor" in text


def test_nothing_is_left_in_the_database_by_a_check(place):
    """`check` looks, and makes nothing."""
    lictor = place.lictor()
    code, said = lictor.command("check", check=False)
    assert code == 0 and "will be made" in said, said
    assert place.server.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'lictor'", place.name) == []
    lictor.start()
    lictor.stop()
    code, said = lictor.command("check", check=False)
    assert code == 0 and "will be made" not in said.split("key")[0], said


def test_a_reload_with_another_password_or_url_asks_for_a_restart(place):
    lictor = place.lictor(LICTOR_ENV_FILE="env")
    env = lictor.directory / "env"

    def reload(url, last):
        env.write_text(f"LICTOR_DATABASE={url}\n")
        before = len(lictor.log())
        lictor.process.send_signal(signal.SIGHUP)
        wait_for(lambda: last in lictor.log()[before:])
        return lictor.log()[before:]

    env.write_text(f"LICTOR_DATABASE={place.url(password='first-secret')}\n")
    hidden = "not reloaded: the password of the database"
    with lictor.running():
        token = lictor.register("ada").token
        log = reload(place.url(password="first-secret"), "reloaded: no setting has changed")
        assert "not reloaded" not in log
        for url in (place.url(password="second-secret"), place.url(password="first-secret", connections="7")):
            log = reload(url, hidden)
            assert "no setting has changed" not in log, log
        log = reload(place.url(password="second-secret", user="other"), "not reloaded: database is ")
        assert hidden not in log, log
        assert lictor.protected(token).status == 200
    assert "-secret" not in lictor.log(), lictor.log()
