"""A dump and its restore, by the commands of docs/postgres.md: over a newer version of the tables, with the
owner's own database and in somebody else's, where the superuser made the schema.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

import server as postgres
from instance import BINARY, PATIENCE, SECRET_KEY, claims

PAGE = (Path(__file__).resolve().parents[2] / "docs/postgres.md").read_text()
OWNER, URL = "lictor_owner", "postgres://lictor_owner@db.example/app"


def block(name):
    """The commands below `<!-- run: NAME -->`."""
    (text,) = re.findall(rf"^<!-- run: {name} -->\n```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert URL in text
    return text


def grants(owner, role):
    """What the page lets the owner grant to the role of the servers."""
    (text,) = re.findall(r"^```sql\n(GRANT USAGE ON SCHEMA .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert text.count("TO lictor;") == 6
    return f"SET ROLE {owner};" + text.replace("TO lictor;", f"TO {role};")


def run(directory, commands, url):
    """Runs commands of the page as the owner; returns the exit code, and what they wrote."""
    programs = f"{postgres.programs()}:{BINARY.parent}:{os.defpath}"
    done = subprocess.run(
        ["bash", "-e", "-c", commands.replace(URL, url)],
        cwd=directory,
        env={"PATH": programs, "LC_ALL": "C.UTF-8", "SECRET_KEY": SECRET_KEY},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout + done.stderr


def schemas(place):
    return place.server.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lictor%' ORDER BY 1", place.name)


@pytest.mark.parametrize("own", [True, False], ids=["own database", "schema of the superuser"])
def test_a_restore_over_a_newer_version(place, tmp_path, own):
    owner, role = f"owner_{place.name}", f"runs_{place.name}"
    place.server.sql(f"CREATE ROLE {owner} LOGIN; CREATE ROLE {role} LOGIN")
    if own:
        place.server.sql(f'ALTER DATABASE "{place.name}" OWNER TO {owner}')
    else:
        assert f"CREATE SCHEMA lictor AUTHORIZATION {OWNER};" in PAGE
        place.server.sql(f"CREATE SCHEMA lictor AUTHORIZATION {owner}", place.name)
    place.lictor(url=place.url(user=owner)).add("root", "--role", "admin")
    place.sql(grants(owner, role))

    url = place.url(user=owner)
    lictor = place.lictor("--adopt-tokens", url=place.url(user=role))
    with lictor.running():
        lictor.register("ada")
        code, said = run(tmp_path, block("dump"), url)
        assert code == 0, said
        mallory = lictor.register("mallory").token
    # A newer lictor has added a table.
    place.sql(
        f"SET ROLE {owner}; CREATE TABLE later (id bigint REFERENCES users (id));"
        "INSERT INTO later SELECT id FROM users; UPDATE version SET number = number + 1"
    )
    if not own:
        code, said = run(tmp_path, block("restore"), url)
        assert code != 0 and "permission denied for database" in said, said
        assert schemas(place) == [["lictor"]], "nothing was changed"
        assert f"GRANT CREATE ON DATABASE app TO {OWNER}" in PAGE
        place.server.sql(f'GRANT CREATE ON DATABASE "{place.name}" TO {owner}')
    code, said = run(tmp_path, block("restore"), url)
    assert code == 0, said
    assert schemas(place) == [["lictor"], ["lictor_replaced"]]

    with lictor.running():
        assert lictor.login("ada").status == 200
        assert lictor.login("mallory").status == 401
        # Nobody gets the id that mallory's token names.
        bob = lictor.register("bob").token
        assert claims(bob)["id"] > claims(mallory)["id"] + 900_000
        assert lictor.protected(mallory).error == (401, "MissingUserError")
    # Rights are back, also those for the tables of an upgrade.
    place.sql(f"SET ROLE {owner}; CREATE TABLE more (id bigint)")
    assert place.sql(f"SELECT has_table_privilege('{role}', 'more', 'SELECT')") == [["t"]]
    # A damaged dump changes nothing.
    dump = tmp_path / "lictor.dump"
    dump.write_bytes(dump.read_bytes()[:-2000])
    code, said = run(tmp_path, block("restore"), url)
    assert code != 0 and "pg_restore: error" in said, said
    assert place.sql("SELECT count(*) FROM more") == [["0"]], "the schema was touched"
