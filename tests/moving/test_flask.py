"""The move of the tutorial's app, with the commands of docs/from-flask.md: everybody logs in with the old
password, tokens in hand stay good, and the way back is open.

The tests of a backend follow each other on one move; the last one moves back.
"""

import csv
import json
import os
import shutil
import subprocess
import time
from email import message_from_bytes, policy

import jwt
import pytest

import page
import stage
from instance import BINARY, SECRET_KEY, claims, wait_for
from origin import Origin, each
from people import NEW_NAMES, prepared


@pytest.fixture(scope="session")
def origin(server, new_database, tmp_path_factory):
    return Origin(tmp_path_factory.mktemp("flask"), server, new_database())


class Move:
    """A folder in which somebody follows the page. The file of settings has the lines in `settings`."""

    def __init__(self, directory, place, port, **settings):
        self.directory = directory
        self.place = place  # of lictor's accounts
        self.port = port
        self.mails = directory / "mails"
        programs = directory / "bin"
        programs.mkdir()
        (programs / "lictor").symlink_to(BINARY)
        # The last three are what the tests alone need.
        self.environment = {
            "PATH": f"{programs}:{os.defpath}",
            "HOME": str(directory),
            "LICTOR_THROTTLE": "off",
            "LICTOR_MAIL": f"dir:{self.mails}",
            "LICTOR_PUBLIC_URL": "https://app.example",
        }
        lines = "".join(f"{name}='{value}'\n" for name, value in {**settings, "PORT": port}.items())
        (directory / "lictor.env").write_text(lines)
        self.commands = page.commands()
        self.process = None

    def script(self, name):
        """A block of the page, in a shell that has loaded the settings."""
        return ["sh", "-e", "-c", self.commands["load"] + self.commands[name]]

    def do(self, name):
        done = subprocess.run(
            self.script(name),
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=stage.PATIENCE,
        )
        return stage.Done(done.returncode, done.stdout, done.stderr, 0)

    def start(self, name="serve"):
        log = self.directory / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.script(name),
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        stage.wait_until_it_accepts(self.process, self.port, log)

    def log(self):
        return (self.directory / "log").read_text()

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, 15)
            self.process.wait(stage.PATIENCE)
            # The shell may end before lictor does.
            wait_for(lambda: not stage.runs(self.process.pid), stage.PATIENCE)

    def send(self, *arguments, **more):
        return stage.send(self.port, *arguments, **more)

    def login(self, name, password):
        return self.send("POST", "/api/login", {"username": name, "password": password})

    def protected(self, token):
        return self.send("GET", "/api/protected", token=token)

    def refresh(self, token):
        return self.send("POST", "/api/refresh", token)

    def audit(self):
        done = stage.run("audit", "--json", "--limit", "10000", database=self.place)
        assert done.code == 0, done
        return [json.loads(line) for line in reversed(done.out.splitlines())]

    def users(self):
        """All accounts: name, roles, whether it is active; by id."""
        rows = self.place.rows("SELECT id, name, roles, active FROM users")
        return {
            int(id): (name, set(filter(None, roles.split(","))), active in (1, "t")) for id, name, roles, active in rows
        }


