"""People who come from Django, Werkzeug, PHP, Laravel, PocketBase and Supabase: hashes that these programs
have made themselves, in tables of their shape."""

import contextlib
import csv
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import werkzeug.security

import stage
from instance import claims

PASSWORDS = [
    "ten wooden lanterns",
    "",
    " a ",
    "a",
    "Ju\u0308rgen's mu\u0308sli, J\u00fcrgen's m\u00fcsli",
    "🦊 пароль 密码",
    "e" * 72,
    "f" * 73,
    "g" * 71 + "\u00e9\u00e9",
    "h" * 1025,
    "100% 'quoted' \"twice\" \\ $ {curly}",
]


class Who:
    def __init__(self, name, password, **more):
        self.name = name
        self.password = password
        self.more = more


@pytest.fixture
def the_hash_alone(backend):
    """Of a test of many hashes, which are the same wherever they are kept."""
    if backend == "PostgreSQL":
        pytest.skip("the hashes are the same")


THE_HASH_ALONE = pytest.mark.usefixtures("the_hash_alone")


@contextlib.contextmanager
def moved(destination, directory, source, *options):
    """Imports the source, and starts a lictor with it."""
    done = stage.run("import", source, *options, database=destination)
    assert done.code == 0, done.text
    lictor = stage.Lictor(directory / "lictor", destination.argument)
    with lictor.running():
        yield lictor, done


def check(lictor, people):
    """Everybody logs in with the right password, twice, and not with another; the first answers by names."""

    def ask(who):
        # bcrypt reads 72 bytes; another test has what follows from that.
        cut = who.more.get("cut") and len(who.password.encode()) >= 72
        near = {"Z" + who.password[1:]} if cut else {who.password + "x", who.password[:-1]} - {who.password}
        wrong = [lictor.login(who.name, text) for text in near]
        return wrong, lictor.login(who.name, who.password), lictor.login(who.name, who.password)

    with ThreadPoolExecutor(4) as pool:
        found = list(zip(people, pool.map(ask, people), strict=True))
    for who, (wrong, *right) in found:
        assert {answer.error for answer in wrong} == {(401, "AuthenticationError")}, (who.name, who.more)
        assert [answer.status for answer in right] == [200, 200], (who.name, who.password, who.more, right)
    return {who.name: first for who, (_, first, _) in found}


DJANGO = {
    "PBKDF2PasswordHasher": [{"iterations": 1000}, {"iterations": 1, "salt": "ü-salt"}, {}],
    "PBKDF2SHA1PasswordHasher": [{"iterations": 1000}],
    "Argon2PasswordHasher": [{"memory_cost": 1024, "time_cost": 1, "parallelism": 1}, {}],
    "BCryptSHA256PasswordHasher": [{"rounds": 4, "salt": None}],
    "BCryptPasswordHasher": [{"rounds": 5, "salt": None}],
    "ScryptPasswordHasher": [{"n": 16, "r": 8, "p": 1}, {"n": 64, "r": 2, "p": 3}, {}],
}


def django_users():
    """Users with each hasher, as the script wants them; Django's defaults are slow, so one has each."""
    for hasher, all_options in DJANGO.items():
        for number, options in enumerate(all_options):
            for place, password in enumerate(PASSWORDS if options else PASSWORDS[:1]):
                # Before 3.2, Django's salts were as long as these.
                options = {"salt": f"Salt{place}abcDEF", **options}
                yield {
                    "username": f"{hasher[:-14]}.{number}.{place}",
                    "password": password,
                    "hasher": hasher,
                    "options": {key: value for key, value in options.items() if value is not None},
                    "email": f"{hasher}{number}{place}@example.org" if place % 2 else "",
                    "is_staff": place in (1, 3),
                    "is_superuser": place in (2, 3),
                }


