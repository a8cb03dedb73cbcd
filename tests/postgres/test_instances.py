"""Several lictors on one database: whatever one does counts on all others in the next request, and
whatever may happen once happens once.
"""

import json
import os
import re
import time

import pytest

from instance import (
    PASSWORD,
    Authenticator,
    at_once,
    claims,
    sign,
    wait_for,
)

ROUNDS = 10
NEW = "nine copper kettles"
LEADER = "classid = 1279869780 AND objid = 2"  # in pg_locks; see store/postgres/schema.rs


def statuses(answers):
    return sorted(answer.status for answer in answers)


def errors(answers):
    return [(answer.status, answer.json.get("error")) for answer in answers]


def test_what_ends_a_session_on_one_ends_it_on_all(place):
    one, two, three = place.start(3)
    one.register("ada").token
    for number in range(ROUNDS):
        asked, others = [(one, two), (two, three), (three, one)][number % 3]
        token = asked.login("ada").token
        assert others.protected(token).status == 200
        assert asked.send("POST", "/api/logout", token=token).status == 200
        for lictor in (one, two, three):
            assert lictor.protected(token).error == (403, "BlacklistedError")
    tokens = [lictor.login("ada").token for lictor in (one, two, three)]
    assert two.send("POST", "/api/logout/all", token=tokens[0]).status == 200
    for token in tokens:
        assert three.protected(token).error == (403, "BlacklistedError")
    token = one.login("ada").token
    body = {"current": PASSWORD, "new": NEW}
    new = two.send("PUT", "/api/password", body, token=token).token
    assert one.protected(token).error == (403, "BlacklistedError")
    assert three.protected(new).status == 200
    assert three.login("ada").status == 401
    two.command("user", "deactivate", "ada")
    for lictor in (one, two, three):
        assert lictor.protected(new).status == 403
    three.command("user", "delete", "ada", "--yes")
    for lictor in (one, two, three):
        assert lictor.protected(new).status == 401


def test_a_change_is_seen_by_the_next_of_many_requests(place):
    """While checks of tokens are under way all the time."""
    one, two = place.start(2)
    one.register("ada").token
    for _ in range(ROUNDS):
        token = one.login("ada").token

        def ends():
            time.sleep(0.05)
            assert one.send("POST", "/api/logout", token=token).status == 200
            return time.monotonic()

        def checks():
            answers = []
            # On a busy machine one may run into a deadline of lictor's.
            while not answers or answers[-1][1].status in (200, 503):
                answers.append((time.monotonic(), two.protected(token)))
            return answers

        ended, *checked = at_once([ends, *[checks] * 4])
        for answers in checked:
            # No answer after the logout's is good.
            assert all(begun < ended for begun, answer in answers if answer.status == 200)
            assert answers[-1][1].error == (403, "BlacklistedError")


def test_a_replay_is_noticed_on_whichever_instance(place):
    one, two, three = place.start(3)
    first = one.register("ada").token
    made = claims(first)
    place.sql("UPDATE sessions SET newest = newest - 5000")
    old = sign({**made, "iat": made["iat"] - 5000, "exp": made["iat"] - 10})
    new = two.refresh(old, **{"User-Agent": "a browser"}).token
    assert three.protected(new).status == 200
    # The half minute in which a token can be exchanged twice is over.
    place.sql("UPDATE sessions SET newest = newest - 60")
    assert three.refresh(old, **{"User-Agent": "a thief"}).error == (403, "BlacklistedError")
    for lictor in (one, two, three):
        assert lictor.protected(new).error == (403, "BlacklistedError")
    wait_for(lambda: "refresh-replayed user=ada" in three.log())
    assert [entry["event"] for entry in one.audit()].count("refresh-replayed") == 1


def test_concurrent_refreshes_lose_nothing(place):
    lictors = place.start(3)
    token = lictors[0].register("ada").token
    for number in range(ROUNDS):
        # As if the token were from the day before yesterday.
        place.sql("UPDATE sessions SET newest = newest - 172800")
        made = claims(token)
        token = sign({**made, "iat": made["iat"] - 172800, "exp": made["exp"] - 172800})
        answers = at_once([lambda lictor=lictor: lictor.refresh(token) for lictor in lictors * 2])
        assert statuses(answers) == [200] * 6, errors(answers)
        tokens = {answer.token for answer in answers}
        newest = place.number("SELECT newest FROM sessions")
        assert {claims(token)["iat"] for token in tokens} == {newest}, number
        token = tokens.pop()
        for lictor in lictors:
            assert lictor.protected(token).status == 200
    assert all("replayed" not in lictor.log() for lictor in lictors)


