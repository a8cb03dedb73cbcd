"""The database fails, hangs, is full, moves to another machine: what was acknowledged stays, what cannot
be served is answered 503 at once, and lictor goes on by itself when the database is back.

Durations are printed (pytest -s); what is asserted about them is generous.
"""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import server as postgres
from conftest import Place
from instance import PATIENCE, Answer, at_once, claims, sign, wait_for

# Seconds in which a request must be answered while the database is known to be down, in one of three attempts:
# a busy machine may stand still for longer.
AT_ONCE = 2
# Seconds after which lictor must have noticed that the database hangs: its own deadlines, on a busy machine.
NOTICED = 60
RECOVERY = 60  # seconds within which it must serve again
SYNCHRONOUS = {"synchronous_standby_names": "other", "synchronous_commit": "on"}


@pytest.fixture
def own(tmp_path):
    """Makes servers of a test's own, and a database on the first."""
    with contextlib.ExitStack() as stack:

        def make(**settings):
            server = postgres.Server.make(**settings)
            stack.callback(server.remove)
            place = Place(server, tmp_path)
            stack.callback(place.end)
            return place

        make.keep = lambda server: stack.callback(server.remove) and server
        yield make


def assert_refuses(answer, within=NOTICED):
    assert answer.error == (503, "Unavailable"), answer
    assert int(answer.headers["retry-after"]) >= 1, answer
    assert answer.seconds < within, answer


def assert_refuses_at_once(*calls, within=AT_ONCE):
    """The calls, made at the same time, are answered 503; in one of three attempts, all of them at once."""
    for _ in range(3):
        answers = at_once(calls)
        for answer in answers:
            assert_refuses(answer)
        if all(answer.seconds < within for answer in answers):
            return
    raise AssertionError(answers)


def assert_all_served(calls):
    """The calls, made at the same time, are answered 200; in one of three attempts: on a busy machine one may run
    into a deadline of lictor's."""
    for _ in range(3):
        answers = at_once(calls)
        if [answer.status for answer in answers] == [200] * len(calls):
            return
    raise AssertionError(answers)


def assert_down(lictor, token):
    """Every kind of request that needs the database is answered 503 at once, many at a time too."""
    made = claims(token)
    expired = sign({**made, "iat": made["iat"] - 172800, "exp": made["exp"] - 172800})
    kinds = [
        lambda: lictor.health(),
        lambda: lictor.protected(token),
        lambda: lictor.login("ada"),
        lambda: lictor.register("somebody"),
        lambda: lictor.refresh(expired),
        lambda: lictor.send("POST", "/api/logout", token=token),
        lambda: lictor.send("GET", "/api/sessions", token=token),
    ]
    for kind in kinds:
        assert_refuses_at_once(kind)
    assert_refuses_at_once(*[kind for kind in kinds[:3] for _ in range(8)], within=AT_ONCE + 2)
    assert lictor.alive()
    # What needs no database is served.
    assert lictor.send("GET", "/api/").status == 200
    assert lictor.protected("nonsense").status == 401


def is_level(standby, primary):
    """Whether a standby has all that is committed on the primary at this moment."""
    [[end]] = primary.sql("SELECT pg_current_wal_flush_lsn()")
    return standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{end}'") == [["t"]]


def noticed(lictor):
    """Waits until it says that the database is down."""
    wait_for(lambda: lictor.health().status == 503, NOTICED)


def assert_recovers(lictor, since=None):
    """It serves again without a restart, on all its threads."""
    begun = since or time.monotonic()
    wait_for(lambda: lictor.health().status == 200, RECOVERY, 0.02)
    print(f"healthy after {time.monotonic() - begun:.2f} s", end="; ")
    wait_for(lambda: lictor.login("ada").status == 200, RECOVERY, 0.02)
    print(f"a login after {time.monotonic() - begun:.2f} s")
    token = wait_for(lambda: lictor.login("ada").json.get("access_token"), RECOVERY)
    assert_all_served([lambda: lictor.login("ada"), lambda: lictor.protected(token)] * 12)
    assert lictor.alive()