@pytest.fixture(scope="session")
def move(backend, origin, server, tmp_path_factory):
    """The page up to the running server."""
    directory = tmp_path_factory.mktemp("move")
    settings = {"SECRET_KEY": SECRET_KEY, "SQLALCHEMY_DATABASE_URI": origin.flask.uri}
    if backend == "SQLite":
        place = stage.File(directory)
        settings["LICTOR_DATABASE"] = place.path.name
    else:
        # lictor beside the app's table, as the page has it.
        place = stage.Schema(server, origin.name)
    move = Move(directory, place, origin.flask.port, **settings)
    move.checked = move.do("check")
    move.tried = move.do("trial")
    names = "".join(f"{quoted(old)},{quoted(new)}\n" for old, new in NEW_NAMES.items())
    (directory / "names.csv").write_text("old,new\n" + names)
    move.renamed = move.do("trial-renamed")
    move.after_trial = move.place.counts()
    move.imported = move.do("import")
    assert move.imported.code == 0, move.imported
    move.start()
    yield move
    move.stop()


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def test_the_trial_says_who_cannot_come_and_writes_nothing(move):
    assert move.checked.code == 0, move.checked
    tried = move.tried
    assert tried.code == 1, tried
    assert move.after_trial.get("users", 0) == 0, move.after_trial
    assert "200 rows read from postgres" in tried.text and "table users" in tried.text, tried.text
    assert f"{200 - len(NEW_NAMES)} would be imported" in tried.text, tried.text
    assert "--rename" in tried.text and "name-taken" in tried.text, tried.text
    with (move.directory / "trial.csv").open(newline="") as file:
        reported = {row["username"] for row in csv.DictReader(file)}
    assert reported == set(NEW_NAMES), reported
    # Neither a hash nor a password of the URL.
    for text in (tried.text, (move.directory / "trial.csv").read_text()):
        assert "$pbkdf2" not in text and "$2b$" not in text, text
    assert move.renamed.code == 0, move.renamed
    assert "200 would be imported" in move.renamed.text, move.renamed


def test_the_page_looks_at_what_runs(move):
    if not shutil.which("curl", path=os.defpath):
        pytest.skip("curl is not installed")
    # Its health must be known within a second, which a busy machine may miss.
    for _ in range(5):
        seen = move.do("look")
        if seen.code == 0:
            break
    assert seen.code == 0 and "Grace0" in seen.out, seen


def test_all_come_with_their_ids_roles_and_state(move, origin):
    assert "200" in move.imported.text, move.imported
    expected = {origin.ids[p.name]: (p.new_name, p.role_set, bool(p.active)) for p in origin.people}
    assert move.users() == expected
    [entry] = [entry for entry in move.audit() if entry["event"] == "users-imported"]
    assert entry["detail"].startswith("200 from "), entry
    assert "postgres:" not in entry["detail"], entry


def test_fresh_tokens_are_good(move, origin):
    for person, answer in each(lambda p: move.protected(origin.fresh[p.name]), origin.people):
        if person.active:
            assert answer.status == 200, (person, answer)
            assert answer.json["message"] == f"protected endpoint (allowed usr {person.new_name})", person
        else:
            assert answer.error == (403, "InvalidUserError"), (person, answer)
    # Too early, as the app says too.
    some = [p for p in origin.people if p.active][:20]
    assert {answer.status for _, answer in each(lambda p: move.refresh(origin.fresh[p.name]), some)} == {425}


def test_old_tokens_can_be_refreshed(move, origin):
    def use(person):
        expired = move.protected(origin.old[person.name])
        refreshed = move.refresh(origin.old[person.name])
        return expired, refreshed

    for person, (expired, refreshed) in each(use, origin.people):
        if not person.active:
            assert refreshed.error == (403, "InvalidUserError"), (person, refreshed)
            continue
        assert expired.error == (401, "ExpiredAccessError"), (person, expired)
        assert refreshed.status == 200, (person, refreshed)
        made, old = claims(refreshed.token), claims(origin.old[person.name])
        assert made["id"] == origin.ids[person.name] and made["jti"] == old["jti"], person
        assert set(filter(None, made["rls"].split(","))) == person.role_set, person
        assert move.protected(refreshed.token).status == 200, person
        # Once more, with the token that lictor has made.
        assert move.refresh(refreshed.token).status == 425, person


def test_tokens_of_deleted_users_name_nobody(move, origin):
    assert len(origin.gone) > 20
    new = move.send("POST", "/api/registration", {"username": "newcomer", "password": "nine copper kettles"})
    assert new.status == 200, new
    assert claims(new.token)["id"] > max(origin.ids.values()), claims(new.token)
    for name, (old, fresh) in origin.gone.items():
        assert move.protected(fresh).error == (401, "MissingUserError"), name
        assert move.refresh(old).error == (401, "MissingUserError"), name
    assert move.protected(new.token).status == 200