def test_a_name_is_registered_once(place):
    lictors = place.start(3)
    for number in range(ROUNDS):
        name = f"user-{number}"
        answers = at_once([lambda lictor=lictor: lictor.register(name) for lictor in lictors])
        assert errors(answers).count((200, None)) == 1, errors(answers)
        assert errors(answers).count((409, "UsernameTaken")) == 2, errors(answers)
    assert place.number("SELECT count(*) FROM users") == ROUNDS
    assert place.number("SELECT count(*) FROM sessions") == ROUNDS
    assert place.number("SELECT count(*) FROM audit WHERE event = 'registration'") == ROUNDS


def test_a_reset_token_works_once(place):
    lictors = place.start(3, "--public-url", "http://pages.example")
    lictors[0].add("ada")
    for number in range(ROUNDS):
        token = lictors[0].command("user", "reset-link", "ada").split()[1]
        passwords = [f"password {number} of instance {n}" for n in range(3)]

        def reset(lictor, password):
            return lictor.send("POST", "/api/reset_finalize", {"password": password}, token=token)

        pairs = list(zip(lictors, passwords, strict=True))
        answers = at_once([lambda pair=pair: reset(*pair) for pair in pairs])
        assert errors(answers).count((200, None)) == 1, errors(answers)
        assert errors(answers).count((401, "InvalidResetToken")) == 2, errors(answers)
        for answer, password in zip(answers, passwords, strict=True):
            assert lictors[number % 3].login("ada", password).status == (200 if answer.status == 200 else 401)


def test_an_invitation_registers_one(place):
    lictors = place.start(3, "--registration", "invite")
    for number in range(ROUNDS):
        code = lictors[0].command("invite", "add").split()[1]
        answers = at_once(
            [
                lambda n=n, lictor=lictor: lictor.register(f"user-{number}-{n}", invitation=code)
                for n, lictor in enumerate(lictors)
            ]
        )
        assert errors(answers).count((200, None)) == 1, errors(answers)
        assert errors(answers).count((403, "InvalidInvitation")) == 2, errors(answers)
    assert place.number("SELECT count(*) FROM users") == ROUNDS


def with_factor(lictor, name):
    token = lictor.register(name).token
    made = lictor.send("POST", "/api/second-factor", {"password": PASSWORD}, token=token)
    app = Authenticator(made.json["secret"])
    done = lictor.send("PUT", "/api/second-factor", {"otp": app.code()}, token=token)
    assert done.status == 200, done
    return app, done.json["recovery_codes"]


def test_a_code_of_the_second_factor_logs_in_once(place):
    lictors = place.start(3)
    app, recovery = with_factor(lictors[0], "ada")
    for code in recovery[:5]:
        answers = at_once([lambda lictor=lictor: lictor.login("ada", otp=code) for lictor in lictors])
        assert errors(answers).count((200, None)) == 1, errors(answers)
        assert errors(answers).count((401, "AuthenticationError")) == 2, errors(answers)
    for _ in range(5):
        # As if no code had been used yet.
        place.sql("UPDATE second_factors SET last_step = 0")
        code = app.code()
        answers = at_once([lambda lictor=lictor: lictor.login("ada", otp=code) for lictor in lictors])
        assert errors(answers).count((200, None)) == 1, errors(answers)
        assert errors(answers).count((401, "AuthenticationError")) == 2, errors(answers)


def test_failed_logins_are_counted_together(place):
    # Fewer on each than must wait there.
    lictors = place.start(3, "--throttle", "on")
    lictors[0].add("ada")
    wrong = [lambda lictor=lictor: lictor.login("ada", "another password") for lictor in lictors * 2]
    for _ in range(2):
        assert statuses(at_once(wrong)) == [401] * 6
    assert place.number("SELECT failures FROM users") == 12
    assert place.number("SELECT count(*) FROM audit WHERE event = 'login-failed'") == 12
    lictors[1].login("ada").token
    assert place.number("SELECT failures FROM users") == 0


def test_of_two_administrators_on_two_instances_one_stays(place):
    one, two = place.start(2)
    for name in ("ada", "bob"):
        one.add(name, "--role", "admin")
    ids = {name: place.number(f"SELECT id FROM users WHERE name = '{name}'") for name in ("ada", "bob")}
    tokens = {name: one.login(name).token for name in ids}

    def demote(lictor, by, whom):
        path = f"/api/admin/users/{ids[whom]}/roles"
        return lictor.send("PUT", path, {"roles": []}, token=tokens[by])

    for number in range(ROUNDS):
        answers = at_once([lambda: demote(one, "ada", "bob"), lambda: demote(two, "bob", "ada")])
        assert statuses(answers).count(200) == 1, (number, errors(answers))
        assert place.number("SELECT count(*) FROM users WHERE roles = 'admin'") == 1
        for name in ids:
            one.command("user", "roles", name, "--add", "admin")