def lines_about(lictor, since=0):
    """The lines of the log about the database, without those of single requests' audit."""
    lines = lictor.log()[since:].splitlines()
    return [line for line in lines if "WARN" in line or "ERROR" in line or "database" in line.lower()]


def assert_logged_once(lictor, since):
    """The outage is a few lines of the log and not one for each request."""
    lines = lines_about(lictor, since)
    assert 1 <= len(lines) <= 8, "\n".join(lines)
    assert any("WARN" in line or "ERROR" in line for line in lines), lines


class Registrations:
    """Clients that register one user after the other, on all lictors, whatever the answers are."""

    def __init__(self, lictors, clients=4):
        self.lictors = lictors
        self.acknowledged = []
        self.answers = []
        self.over = threading.Event()
        self.pool = ThreadPoolExecutor(clients)
        self.working = [self.pool.submit(self.work, n) for n in range(clients)]

    def work(self, client):
        number = 0
        while not self.over.is_set():
            name = f"user-{id(self) % 9973}-{client}-{number}"
            lictor = self.lictors[(client + number) % len(self.lictors)]
            answer = lictor.register(name)
            self.answers.append((time.monotonic(), answer))
            if answer.status == 200:
                self.acknowledged.append(name)
            else:
                assert answer.status == 503, answer
                time.sleep(0.02)
            number += 1

    def count(self):
        return len(self.acknowledged)

    def end(self):
        self.over.set()
        for work in self.working:
            work.result()
        self.pool.shutdown()


def assert_whole(place, names, lictors):
    """Every acknowledged user logs in; and no registration is there by half."""

    def login(pair):
        number, name = pair
        # The server may be busy with its recovery.
        for _ in range(5):
            answer = lictors[number % len(lictors)].login(name)
            if answer.status != 503:
                break
            time.sleep(1)
        return answer

    with ThreadPoolExecutor(4) as pool:
        logins = list(pool.map(login, enumerate(names)))
    lost = [name for name, answer in zip(names, logins, strict=True) if answer.status != 200]
    assert lost == []
    halves = place.sql(
        'SELECT name, (SELECT count(*) FROM sessions WHERE "user" = users.id),'
        " (SELECT count(*) FROM audit WHERE \"user\" = users.id AND event = 'registration') FROM users"
    )
    wrong = [row for row in halves if row[1] == "0" or (row[2] != "1" and row[0] != "ada")]
    assert wrong == []
    nobodys = "SELECT count(*) FROM audit WHERE event = 'registration' AND \"user\" NOT IN (SELECT id FROM users)"
    assert place.number(nobodys) == 0


def test_a_killed_server_loses_nothing_acknowledged(own):
    place = own(**postgres.DURABLE)
    lictors = place.start(2)
    lictors[0].register("ada").token
    names = []
    for number in range(3):
        registrations = Registrations(lictors)
        wait_for(lambda: registrations.count() >= 10 + 7 * number)
        place.server.kill()
        time.sleep(0.5)
        place.server.start()
        begun = time.monotonic()
        after = registrations.count()
        wait_for(lambda: registrations.count() > after + 5, RECOVERY)
        first = min(at for at, answer in registrations.answers if at > begun and answer.status == 200)
        print(f"acknowledged again {first - begun:.2f} s after the start")
        registrations.end()
        names += registrations.acknowledged
    assert_whole(place, names, lictors)
    for lictor in lictors:
        assert_recovers(lictor)


def test_a_promoted_standby_has_everything_acknowledged(own):
    place = own(**postgres.DURABLE)
    other = own.keep(place.server.standby("other"))
    place.server.configure(**SYNCHRONOUS)
    place.server.reload()
    followers = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
    wait_for(lambda: place.server.number(followers) == 1)
    first, second = place.server.port, other.port
    url = f"postgres://postgres@127.0.0.1:{first},127.0.0.1:{second}/{place.name}"
    url += "?sslmode=disable&target_session_attrs=read-write"
    lictors = [place.lictor(url=url) for _ in range(2)]
    for lictor in lictors:
        lictor.start()
    lictors[0].register("ada").token
    registrations = Registrations(lictors)
    wait_for(lambda: registrations.count() >= 30)
    since = [len(lictor.log()) for lictor in lictors]
    place.server.kill()
    time.sleep(1)
    before = registrations.count()
    begun = time.monotonic()
    other.promote()
    wait_for(lambda: registrations.count() > before + 10, RECOVERY)
    firsts = [at for at, answer in registrations.answers if at > begun and answer.status == 200]
    print(f"the first registration {min(firsts) - begun:.2f} s after the promotion")
    registrations.end()
    place.server.remove()
    place.server = other
    for lictor, position in zip(lictors, since, strict=True):
        assert_recovers(lictor)
        assert_logged_once(lictor, position)
    assert_whole(place, registrations.acknowledged, lictors)