def test_wrong_passwords_do_not_log_in(move, origin, backend):
    refused = list(origin.refused())
    assert len(refused) > 300
    if backend == "PostgreSQL":
        # What a hash says to a password does not depend on where it is.
        refused = refused[::5]
    for (person, wrong), answer in each(lambda pair: move.login(pair[0].new_name, pair[1]), refused):
        assert answer.error == (401, "AuthenticationError"), (person, wrong, answer)


def hashes(move):
    return dict(move.place.rows("SELECT name, password FROM users"))


def test_everybody_logs_in_with_the_old_password(move, origin):
    before = hashes(move)
    logged_in = [p for p in origin.people if p.active]
    for person, answer in each(lambda p: move.login(p.new_name, p.password), origin.people):
        if not person.active:
            assert answer.error == (403, "InvalidUserError"), (person, answer)
            continue
        assert answer.status == 200, (person, answer)
        made = claims(answer.token)
        assert made["id"] == origin.ids[person.name], person
        assert set(filter(None, made["rls"].split(","))) == person.role_set, person
    after = hashes(move)
    replaced = {p.new_name for p in origin.people if after[p.new_name] != before[p.new_name]}
    # A password that lictor cannot prepare keeps its hash.
    assert len(replaced) > len(logged_in) / 2, replaced
    for name in replaced:
        assert after[name].startswith("$argon2id$v=19$m=19456,t=2,p=1$"), name
    said = [entry["name"] for entry in move.audit() if entry["event"] == "hash-replaced"]
    assert sorted(said) == sorted(replaced)

    # And once more, with the new hash; also with the e-mail address.
    for person, answer in each(lambda p: move.login(p.new_name, p.password), logged_in):
        assert answer.status == 200, (person, answer)
    with_mail = [p for p in logged_in if p.email][:20]
    for person, answer in each(lambda p: move.login(p.email, p.password), with_mail):
        assert answer.status == 200, (person, answer)
    assert hashes(move) == after
    # Now the prepared passwords count, so another spelling may be right.
    refused = [(p, w) for p, w in origin.refused() if p.active and prepared(w) != prepared(p.password)][::4]
    for (person, wrong), answer in each(lambda pair: move.login(pair[0].new_name, pair[1]), refused):
        assert answer.error == (401, "AuthenticationError"), (person, wrong, answer)


def test_who_was_renamed_is_told_once(move, origin):
    renamed = [p for p in origin.people if p.name in NEW_NAMES]
    for _ in range(2):
        for person in renamed:
            if person.name.lower() != "ada0":  # is another account's name
                assert move.login(person.name, person.password).error == (401, "AuthenticationError"), person
    expected = {p.email: p.new_name for p in renamed if p.email and p.name.lower() != "ada0"}
    assert expected
    wait_for(lambda: move.mails.exists() and len(list(move.mails.glob("*.eml"))) >= len(expected))
    wait_for(lambda: not move.place.rows("SELECT 1 FROM outbox"))
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in move.mails.glob("*.eml")]
    told = {mail["To"]: mail.get_body(["plain"]).get_content() for mail in mails}
    assert len(mails) == len(expected) and told.keys() == expected.keys(), told
    for email, name in expected.items():
        assert f"Your username is now {name}." in " ".join(told[email].split()), told[email]


def test_importing_again_brings_nothing(move):
    before, counts = hashes(move), move.place.counts()
    again = move.do("import")
    assert again.code == 0, again
    assert "200" in again.text and "already" in again.text, again
    assert hashes(move) == before
    after = move.place.counts()
    assert {**after, "audit": 0} == {**counts, "audit": 0}