def leader(place):
    """The role that the leader connects as, or None."""
    found = place.sql(
        "SELECT usename FROM pg_locks JOIN pg_stat_activity USING (pid)"
        f" WHERE locktype = 'advisory' AND {LEADER} AND granted"
        f" AND database = (SELECT oid FROM pg_database WHERE datname = '{place.name}')"
    )
    assert len(found) <= 1, found
    return found and found[0][0]


def leading(place, lictors):
    """The role of the leader, if it is one of these: the session of one that was killed may still be there."""
    role = leader(place)
    return role if role and role in lictors else None


def with_mail(place, directory, count):
    """Lictors that write mails to one folder, each with a role of its own; by their roles."""
    directory.mkdir()
    made = {}
    for number in range(count):
        role = f"{place.name}_{number}"
        place.sql(f"CREATE ROLE {role} SUPERUSER LOGIN")
        mail = ["--mail", f"dir:{directory}", "--public-url", "http://pages.example"]
        mail += ["--registration", "email"]
        made[role] = place.lictor(*mail, url=place.url(user=role))
        made[role].start()
    return made


def mails(directory):
    """The Message-IDs of the mails in the folder."""
    found = []
    for file in directory.glob("*.eml"):
        found += re.findall(r"^Message-ID: (\S+)", file.read_text(), re.MULTILINE | re.IGNORECASE)
    return found


def test_a_mail_is_sent_once_and_another_takes_over(place, tmp_path):
    folder = tmp_path / "mails"
    lictors = with_mail(place, folder, 3)
    sent = 0
    while len(lictors) > 1:
        first = wait_for(lambda: leading(place, lictors))

        def register(number):
            everybody = list(lictors.values())
            lictor = everybody[number % len(everybody)]
            name = f"user-{sent + number}"
            return lictor.register(name, email=f"{name}@mail.example")

        answers = at_once([lambda n=n: register(n) for n in range(12)])
        assert statuses(answers) == [201] * 12, errors(answers)
        sent += 12
        wait_for(lambda: len(mails(folder)) >= sent)
        wait_for(lambda: place.number("SELECT count(*) FROM outbox") == 0)
        time.sleep(1.5)
        assert len(mails(folder)) == len(set(mails(folder))) == sent
        lictors.pop(first).kill()
    last = wait_for(lambda: leading(place, lictors))
    assert list(lictors) == [last]
    lictors[last].register("the-last", email="the-last@mail.example")
    wait_for(lambda: len(mails(folder)) == sent + 1)


def test_a_leader_that_stops_hands_over(place, tmp_path):
    lictors = with_mail(place, tmp_path / "mails", 2)
    first = wait_for(lambda: leading(place, lictors))
    lictors.pop(first).stop()
    second = wait_for(lambda: leading(place, lictors))
    assert [second] == list(lictors)


def test_the_audit_is_complete(place):
    lictors = place.start(3)
    for number in range(6):
        lictors[0].add(f"user-{number}")

    def work(number):
        lictor = lictors[number % 3]
        token = lictor.login(f"user-{number}").token
        wrong = lictor.login(f"user-{number}", "another password").status
        nobody = lictor.login(f"nobody-{number}").status
        out = lictors[(number + 1) % 3].send("POST", "/api/logout", token=token).status
        return wrong, nobody, out

    done = []
    for _ in range(5):
        done += at_once([lambda n=n: work(n) for n in range(6)])
    assert set(done) == {(401, 401, 200)}
    events = [entry["event"] for entry in lictors[0].audit()]
    counts = {event: events.count(event) for event in set(events)}
    assert counts == {"user-added": 6, "login": 30, "login-failed": 60, "logout": 30}
    assert place.number("SELECT count(DISTINCT id) FROM audit") == 126
    # The numbers of each share are what the sweep counts by: no two entries have one.
    assert place.number("SELECT count(DISTINCT (failed, number)) FROM audit") == 126
    for lictor in lictors:
        wait_for(lambda lictor=lictor: lictor.log().count(" login-failed ") >= 20)
        assert lictor.log().count(" login-failed ") == 20, lictor.log()


def test_five_start_at_once_on_an_empty_database(place):
    lictors = [place.lictor() for _ in range(5)]
    for lictor in lictors:
        lictor.launch()
    for lictor in lictors:
        lictor.await_port()
    for lictor in lictors:
        wait_for(lambda lictor=lictor: lictor.health().status == 200)
    answers = at_once([lambda n=n: lictors[n].register(f"user-{n}") for n in range(5)])
    assert statuses(answers) == [200] * 5
    assert place.number("SELECT count(*) FROM version") == 1
    # A transaction that conflicts with another and is tried again takes another number.
    assert len({claims(answer.token)["id"] for answer in answers}) == 5
    assert place.number("SELECT count(*) FROM users") == 5