def test_a_former_primary_that_comes_back_is_not_used(own):
    place = own()
    former, other = place.server, own.keep(place.server.standby("other"))
    url = f"postgres://postgres@127.0.0.1:{former.port},127.0.0.1:{other.port}/{place.name}"
    lictor = place.lictor(url=url + "?sslmode=disable")
    lictor.start()
    lictor.register("ada").token
    wait_for(lambda: is_level(other, former))
    former.kill()
    other.promote()
    # One whose commit was not finished in time may be there.
    wait_for(lambda: lictor.register("eve").status in (200, 409), RECOVERY)
    # Both take writes now, and the former one is the first of the list.
    former.start()
    other.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lictor'")
    wait_for(lambda: lictor.register("bob").status in (200, 409), RECOVERY)
    # One that starts now knows of no failover.
    late = place.lictor(url=url + "?sslmode=disable")
    late.start()
    assert late.register("joe").status == 200
    assert other.number("SELECT count(*) FROM lictor.users", place.name) == 4
    assert former.number("SELECT count(*) FROM lictor.users", place.name) == 1
    # Alone it is refused by the one that has seen the other.
    other.kill()
    noticed(lictor)
    wait_for(lambda: "former primary" in lictor.log())
    time.sleep(2)
    assert_refuses_at_once(lambda: lictor.login("ada"))
    assert former.number("SELECT count(*) FROM lictor.users", place.name) == 1


def lose_the_standby(server):
    """From now on no commit is finished: each waits for a standby that there is not."""
    server.configure(synchronous_standby_names="nobody")
    server.reload()
    target = f"host={server.directory} port={server.port} user=postgres dbname=postgres"
    commit = "SELECT pg_logical_emit_message(true, 'tests', '')"
    ended = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

    def waits():
        # The checkpointer is told of the setting like all others, and tells the commits.
        command = [postgres.programs() / "psql", "-X", "-q", "-d", target, "-c", commit]
        nothing = subprocess.DEVNULL
        client = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)
        found = 0
        while client.poll() is None:
            found += server.number(ended)
        return found

    wait_for(waits)


def test_a_synchronous_standby_that_is_gone_acknowledges_nothing(own):
    """A commit that waits for the standby is not acknowledged, nor is one whose wait was cancelled."""
    place = own()
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    lose_the_standby(place.server)
    answers = at_once([lambda n=n: lictor.register(f"user-{n}") for n in range(2)])
    assert [answer.status for answer in answers] == [503, 503], answers
    assert all(answer.seconds < NOTICED for answer in answers), answers
    assert lictor.alive()
    # Reading needs no standby.
    wait_for(lambda: lictor.protected(token).status == 200, NOTICED)
    place.server.configure(synchronous_standby_names="")
    place.server.reload()
    assert_recovers(lictor)