def make_django(file, users):
    script = stage.HERE / "django_users.py"
    command = [sys.executable, "-B", script, file]
    done = subprocess.run(command, input=json.dumps(users), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@THE_HASH_ALONE
def test_django(destination, tmp_path):
    users = list(django_users())
    more = {"hasher": None, "options": {}, "password": ""}
    inactive = {**users[0], "username": "inactive", "is_active": False, "email": ""}
    make_django(tmp_path / "django.sqlite3", [*users, {"username": "nopassword", **more}, inactive])
    place = destination()
    with moved(place, tmp_path, tmp_path / "django.sqlite3", "--preset", "django") as (lictor, done):
        assert f"{len(users) + 2} rows read" in done.text, done.text
        assert "password" in done.text, done.text
        people = [Who(user["username"], user["password"], hasher=user["hasher"]) for user in users]
        for who in people:
            who.more["cut"] = who.more["hasher"] == "BCryptPasswordHasher"
        found = check(lictor, people)
        for number, user in enumerate(users):
            made = claims(found[user["username"]].token)
            roles = {role for role, column in (("admin", "is_superuser"), ("staff", "is_staff")) if user[column]}
            assert set(filter(None, made["rls"].split(","))) == roles, user
            assert made["id"] == number + 1
        for password in ("", "!", "ten wooden lanterns"):
            assert lictor.login("nopassword", password).error == (401, "AuthenticationError")
        assert lictor.login("inactive", inactive["password"]).error == (403, "InvalidUserError")
        mail = next(user for user in users if user["email"])
        assert lictor.login(mail["email"], mail["password"]).status == 200


def test_an_old_hash_of_django_is_refused(destination, tmp_path):
    [fine, *_] = django_users()
    weak = {**fine, "username": "weak", "hasher": "MD5PasswordHasher", "options": {}, "email": ""}
    make_django(tmp_path / "django.sqlite3", [fine, weak])
    place = destination()
    done = stage.run("import", tmp_path / "django.sqlite3", "--preset", "django", database=place)
    assert done.code == 1, done.text
    assert "row 2" in done.text and "hash-unknown" in done.text and '"weak"' in done.text, done.text
    assert place.counts().get("users", 0) == 0
    done = stage.run("import", tmp_path / "django.sqlite3", "--preset", "django", "--skip-invalid", database=place)
    assert done.code == 0, done.text
    assert place.counts()["users"] == 1


WERKZEUG = ["scrypt:1024:8:1", "scrypt:1024:3:2", "pbkdf2:sha256:1000", "pbkdf2:sha1:1000", "pbkdf2:sha512:1000"]


@THE_HASH_ALONE
def test_werkzeug(destination, tmp_path):
    source = tmp_path / "app.db"
    people = []
    with contextlib.closing(sqlite3.connect(source)) as database:
        database.execute(
            "CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, username VARCHAR(64), email VARCHAR(120), "
            "password_hash VARCHAR(256))"
        )
        methods = [*WERKZEUG, "scrypt", "pbkdf2"]
        for place, password in enumerate(PASSWORDS * len(methods)):
            method = methods[place % len(methods)]
            # The defaults are slow.
            if ":" not in method and place >= 2 * len(methods):
                continue
            length = [16, 1, 8, 64][place % 4]
            hash = werkzeug.security.generate_password_hash(password, method, length)
            who = Who(f"user{place}", password, hash=hash)
            people.append(who)
            row = (who.name, f"{who.name}@example.org" if place % 2 else None, hash)
            database.execute("INSERT INTO user (username, email, password_hash) VALUES (?, ?, ?)", row)
        # The highest id was deleted: nobody may get it.
        database.execute("INSERT INTO user (id, username) VALUES (1000, 'gone')")
        database.execute("DELETE FROM user WHERE id = 1000")
        database.commit()
    place = destination()
    with moved(place, tmp_path, source, "--preset", "werkzeug") as (lictor, _):
        found = check(lictor, people)
        for number, who in enumerate(people):
            assert claims(found[who.name].token)["id"] == number + 1
        assert claims(lictor.register("newcomer").token)["id"] > 1000


def php(*wanted):
    """Hashes that PHP makes."""
    program = shutil.which("php") or pytest.skip("PHP is not installed")
    done = subprocess.run(
        [program, stage.HERE / "hashes.php"], input=json.dumps(wanted), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


KINDS = ["bcrypt", "argon2id", "argon2i", "bcrypt 2a", "sha256 crypt", "sha512 crypt"]


@THE_HASH_ALONE
def test_php_in_a_csv_file(destination, tmp_path):
    wanted = [(kind, password) for kind in KINDS for password in PASSWORDS]
    wanted += [("bcrypt, 12", PASSWORDS[0]), ("argon2id, as it comes", PASSWORDS[0])]
    # This one reads bytes over 127 wrongly; what it read must be read so again.
    wanted += [
        ("bcrypt 2x", password) for password in ("only ASCII", "J\u00fcrgen", "\u00ff\u00a3345 \u00ff\u00ff", "密码")
    ]
    file = tmp_path / "people.csv"
    people = []
    with file.open("w", newline="") as output:
        rows = csv.writer(output)
        rows.writerow(["id", "username", "password", "roles", "is_active", "email"])
        for number, ((kind, password), hash) in enumerate(zip(wanted, php(*wanted), strict=True)):
            people.append(Who(f"user{number}", password, kind=kind, cut="bcrypt" in kind))
            rows.writerow([number * 3 + 1, f"user{number}", hash, "editor,user", "1", ""])
    with moved(destination(), tmp_path, file) as (lictor, _):
        found = check(lictor, people)
        for number, who in enumerate(people):
            made = claims(found[who.name].token)
            assert (made["id"], made["rls"]) == (number * 3 + 1, "editor,user")


def test_laravel(destination, tmp_path):
    kinds = ["bcrypt", "bcrypt", "argon2id"]
    hashes = php(*[(kind, PASSWORDS[0]) for kind in kinds])
    source = tmp_path / "database.sqlite"
    with contextlib.closing(sqlite3.connect(source)) as database:
        database.execute(
            'CREATE TABLE "users" ("id" integer primary key autoincrement not null, "name" varchar not null, '
            '"email" varchar not null, "email_verified_at" datetime, "password" varchar not null, '
            '"remember_token" varchar, "created_at" datetime, "updated_at" datetime, "deleted_at" datetime)'
        )
        for number, hash in enumerate(hashes):
            row = (
                f"A Name {number}",
                f"User{number}@Example.org",
                hash,
                "2024-02-29 12:00:00",
                number == 1 and "2025-01-01 00:00:00" or None,
            )
            database.execute(
                "INSERT INTO users (name, email, password, created_at, deleted_at) VALUES (?, ?, ?, ?, ?)", row
            )
        database.commit()
    place = destination()
    with moved(place, tmp_path, source, "--preset", "laravel") as (lictor, _):
        for number in range(len(kinds)):
            for spelled in (f"User{number}@Example.org", f"user{number}@example.org"):
                answer = lictor.login(spelled, PASSWORDS[0])
                assert answer.status == (403 if number == 1 else 200), (spelled, answer)
            assert lictor.login(f"user{number}@example.org", "ten wooden lantern").status == 401
        [[made]] = place.rows("SELECT created FROM users WHERE id = 1")
        assert int(made) == 1709208000


# The columns that it has by default, as its own migrations make them.
POCKETBASE = {
    "0.22": (
        "CREATE TABLE users (avatar TEXT DEFAULT '' NOT NULL, created TEXT DEFAULT '' NOT NULL, email TEXT DEFAULT '' "
        "NOT NULL, emailVisibility BOOLEAN DEFAULT FALSE NOT NULL, id TEXT PRIMARY KEY DEFAULT "
        "('r'||lower(hex(randomblob(7)))) NOT NULL, lastLoginAlertSentAt TEXT DEFAULT '' NOT NULL, "
        "lastResetSentAt TEXT DEFAULT '' NOT NULL, lastVerificationSentAt TEXT DEFAULT '' NOT NULL, "
        "name TEXT DEFAULT '' NOT NULL, "
        "passwordHash TEXT NOT NULL, tokenKey TEXT NOT NULL, updated TEXT DEFAULT '' NOT NULL, username TEXT NOT NULL, "
        "verified BOOLEAN DEFAULT FALSE NOT NULL)"
    ),
    "0.23": (
        "CREATE TABLE users (avatar TEXT DEFAULT '' NOT NULL, created TEXT DEFAULT '' NOT NULL, email TEXT DEFAULT '' "
        "NOT NULL, emailVisibility BOOLEAN DEFAULT FALSE NOT NULL, id TEXT PRIMARY KEY DEFAULT "
        "('r'||lower(hex(randomblob(7)))) NOT NULL, name TEXT DEFAULT '' NOT NULL, password TEXT DEFAULT '' NOT NULL, "
        "tokenKey TEXT DEFAULT '' NOT NULL, updated TEXT DEFAULT '' NOT NULL, verified BOOLEAN DEFAULT FALSE NOT NULL)"
    ),
}


@pytest.mark.parametrize("version", POCKETBASE)
def test_pocketbase(destination, tmp_path, version):
    source = tmp_path / "data.db"
    column = "passwordHash" if version == "0.22" else "password"
    # Go's bcrypt writes 2a.
    hashes = php(("bcrypt 2a", PASSWORDS[0]), ("bcrypt 2a", PASSWORDS[5]))
    with contextlib.closing(sqlite3.connect(source)) as database:
        database.execute(POCKETBASE[version])
        for number, hash in enumerate(hashes):
            values = {
                column: hash,
                "email": f"user{number}@example.org",
                "created": "2024-02-29 12:00:00.123Z",
                "tokenKey": f"{number}",
                "verified": 1,
            }
            if version == "0.22":
                values["username"] = f"users{number}"
            columns = ", ".join(values)
            database.execute(
                f"INSERT INTO users ({columns}) VALUES ({', '.join('?' * len(values))})", list(values.values())
            )
        database.commit()
    place = destination()
    with moved(place, tmp_path, source, "--preset", "pocketbase") as (lictor, done):
        for number, password in enumerate((PASSWORDS[0], PASSWORDS[5])):
            assert lictor.login(f"user{number}@example.org", password + "x").status == 401
            assert lictor.login(f"user{number}@example.org", password).status == 200
            if version == "0.22":
                assert lictor.login(f"users{number}", password).status == 200
        assert [int(made) for [made] in place.rows("SELECT created FROM users ORDER BY id")] == [1709208000] * 2
        # Ids of its own: an account that comes later gets the next one.
        assert claims(lictor.register("newcomer").token)["id"] == 3


SUPABASE = """
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    instance_id uuid, id uuid NOT NULL PRIMARY KEY, aud varchar(255), role varchar(255), email varchar(255),
    encrypted_password varchar(255), email_confirmed_at timestamptz, invited_at timestamptz,
    confirmation_token varchar(255), confirmation_sent_at timestamptz, recovery_token varchar(255),
    recovery_sent_at timestamptz, email_change_token_new varchar(255), email_change varchar(255),
    email_change_sent_at timestamptz, last_sign_in_at timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb,
    is_super_admin boolean, created_at timestamptz, updated_at timestamptz, phone text UNIQUE,
    phone_confirmed_at timestamptz, phone_change text, phone_change_token varchar(255),
    phone_change_sent_at timestamptz, confirmed_at timestamptz GENERATED ALWAYS AS
    (LEAST(email_confirmed_at, phone_confirmed_at)) STORED, email_change_token_current varchar(255),
    email_change_confirm_status smallint, banned_until timestamptz, reauthentication_token varchar(255),
    reauthentication_sent_at timestamptz, is_sso_user boolean NOT NULL DEFAULT false, deleted_at timestamptz,
    is_anonymous boolean NOT NULL DEFAULT false);
"""


def test_supabase(destination, tmp_path, server, new_database):
    name = new_database()
    hashes = php(*[("bcrypt 2a", PASSWORDS[0])] * 5)
    states = [
        "NULL, NULL",
        "NULL, now()",
        "now() + interval '1 year', NULL",
        "now() - interval '1 day', NULL",
        "NULL, NULL",
    ]
    rows = [
        f"(gen_random_uuid(), 'user{n}@example.org', '{hash}', '2024-02-29 14:00:00+02', 'authenticated', {state})"
        for n, (hash, state) in enumerate(zip(hashes, states, strict=True))
    ]
    insert = (
        "INSERT INTO auth.users (id, email, encrypted_password, created_at, role, banned_until, deleted_at) VALUES "
    )
    other = "; CREATE TABLE public.users (id int, username text, password text);"
    server.sql(SUPABASE + insert + ", ".join(rows) + other, name)
    place = destination()
    with moved(place, tmp_path, server.url(name), "--preset", "supabase") as (lictor, done):
        assert "table auth.users" in done.text, done.text
        statuses = [lictor.login(f"user{n}@example.org", PASSWORDS[0]).status for n in range(5)]
        assert statuses == [200, 403, 403, 200, 200]
        assert lictor.login("user0@example.org", "ten wooden lantern").status == 401
        assert {int(made) for [made] in place.rows("SELECT created FROM users")} == {1709208000}


def test_odd_rules_of_an_old_hash_do_not_take_the_password_from_its_owner(destination, tmp_path):
    """A login that only the old hash lets in (a NUL more, a typo after 72 bytes) leaves the right password right."""
    from passlib import hash as passlib

    long = "e" * 75
    people = [
        ("nul", "ten wooden lanterns", "ten wooden lanterns\0", passlib.pbkdf2_sha256.using(rounds=1000)),
        ("typo", long, long + "x", passlib.bcrypt.using(rounds=4)),
        ("cut", long, long[:72], passlib.bcrypt.using(rounds=4)),
    ]
    file = tmp_path / "people.csv"
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["id", "username", "password"])
    for number, (name, right, odd, scheme) in enumerate(people):
        hash = scheme.hash(right)
        assert scheme.verify(odd, hash), name
        rows.writerow([number + 1, name, hash])
    file.write_text(text.getvalue())
    with moved(destination(), tmp_path, file) as (lictor, _):
        for name, right, odd, _ in people:
            assert lictor.login(name, odd).status == 200, name
            assert lictor.login(name, right).status == 200, name
            assert lictor.login(name, right).status == 200, name


def test_a_hashed_password_column_can_be_named(destination, tmp_path):
    """As flask-praetorian's own mixin calls it."""
    from passlib import hash as passlib

    source = tmp_path / "app.db"
    hash = passlib.pbkdf2_sha512.using(rounds=1000).hash(PASSWORDS[0])
    with contextlib.closing(sqlite3.connect(source)) as database:
        database.execute("CREATE TABLE members (id INTEGER PRIMARY KEY, login TEXT, hashed_password TEXT, groups TEXT)")
        database.execute("INSERT INTO members VALUES (7, 'ada', ?, '[\"user\", \"editor\"]')", [hash])
        database.commit()
    place = destination()
    done = stage.run("import", source, database=place)
    assert done.code in (1, 2) and "members" in done.text, done.text
    done = stage.run("import", source, "--table", "members", database=place)
    assert done.code in (1, 2) and "--map" in done.text and "login" in done.text, done.text
    maps = ["--map", "username=login", "--map", "password=hashed_password", "--map", "roles=groups"]
    with moved(place, tmp_path, source, "--table", "members", *maps) as (lictor, _):
        made = claims(lictor.login("ada", PASSWORDS[0]).token)
        assert (made["id"], made["rls"]) == (7, "user,editor")