def test_a_newer_schema_is_refused_and_not_touched(place):
    [lictor] = place.start(1)
    lictor.register("ada").token
    lictor.stop()
    place.sql("UPDATE version SET number = 1000")
    said = lictor.refused()
    assert "1000" in said and "newer" in said, said
    for words in (["check"], ["user", "list"]):
        code, said = lictor.command(*words, check=False)
        assert code == 1 and "1000" in said, said
    assert place.number("SELECT count(*) FROM users") == 1
    assert place.number("SELECT number FROM version") == 1000


def test_what_is_not_lictors_is_refused(place):
    place.server.sql("CREATE SCHEMA lictor CREATE TABLE lictor.users (name text)", place.name)
    lictor = place.lictor()
    said = lictor.refused()
    assert "lictor" in said and len(said.splitlines()) >= 2, said
    assert place.number("SELECT count(*) FROM pg_class WHERE relnamespace = 'lictor'::regnamespace") == 1


def test_the_tables_of_an_app_beside_are_not_touched(place):
    app = "CREATE TABLE public.users (id serial PRIMARY KEY, username text UNIQUE, roles text)"
    place.server.sql(app + "; INSERT INTO public.users (username) VALUES ('flask')", place.name)
    one, two = place.start(2)
    one.register("flask").token
    two.login("flask").token
    assert place.server.sql("SELECT username FROM public.users", place.name) == [["flask"]]
    found = place.server.sql("SELECT name FROM lictor.users", place.name)
    assert found == [["flask"]]


def test_notices_are_discarded_once(place):
    """Every instance begins with a sweep of them."""
    place.start(1)
    place.sql(
        "INSERT INTO users (name, name_key, email, email_key, password, created)"
        " SELECT 'user-' || n, 'user-' || n, n || '@mail.example', n || '@mail.example', 'none', 1"
        " FROM generate_series(1, 40) AS n"
    )
    place.sql(
        'INSERT INTO outbox (message, kind, "user", email, created, due) '
        "SELECT 'm' || id, 'password-changed', id, email, 1, 1 FROM users"
    )
    others = [place.lictor() for _ in range(4)]
    for other in others:
        other.launch()
    for other in others:
        other.await_port()
    wait_for(lambda: place.number("SELECT count(*) FROM outbox") == 0)

    def said():
        return "".join(lictor.log() for lictor in place.lictors)

    def count():
        return sum(map(int, re.findall(r"(\d+) notices to users were deleted", said())))

    # It is said after it was done.
    wait_for(lambda: count() >= 40)
    assert count() == 40, said()
    assert "ERROR" not in said(), said()


def test_commands_beside_instances(place):
    one, two = place.start(2)
    answers = at_once(
        [lambda n=n: one.command("user", "add", f"user-{n}", text=PASSWORD, check=False) for n in range(6)]
    )
    assert [code for code, _ in answers] == [0] * 6, answers
    listed = two.command("user", "list")
    assert listed.count("active") == 6, listed
    shown = two.command("check", check=False)
    assert shown[0] == 0, shown
    report = json.dumps(shown)
    assert "nothing is wrong" in report, report


def test_the_same_key_is_needed(place):
    """What happens with two keys: a token of one is refused by the other, and nothing else breaks."""
    one = place.lictor()
    two = place.lictor(SECRET_KEY="another secret of the tests: 32 bytes or more")
    one.start()
    two.start()
    token = one.register("ada").token
    assert two.protected(token).error == (401, "InvalidTokenHeader")
    assert one.protected(token).status == 200


@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two processors")
def test_writes_that_collide_all_succeed(place):
    """One row, many instances and clients: each request is answered, and none is lost."""
    lictors = place.start(3)
    tokens = [lictors[n % 3].register(f"user-{n}").token for n in range(2)]
    jtis = [claims(token)["jti"] for token in tokens]
    kept = f"('{jtis[0]}', '{jtis[1]}')"

    def work(n):
        answers = []
        for _ in range(5):
            answers.append(lictors[n % 3].login(f"user-{n % 2}"))
            answers.append(lictors[(n + 1) % 3].protected(tokens[n % 2]))
        return answers

    # On a busy machine one may run into a deadline of lictor's, and be done or not; but not in three attempts.
    for _ in range(3):
        answers = sum(at_once([lambda n=n: work(n) for n in range(12)]), [])
        refused = {error: errors(answers).count(error) for error in errors(answers) if error != (200, None)}
        if not refused:
            break
        assert set(refused) == {(503, "Unavailable")}, refused
        place.sql("DELETE FROM audit WHERE event = 'login'; DELETE FROM sessions WHERE jti NOT IN " + kept)
    assert not refused, refused
    assert place.number("SELECT count(*) FROM audit WHERE event = 'login'") == 60
    assert place.number("SELECT count(*) FROM sessions") == 60 + len(tokens)