def test_a_synchronous_standby_that_is_gone_does_not_fill_the_server(own):
    """Processes that wait for the standby are ended; after the first, writes are refused at once."""
    place = own(max_connections=40)
    lictors = place.start(2)
    token = lictors[0].register("ada").token
    lose_the_standby(place.server)
    calls = [lambda n=n: lictors[n % 2].register(f"user-{n}") for n in range(16)]
    answers = at_once(calls)
    assert all(answer.error == (503, "Unavailable") for answer in answers), answers
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    most, refused = 0, 0
    begun = time.monotonic()
    # As long as each instance needs for some probes, a few seconds each.
    while time.monotonic() - begun < 15 or refused <= 20:
        assert time.monotonic() - begun < PATIENCE, refused
        for lictor in lictors:
            answer = lictor.register("eve")
            assert answer.status == 503, answer
            refused += answer.seconds < AT_ONCE
        most = max(most, place.number(waiting))
        wait_for(lambda: lictors[0].protected(token).status == 200)
        time.sleep(0.2)
    print(f"{most} processes waited for the standby; {refused} writes were refused at once")
    # A probe for each instance, and one that is being cancelled.
    wait_for(lambda: place.number(waiting) <= 2 + 2)
    place.server.configure(synchronous_standby_names="")
    place.server.reload()
    for lictor in lictors:
        assert_recovers(lictor)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_is_stopped_and_started(own, mode):
    place = own()
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    threads = lictor.threads()
    since = len(lictor.log())
    place.server.stop(mode)
    noticed(lictor)
    for _ in range(2):
        assert_down(lictor, token)
        time.sleep(1)
    place.server.start()
    assert_recovers(lictor)
    assert lictor.protected(token).status == 200
    assert_logged_once(lictor, since)
    # Health waits among the writes, whose pool grew meanwhile; its threads end after some idle seconds.
    wait_for(lambda: lictor.threads() <= threads + 4)


