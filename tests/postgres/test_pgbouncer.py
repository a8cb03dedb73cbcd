"""pgbouncer between lictor and the server."""

import re
import shutil

import pytest

import server as postgres
from conftest import Place
from instance import PATIENCE, wait_for

pytestmark = pytest.mark.skipif(
    shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin") is None, reason="pgbouncer is missing"
)


@pytest.fixture
def bouncer(server, tmp_path):
    with postgres.pooler(server) as start:
        yield start


def test_session_mode(server, tmp_path, bouncer):
    place = Place(server, tmp_path)
    try:
        port = bouncer("session")
        one, two = (place.lictor(url=place.url(port=port)) for _ in range(2))
        one.start()
        two.start()
        token = one.register("ada").token
        for number in range(20):
            assert two.protected(token).status == 200
            new = two.login("ada").token
            assert one.protected(new).status == 200
            assert one.send("POST", "/api/logout", token=new).status == 200
            assert two.protected(new).status == 403
            assert two.register(f"user-{number}").status == 200
        one.command("user", "list")
        place.end_connections()
        wait_for(lambda: two.login("ada").status == 200)
        one.stop()
        two.stop()
    finally:
        place.end()


def test_transaction_mode_is_refused_or_works(server, tmp_path, bouncer):
    place = Place(server, tmp_path)
    try:
        port = bouncer("transaction")
        lictor = place.lictor(url=place.url(port=port))
        lictor.launch()
        line = lictor.process.stdout.readline()
        if not line:
            lictor.process.wait(PATIENCE)
            said = lictor.log()
            print(said)
            assert "pgbouncer" in said.lower() or "session" in said.lower(), said
            return
        lictor.port = int(re.search(r":(\d+)/api/", line)[1])
        # If it starts, what it answers must be right.
        token = lictor.register("ada").token
        for _ in range(30):
            assert lictor.protected(token).status == 200
            new = lictor.login("ada").token
            assert lictor.send("POST", "/api/logout", token=new).status == 200
            assert lictor.protected(new).status == 403
        lictor.stop()
    finally:
        place.end()