def test_the_export_has_all(move, origin, destination):
    exported = move.do("export")
    assert exported.code == 0, exported
    file = move.directory / "users.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    *lines, end = [json.loads(line) for line in text.splitlines()]
    assert end == {"lictor": 1, "end": len(lines)}
    known = move.users()
    assert {
        line["id"]: (line["username"], set(filter(None, line["roles"].split(","))), line["active"]) for line in lines
    } == known
    kept = hashes(move)
    assert all(line["password"] == kept[line["username"]] for line in lines)
    # The new names are kept with the old ones.
    former = {old for line in lines for old in line.get("former_names", [])}
    assert former == set(NEW_NAMES), former
    # What was exported comes back to the same.
    other = destination()
    done = stage.run("import", "-", database=other, stdin=text.encode())
    assert done.code == 0, done
    again = stage.run("export", database=other)
    assert again.out == text


def test_afterwards_adopted_sessions_go_on(move, origin):
    """The page's last start of lictor, without the flag: who has come by then stays logged in."""
    move.stop()
    move.start("serve-later")
    for person, answer in each(lambda p: move.protected(origin.fresh[p.name]), origin.people):
        assert answer.status == (200 if person.active else 403), (person, answer)
    for name, (_, fresh) in origin.gone.items():
        assert move.protected(fresh).status == 401, name


def test_the_way_back(move, origin):
    """Runs last: lictor stops, and the app serves its table again, which is as it was."""
    made = {p.name: move.login(p.new_name, p.password).token for p in origin.people[:12] if p.active}
    move.stop()
    assert origin.checksum() == origin.before
    with origin.flask.running():
        logged_in = [p for p in origin.people if p.active]
        answers = each(lambda p: origin.flask.login(p.name, p.password), logged_in)
        assert {answer.status for _, answer in answers} == {200}
        for tokens in (origin.fresh, made):
            for name, token in list(tokens.items())[:12]:
                answer = origin.flask.send("GET", "/api/protected", token=token)
                assert answer.status == 200 and answer.json["message"].endswith(f"{name})"), (name, answer)
    assert origin.checksum() == origin.before


SHORT = "my secret key"  # the tutorial's


def test_a_short_secret_key(server, new_database, tmp_path):
    """The page's way with the tutorial's own SECRET_KEY: tokens in hand stay good, and lictor signs otherwise."""
    name = new_database()
    place = stage.Schema(server, name)
    uri = server.url(name).replace("postgres://", "postgresql+psycopg2://")
    flask = stage.Flask(tmp_path / "flask", uri, stage.free_port(), SHORT)
    person = {"username": "ada", "password": "ten wooden lanterns"}
    with flask.running(access="1s"):
        flask.send("POST", "/api/registration", person)
        old = flask.login("ada", person["password"]).token
    with flask.running():
        fresh = flask.login("ada", person["password"]).token
    directory = tmp_path / "move"
    directory.mkdir()
    move = Move(directory, place, flask.port, SECRET_KEY=SHORT, SQLALCHEMY_DATABASE_URI=uri)
    (directory / "names.csv").write_text("")
    checked = move.do("check")
    assert checked.code == 2 and "--accept-short-secret" in checked.text, checked
    assert SHORT not in checked.text
    assert move.do("short-secret").code == 0
    assert move.do("check").code == 0
    assert move.do("import").code == 0
    try:
        move.start()
        assert "my secret key" not in move.log()
        assert move.protected(fresh).status == 200
        time.sleep(max(0, claims(old)["exp"] + 1.1 - time.time()))
        new = move.refresh(old).token
        assert move.protected(new).status == 200
        assert move.protected(move.login("ada", person["password"]).token).status == 200
        # Not with the short secret, so nobody who knows it can make such a token, and Flask does not read it.
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(new, SHORT, ["HS256"])
        jwt.decode(fresh, SHORT, ["HS256"])
    finally:
        move.stop()