def test_an_outage_with_many_requests_has_few_lines(own):
    place = own()
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    since = len(lictor.log())
    place.server.stop()
    noticed(lictor)
    deadline = time.monotonic() + 12
    seconds = []
    while time.monotonic() < deadline:
        for answer in (lictor.protected(token), lictor.login("ada")):
            assert_refuses(answer)
            seconds.append(answer.seconds)
        time.sleep(0.1)
    assert sorted(seconds)[len(seconds) // 2] < AT_ONCE, seconds
    begun = time.monotonic()
    place.server.start()
    assert_recovers(lictor, begun)
    assert_logged_once(lictor, since)


def test_a_start_without_a_database_says_what_to_do(own):
    place = own()
    place.server.stop()
    lictor = place.lictor(url=place.url(password="the-password-of-the-url"))
    said = lictor.refused()
    assert str(place.server.port) in said and len(said.splitlines()) >= 2, said
    assert "the-password-of-the-url" not in said, said


def test_connections_that_are_ended_over_there(place):
    """pg_terminate_backend: the next requests succeed."""
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    asked = [lambda: lictor.protected(token), lambda: lictor.login("ada")]

    def all_succeed(together):
        """Whether they do in one of three attempts: on a busy machine one may run into a deadline of lictor's."""
        for _ in range(3):
            assert place.end_connections() > 0
            answers = at_once(asked * 6) if together else [ask() for ask in asked]
            if {answer.status for answer in answers} == {200}:
                return True
            # With new connections, which the next attempt ends.
            noted.append(answers)
            wait_for(lambda: [ask().status for ask in asked] == [200, 200])
        return False

    noted = []
    for together in (False, True):
        for _ in range(5):
            assert all_succeed(together), (noted, lictor.log())
    assert_recovers(lictor)


def test_connections_that_are_ended_under_work(place):
    [lictor] = place.start(1)
    lictor.register("ada").token
    registrations = Registrations([lictor])
    for _ in range(10):
        wait_for(lambda before=registrations.count(): registrations.count() > before + 3)
        place.end_connections()
    wait_for(lambda before=registrations.count(): registrations.count() > before + 10)
    registrations.end()
    refused = [answer for _, answer in registrations.answers if answer.status != 200]
    print(f"{registrations.count()} registered, {len(refused)} refused")
    assert_whole(place, registrations.acknowledged, [lictor])
    assert_recovers(lictor)


def test_a_read_only_standby_as_the_only_host(own):
    place = own()
    [first] = place.start(1)
    token = first.register("ada").token
    other = own.keep(place.server.standby("other"))
    wait_for(lambda: is_level(other, place.server))
    lictor = place.lictor(url=other.url(place.name))
    lictor.launch()
    line = lictor.process.stdout.readline()
    if line:
        lictor.port = int(line.rpartition(":")[2].split("/")[0])
        for _ in range(3):
            assert_refuses(lictor.login("ada"))
            assert lictor.protected(token).status in (200, 503)
            time.sleep(0.5)
        print("reads:", lictor.protected(token).status, "health:", lictor.health().status)
        assert lictor.alive()
        first.stop()
        place.server.stop()
        other.promote()
        assert_recovers(lictor)
    else:
        lictor.process.wait(PATIENCE)
        said = lictor.log()
        print(said)
        assert "read-only" in said, said
        first.stop()
        place.server.stop()
        other.promote()
        lictor.start()
        assert_recovers(lictor)


def test_a_primary_that_becomes_read_only(own):
    """As after a failover that left the old primary as a standby."""
    place = own()
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    since = len(lictor.log())
    place.server.sql("ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()")
    place.end_connections()
    # The first may still be admitted.
    names = (f"user-{n}" for n in itertools.count())
    wait_for(lambda: lictor.register(next(names)).status == 503, NOTICED)
    for _ in range(20):
        assert_refuses_at_once(lambda: lictor.register(next(names)))
    assert lictor.protected(token).status in (200, 503)
    assert lictor.alive()
    place.server.sql("SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only")
    place.server.sql("SELECT pg_reload_conf()")
    assert_recovers(lictor)
    assert_logged_once(lictor, since)


@pytest.mark.parametrize("code", ["53100", "53200", "58030", "57014", "XX001"])
def test_an_error_of_the_server_in_the_middle(place, code):
    """Disk full, out of memory, a read error, cancelled, damaged: raised by a trigger."""
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    since = len(lictor.log())
    place.sql(
        "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{code}'; END $$;"
        "CREATE TRIGGER fail BEFORE INSERT ON sessions EXECUTE FUNCTION public.fail()"
    )
    for _ in range(5):
        answer = lictor.login("ada")
        assert answer.seconds < NOTICED
        if code == "XX001":
            assert answer.error in [(500, "InternalError"), (503, "Unavailable")], answer
        else:
            assert_refuses(answer)
        # Others are still served.
        wait_for(lambda: lictor.protected(token).status == 200)
    assert place.number("SELECT count(*) FROM sessions") == 1
    said = lictor.log()[since:]
    assert "could not extend file" in said or code in said, said
    place.sql("DROP TRIGGER fail ON sessions")
    assert_recovers(lictor)


def mounted(directory, size):
    """Whether a file system of this size could be mounted there."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory]
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_full_disk(own, tmp_path):
    """The log of the database, pg_wal, lies on a small file system, which something else fills."""
    place = own(min_wal_size="32MB", max_wal_size="32MB", wal_recycle="off", wal_init_zero="off")
    place.server.stop()
    log = place.server.data / "pg_wal"
    aside = place.server.directory / "aside"
    log.rename(aside)
    log.mkdir()
    if not mounted(log, "64M"):
        pytest.skip("no file system can be mounted here")
    try:
        owner = postgres.unprivileged()
        subprocess.run(["cp", "-a", f"{aside}/.", str(log)], check=True)
        os.chown(log, owner["user"], owner["group"])
        log.chmod(0o700)
        place.server.start()
        [lictor] = place.start(1)
        token = lictor.register("ada").token
        since = len(lictor.log())
        filler = log / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 65536)
        # What is in the current file of the log still has room there.
        with contextlib.suppress(postgres.Failed):
            place.server.sql("SELECT pg_switch_wal()")
        wait_for(lambda: lictor.login("ada").status == 503)
        for _ in range(3):
            assert_refuses_at_once(lambda: lictor.login("ada"))
            assert lictor.protected(token).status in (200, 503)
        assert lictor.alive()
        filler.unlink()

        def works_again():
            # PostgreSQL ends itself, sooner or later, when it cannot write its log.
            if place.server.process() is None:
                with contextlib.suppress(postgres.Failed):
                    place.server.start()
            return lictor.health().status == 200

        wait_for(works_again)
        assert_recovers(lictor)
        assert_logged_once(lictor, since)
    finally:
        place.end()
        with contextlib.suppress(postgres.Failed):
            place.server.stop("immediate")
        place.server.kill()
        subprocess.run(["umount", "-l", log], check=False)


def test_all_connections_are_taken(own):
    place = own(max_connections=12, superuser_reserved_connections=2)
    place.sql(f"CREATE ROLE app LOGIN; GRANT ALL ON DATABASE {place.name} TO app")
    url = place.url(user="app", connections=8)
    lictor = place.lictor(url=url)
    lictor.start()
    token = lictor.register("ada").token
    since = len(lictor.log())
    sleepers = []
    taken = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"
    asleep = f"{taken} AND query ~ 'pg_sleep'"

    def occupy():
        """Takes what is free. Whoever asks for the number has a connection too, so one that was refused tells nothing."""
        target = f"host={place.server.directory} port={place.server.port} user=app dbname={place.name}"
        while place.server.number(taken) < 10:
            command = [postgres.programs() / "psql", "-X", "-q", "-d", target]
            sleeper = subprocess.Popen(
                [*command, "-c", "SELECT pg_sleep(600)"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            wait_for(lambda: sleeper.poll() is not None or place.server.number(asleep) > len(sleepers))
            if sleeper.poll() is None:
                sleepers.append(sleeper)

    def without_any():
        """Takes lictor's connections from it; whether others have them all."""
        place.end_connections("usename = 'app' AND query !~ 'sleep'")
        occupy()
        return place.server.number(asleep) == 10 and lictor.health().status == 503

    try:
        occupy()
        # A second one cannot start, and says why.
        said = place.lictor(url=url).refused()
        assert "connections" in said, said
        # Those that it has still work.
        assert lictor.protected(token).status in (200, 503)
        wait_for(without_any)
        # The server is there and may have room at any moment, so a request waits as long as it may.
        for _ in range(3):
            assert_refuses(lictor.login("ada"))
            assert_refuses(lictor.protected(token))
        assert lictor.alive()
    finally:
        for sleeper in sleepers:
            sleeper.kill()
            sleeper.wait()
    with contextlib.suppress(postgres.Failed):
        place.end_connections("query ~ 'pg_sleep'")
    assert_recovers(lictor)
    assert_logged_once(lictor, since)


def test_fewer_connections_than_lictor_wants(own):
    """It works with those that there are, or refuses at once."""
    place = own(max_connections=8, superuser_reserved_connections=2)
    place.sql(f"CREATE ROLE app LOGIN; GRANT ALL ON DATABASE {place.name} TO app")
    lictor = place.lictor(url=place.url(user="app"))
    lictor.start()
    lictor.register("ada").token
    for _ in range(5):
        answers = at_once([lambda: lictor.login("ada")] * 16)
        assert {answer.status for answer in answers} <= {200, 503}, answers
        assert lictor.alive()
    assert_recovers_slowly(lictor)


def assert_recovers_slowly(lictor):
    """One client after the other is served."""
    for _ in range(10):
        wait_for(lambda: lictor.login("ada").status == 200, RECOVERY)


@contextlib.contextmanager
def stopped(server):
    """All processes of the server hang until the end of the block."""
    postmaster = server.process()
    # Stopped, the postmaster begins no other process.
    os.kill(postmaster, signal.SIGSTOP)
    pids = [*postgres.children(postmaster), postmaster]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_a_server_that_hangs(own):
    place = own()
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    threads = lictor.threads()
    since = len(lictor.log())
    with stopped(place.server):
        begun = time.monotonic()
        answers: list[Answer] = at_once([lambda: lictor.protected(token), lambda: lictor.login("ada")] * 8)
        print(f"the slowest answer took {max(answer.seconds for answer in answers):.1f} s", end="; ")
        for answer in answers:
            assert_refuses(answer)
        noticed(lictor)
        print(f"noticed after {time.monotonic() - begun:.1f} s", end="; ")
        for _ in range(3):
            assert_down(lictor, token)
    assert_recovers(lictor)
    assert_logged_once(lictor, since)
    # Health waits among the writes, whose pool grew meanwhile; its threads end after some idle seconds.
    wait_for(lambda: lictor.threads() <= threads + 4)


def test_a_lock_of_another_program(place):
    """A long transaction of another program on the tables: writes wait, at most a few seconds."""
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    target = f"host={place.server.directory} port={place.server.port} user=postgres dbname={place.name}"
    holder = subprocess.Popen(
        [postgres.programs() / "psql", "-X", "-q", "-d", target],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        print("BEGIN; LOCK TABLE lictor.sessions IN EXCLUSIVE MODE;\n\\echo held", file=holder.stdin, flush=True)
        assert holder.stdout.readline() == "held\n"
        # Reading needs no such lock.
        for _ in range(3):
            answers = at_once([lambda: lictor.login("ada"), lambda: lictor.protected(token)] * 4)
            for answer in answers[::2]:
                assert_refuses(answer)
            # On a busy machine one may run into a deadline of lictor's.
            if [answer.status for answer in answers[1::2]] == [200] * 4:
                break
        else:
            raise AssertionError(answers)
        wait_for(lambda: lictor.health().status == 200)
        print("ROLLBACK;", file=holder.stdin, flush=True)
        holder.stdin.close()
        holder.wait(PATIENCE)
    assert_recovers(lictor)


@pytest.mark.parametrize("table, checks", [("users", "failed skipped"), ("invitations", "ok failed")])
def test_health_is_told_in_time_while_a_table_is_locked(place, table, checks):
    [lictor] = place.start(1)
    target = f"host={place.server.directory} port={place.server.port} user=postgres dbname={place.name}"
    holder = subprocess.Popen(
        [postgres.programs() / "psql", "-X", "-q", "-d", target],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        print(f"BEGIN; LOCK TABLE lictor.{table};\n\\echo held", file=holder.stdin, flush=True)
        assert holder.stdout.readline() == "held\n"
        # The command gives up after two seconds, and would not have the answer then; the server gives reading and
        # writing less than one each. A machine that stands still for longer is no fault of lictor's, but it does
        # not do so three times.
        read, write = checks.split()
        for _ in range(3):
            code, said = lictor.command("health", "--listen", f"127.0.0.1:{lictor.port}", check=False)
            if f'"read":"{read}","write":"{write}"' in said:
                break
        assert code == 1 and f'"read":"{read}","write":"{write}"' in said, said
        print("ROLLBACK;", file=holder.stdin, flush=True)
        holder.stdin.close()
        holder.wait(PATIENCE)
    wait_for(lambda: lictor.health().status == 200)
    log = lictor.log()
    # That it fails is said once, and again after a minute.
    assert log.count("health: ") in (2, 3) and log.count("health: reading and writing work again") == 1, log


def test_the_tables_are_gone(place):
    """500 or 503, and never a crash."""
    [lictor] = place.start(1)
    token = lictor.register("ada").token
    place.sql("ALTER TABLE users RENAME TO people")
    for ask in (lambda: lictor.protected(token), lambda: lictor.login("ada"), lictor.health):
        assert ask().error in [(500, "InternalError"), (503, "Unavailable")]
    assert lictor.alive()
    place.sql("ALTER TABLE people RENAME TO users")
    assert_recovers(lictor)
    # Whoever drops the database sees no harm done to the process.
    place.server.drop(place.name)
    noticed(lictor)
    assert_refuses_at_once(lambda: lictor.protected(token))
    assert lictor.alive()
    place.server.create(place.name)


def test_a_password_that_changes_while_it_runs(own):
    place = own(hba="local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    place.sql(f"CREATE ROLE app LOGIN PASSWORD 'the-first-password'; GRANT ALL ON DATABASE {place.name} TO app")
    lictor = place.lictor(url=place.url(user="app", password="the-first-password"))
    lictor.start()
    token = lictor.register("ada").token
    since = len(lictor.log())
    place.sql("ALTER ROLE app PASSWORD 'the-second-password'")
    place.end_connections("usename = 'app'")
    noticed(lictor)
    assert_down(lictor, token)
    said = lictor.log()[since:]
    assert "password" in said, said
    assert "the-first-password" not in said, said
    place.sql("ALTER ROLE app PASSWORD 'the-first-password'")
    assert_recovers(lictor)
    assert_logged_once(lictor, since)
