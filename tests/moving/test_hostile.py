"""Sources that are broken, huge, or made to harm: a clear refusal that names the row, and nothing is written."""

import contextlib
import csv
import io
import json
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import hostile
import stage

HASH = "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"  # nobody needs to know of what
HEADER = b"id,username,password\n"
GIGABYTE = 1 << 30
MEGABYTE = 1 << 20
PEAK = 64 * MEGABYTE  # of the memory of an import, however large its source is


@pytest.fixture(scope="session")
def settled(destination):
    """A place with two accounts, which no test here may change."""
    place = destination()
    for name in ("settler", "neighbour"):
        done = stage.run("user", "add", name, database=place, stdin=b"ten wooden lanterns")
        assert done.code == 0, done.text
    return place


@pytest.fixture
def the_source_alone(backend):
    """Of a test in which only the source counts: a place of one kind is enough. That nothing is written to one of
    another kind is seen in the tests about accounts and about connections."""
    if backend == "PostgreSQL":
        pytest.skip("the source is the same")


THE_SOURCE_ALONE = pytest.mark.usefixtures("the_source_alone")


def refused(place, source, *options, says=(), stdin=b"", codes=(1, 2), report=None, patience=stage.PATIENCE):
    """Imports the source, which must be refused with words like these; returns all that was said."""
    before = place.counts()
    options = [*options, *(["--report", report] if report else [])]
    for more in (["--dry-run"], []):
        if report:
            report.unlink(missing_ok=True)
        done = stage.run("import", source, *options, *more, database=place, stdin=stdin, patience=patience)
        assert done.code in codes, done
        assert place.counts() == before
        assert "panicked" not in done.text and HASH not in done.text, done.text
        # Whatever the source holds, the message stays readable.
        assert len(done.text) < 20_000 and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.text), done.text[:2000]
        assert done.peak < PEAK, done.peak
        for words in [says] if isinstance(says, str) else says:
            assert re.search(words, done.text), (words, done.text)
    return done.text


def refused_row(place, source, number, *options, says=(), **more):
    """A refusal that names the row; and with --skip-invalid, only the other rows would come."""
    words = [says] if isinstance(says, str) else list(says)
    return refused(place, source, *options, says=[rf"row {number}\b", *words], **more)


def table(*rows, columns=("id", "username", "password")):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue().encode()


def fine(count, first=1):
    """Rows of which nothing is wrong."""
    return [(first + n, f"user{first + n}", HASH) for n in range(count)]


def written(directory, content, name="people.csv"):
    file = directory / name
    file.write_bytes(content)
    return file


# --- large sources

CSV = ["--format", "csv"]
JSON_LINES = ["--format", "json-lines"]
EXPORTED = {"lictor": 1, "id": 1, "username": "ada", "email": None, "password": HASH, "roles": "user", "active": True}


def million_columns(out):
    out.write(b"id,username,password")
    for _ in range(1000):
        out.write(b"".join(b",column%d" % n for n in range(1000)))
    out.write(b"\n" + b"1,ada,x" + b"," * 1_000_000 + b"\n")


def repeated(begin, block, size):
    def write(out):
        out.write(begin)
        for _ in range(size // len(block)):
            out.write(block)

    return write


LETTERS = b"x" * MEGABYTE
HUGE = {
    "a million columns": (CSV, million_columns, "line|column"),
    "a header of 1 GB": (CSV, repeated(b"", LETTERS, GIGABYTE), "line|column"),
    "a row of 1 GB": (CSV, repeated(HEADER + b"1,ada,x\n2,", LETTERS, GIGABYTE), r"row 2|line 3"),
    "a quoted field of 1 GB": (CSV, repeated(HEADER + b'1,"', b"line\n" * 200_000, GIGABYTE), r"row 1|line 2"),
    "1 GB of quotes": (CSV, repeated(HEADER + b'1,"', b'""' * (MEGABYTE // 2), GIGABYTE), r"row 1|line 2"),
    "a row of 1 GB of commas": (CSV, repeated(HEADER, b"," * MEGABYTE, GIGABYTE), r"row 1|line 2"),
    "1 GB of JSON in a line": (JSON_LINES, repeated(b'{"lictor":1,"username":"', LETTERS, GIGABYTE), r"row 1|line 1"),
    "1 GB of brackets": (JSON_LINES, repeated(b"[", b"[" * MEGABYTE, GIGABYTE), r"array"),
    "1 GB of braces": (JSON_LINES, repeated(b"{", b"{" * MEGABYTE, GIGABYTE), r"row 1|line 1"),
    "1 GB of NUL": (CSV, repeated(HEADER, bytes(MEGABYTE), GIGABYTE), r"row 1|line 2|binary"),
    "1 GB of NUL later": (
        CSV,
        repeated(table(*fine(5000, 1000)), bytes(MEGABYTE), GIGABYTE),
        r"row 5,?001|line 5,?002",
    ),
    "1 GB of spaces": ([], repeated(b"", b" " * MEGABYTE, GIGABYTE), ""),
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_lines(settled, backend, name):
    options, write, says = HUGE[name]
    if backend == "PostgreSQL" and name != "a row of 1 GB":
        pytest.skip("the source is the same")
    refused(settled, "-", *options, says=says, stdin=write)


@THE_SOURCE_ALONE
def test_a_huge_line_in_a_file(settled, tmp_path):
    file = tmp_path / "people.csv"
    with file.open("wb") as out:
        out.write(HEADER + b"1,ada," + HASH.encode() + b"\n2,bob,")
        # A hole in the file, which takes no place on the disk: 1 GB of NUL.
        out.truncate(GIGABYTE)
    refused(settled, file, says=r"row 2|line 3|binary")
    refused(settled, "/dev/zero", *CSV)


@THE_SOURCE_ALONE
def test_a_huge_field_in_sqlite(settled, tmp_path):
    source = tmp_path / "app.db"
    with contextlib.closing(sqlite3.connect(source)) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password TEXT, picture BLOB)")
        database.execute("INSERT INTO users VALUES (1, 'ada', ?, zeroblob(300000000))", [HASH])
        database.execute("INSERT INTO users VALUES (2, 'bob', CAST(zeroblob(300000000) AS TEXT), NULL)")
        database.commit()
    refused_row(settled, source, 2, says="unreadable")


@THE_SOURCE_ALONE
def test_a_source_that_goes_on_for_ever_with_wrong_rows(settled, tmp_path):
    """What is said does not grow with the source."""
    rows = b"".join(b"%d,no name %d,x\n" % (n, n) for n in range(1, 50_001))
    report = tmp_path / "report.csv"
    said = refused(settled, "-", *CSV, report=report, says=r"50[,. ]?000", stdin=HEADER + rows)
    assert said.count("no name") <= 10, said
    with report.open(newline="") as file:
        reported = list(csv.DictReader(file))
    assert len(reported) == 50_000 and reported[-1]["row"] == "50000"
    assert report.stat().st_mode & 0o777 == 0o600


# --- hashes that cost too much

ROUNDS = 2**31
S, T = "c2FsdHNhbHRzYWx0", "A" * 43
COSTLY = {
    "pbkdf2_sha512": f"$pbkdf2-sha512${ROUNDS}${S}${'A' * 86}",
    "pbkdf2_sha256": f"$pbkdf2-sha256${ROUNDS}${S}${T}",
    "pbkdf2_sha1": f"$pbkdf2${ROUNDS}${S}${'A' * 27}",
    "rounds beyond 64 bits": f"$pbkdf2-sha256${2**64 + 1000}${S}${T}",
    "sha256_crypt": f"$5$rounds={ROUNDS}$saltsalt${'.' * 43}",
    "sha512_crypt": f"$6$rounds=999999999$saltsalt${'.' * 86}",
    "bcrypt": "$2b$31$" + "a" * 21 + "e" + "." * 31,
    "bcrypt_sha256": f"$bcrypt-sha256$v=2,t=2b,r=31${'a' * 21}e${'.' * 31}",
    "argon2, memory": f"$argon2id$v=19$m=4294967295,t=1,p=1${S}${T}",
    "argon2, passes": f"$argon2id$v=19$m=1024,t={ROUNDS},p=1${S}${T}",
    "argon2, lanes": f"$argon2i$v=19$m=134217728,t=1,p=16777215${S}${T}",
    "scrypt": f"$scrypt$ln=31,r=8,p=1${S}${T}",
    "scrypt, block": f"$scrypt$ln=10,r={ROUNDS},p=1${S}${T}",
    "Django's PBKDF2": f"pbkdf2_sha256${ROUNDS}$salt${T}=",
    "Django's scrypt": f"scrypt${ROUNDS}$salt$8$1${'A' * 86}==",
    "Django's Argon2": f"argon2$argon2id$v=19$m=1024,t={ROUNDS},p=1${S}${T}",
    "Werkzeug's PBKDF2": f"pbkdf2:sha256:{ROUNDS}$salt${'ab' * 32}",
    "Werkzeug's scrypt": f"scrypt:{ROUNDS}:8:1$salt${'ab' * 64}",
    "Werkzeug's scrypt, lanes": f"scrypt:32768:8:{ROUNDS}$salt${'ab' * 64}",
}


@THE_SOURCE_ALONE
def test_hashes_that_cost_too_much(settled, tmp_path):
    rows = [*fine(1, 1000), *((n + 2000, f"user{n + 2000}", hash) for n, hash in enumerate(COSTLY.values()))]
    report = tmp_path / "report.csv"
    said = refused(settled, "-", *CSV, report=report, stdin=table(*rows), says=["hash-costly", r"row 2\b"])
    assert "rounds=" not in said and T not in said, said
    with report.open(newline="") as file:
        found = {int(row["row"]): row["kind"] for row in csv.DictReader(file)}
    names = dict(enumerate(COSTLY, 2))
    assert {names[row]: kind for row, kind in found.items()} == dict.fromkeys(COSTLY, "hash-costly")
    assert T not in report.read_text()


def test_a_login_refuses_what_costs_too_much(destination, backend, tmp_path):
    """Also when such a hash has come into the database otherwise."""
    if backend == "PostgreSQL":
        pytest.skip("the hash is the same")
    place = destination()
    done = stage.run("import", "-", *CSV, database=place, stdin=table(*fine(len(COSTLY) + 1)))
    assert done.code == 0, done.text
    with contextlib.closing(sqlite3.connect(place.path)) as database:
        for number, hash in enumerate(COSTLY.values(), 1):
            database.execute("UPDATE users SET password = ? WHERE id = ?", (hash, number))
        database.commit()
    lictor = stage.Lictor(tmp_path / "lictor", place.argument)
    with lictor.running():
        for number in range(1, len(COSTLY) + 2):
            assert lictor.login(f"user{number}", "anything").status in (401, 500), number
        assert lictor.register("newcomer").status == 200
        assert "panicked" not in lictor.log(), lictor.log()


# --- rows that cannot be read, or are wrong

ROWS = {
    "a NUL in a name": (b"2,a\0da,x\n", "unreadable|name"),
    "bytes that are no UTF-8": (b"2,a\xffda,x\n", "unreadable"),
    "Latin-1": (b"2,J\xfcrgen,x\n", "unreadable"),
    "a half of a surrogate": (b"2,a\xed\xa0\x80,x\n", "unreadable"),
    "a field too many": (b"2,ada,x,more\n", "unreadable"),
    "a field too few": (b"2,ada\n", "unreadable"),
    "a quote in the middle": (b'2,ada"x,y\n', ""),
    "text after a quote": (b'2,"ada"x,y\n', "unreadable|quote"),
    "a field of 100 kB": (b"2,ada," + b"x" * 100_000 + b"\n", "unreadable|long"),
    "an escape sequence in a name": (b"2,a\x1b[31mda,x\n", "name"),
    "a forged line": (b'2,"ada\nrow 7: fine",x\n', "name"),
    "letters from right to left": ("2,a\u202eda,x\n".encode(), "name"),
    "a name with a space": (b"2,ada lovelace,x\n", r"name[\s\S]*--rename"),
    "an empty name": (b"2,,x\n", "name"),
    "a name of 65 characters": (b"2," + b"x" * 65 + b",x\n", "name"),
    "an unknown hash": (b"2,ada,5f4dcc3b5aa765d61d8327deb882cf99\n", "hash-unknown"),
    "a password": (b"2,ada,the password itself\n", "hash-unknown"),
    "a hash cut short": (b"2,ada,$2b$04$cVWp4XaNU8a4v1uMRum2SO\n", "hash-unknown"),
    "id 0": (b"0,ada,HASH\n", r"\bid\b"),
    "a negative id": (b"-7,ada,HASH\n", r"\bid\b"),
    "an id of 2^53": (b"9007199254740992,ada,HASH\n", r"\bid\b"),
    "an id of 2^63": (b"9223372036854775808,ada,HASH\n", r"\bid\b"),
    "an id of many digits": (b"1" + b"0" * 400 + b",ada,HASH\n", r"\bid\b"),
    "a fraction": (b"1.5,ada,HASH\n", r"\bid\b"),
    "an id in hexadecimal": (b"0x10,ada,HASH\n", r"\bid\b"),
    "digits of another script": ("٧,ada,HASH\n".encode(), r"\bid\b"),
    "no id": (b",ada,HASH\n", r"\bid\b"),
    "the id of the row before": (b"1000,ada,HASH\n", "id-in-use"),
    "the id of an account here": (b"1,ada,HASH\n", "id-in-use"),
    "the name of the row before, in other case": (b"99,USER1000,HASH\n", "name-taken"),
    "the name of an account here": (b"99,SETTLER,HASH\n", "name-taken"),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_cannot_come(settled, backend, name):
    row, says = ROWS[name]
    if backend == "PostgreSQL" and says not in ("id-in-use", "name-taken", "hash-unknown"):
        pytest.skip("the source is the same")
    row = row.replace(b"HASH", HASH.encode()).replace(b",x\n", b"," + HASH.encode() + b"\n")
    content = table(*fine(1, 1000)) + row
    refused_row(settled, "-", 2, *CSV, says=says, stdin=content)


COLUMNS = {
    "roles with a space": ("roles", "user,team a", "roles"),
    "seventeen roles": ("roles", ",".join(f"role{n}" for n in range(17)), "roles"),
    "roles as broken JSON": ("roles", '["user"', "roles"),
    "roles in roles": ("roles", '[["user"]]', "roles"),
    "an e-mail address that is none": ("email", "ada at example.org", "email"),
    "an e-mail address with a line end": ("email", "ada@example.org\r\nBcc: eve@example.org", "email"),
    "neither true nor false": ("is_active", "perhaps", ""),
}


@pytest.mark.parametrize("name", COLUMNS)
@THE_SOURCE_ALONE
def test_other_columns(settled, name):
    column, value, says = COLUMNS[name]
    content = table((1000, "ada", HASH, ""), (1001, "bob", HASH, value), columns=("id", "username", "password", column))
    if column == "is_active":
        content = content.replace(b"1000,ada," + HASH.encode() + b",", b"1000,ada," + HASH.encode() + b",t")
    refused_row(settled, "-", 2, *CSV, says=says, stdin=content)


def test_two_rows_with_one_email_address(settled):
    rows = [
        (1000, "ada", HASH, "a@example.org"),
        (1001, "bob", HASH, "A@EXAMPLE.org"),
        (1002, "eve", HASH, "eve@example.org"),
    ]
    content = table(*rows, columns=("id", "username", "password", "email"))
    refused_row(settled, "-", 2, *CSV, says="email-taken", stdin=content)
    # Or a name that is another's e-mail address.
    rows[1] = (1001, "a@example.org", HASH, "")
    content = table(*rows, columns=("id", "username", "password", "email"))
    refused_row(settled, "-", 2, *CSV, says="name-taken|email-taken", stdin=content)


JSON_ROWS = {
    "no JSON": b"{username: ada}",
    "cut off": b'{"id": 2, "username": "ada", "pass',
    "a list": b'[2, "ada"]',
    "a text": b'"ada"',
    "two objects": b'{"id": 2} {"id": 3}',
    "a NUL": b'{"id": 2, "username": "a\\u0000da", "password": null}',
    "half a surrogate": b'{"id": 2, "username": "\\ud800", "password": null}',
    "bytes that are no UTF-8": b'{"id": 2, "username": "a\xff", "password": null}',
    "deep": b'{"id": 2, "username": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a key twice": b'{"id": 2, "username": "ada", "username": "bob", "password": null, "id": 3}',
    "a huge number": b'{"id": 1e400, "username": "ada", "password": null}',
}


@pytest.mark.parametrize("name", JSON_ROWS)
@THE_SOURCE_ALONE
def test_lines_of_json(settled, name):
    content = json.dumps({"id": 1000, "username": "first", "password": HASH}).encode() + b"\n" + JSON_ROWS[name]
    if name == "a key twice":
        done = stage.run(
            "import", "-", *JSON_LINES, "--preset", "flask-praetorian", "--dry-run", database=settled, stdin=content
        )
        assert done.code in (0, 1) and "panicked" not in done.text, done
        return
    refused(settled, "-", *JSON_LINES, "--preset", "flask-praetorian", says=r"row 2\b|line 2\b", stdin=content + b"\n")


def in_sqlite(file, *rows, columns="id, username, password"):
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute(f"CREATE TABLE users ({columns})")
        for row in rows:
            database.execute(f"INSERT INTO users VALUES ({row})")
        database.commit()
    return file


VALUES = {
    "a NUL": ("2000, 'a' || char(0) || 'da', '!'", "unreadable|name"),
    "bytes that are no UTF-8": ("2000, CAST(x'61ff' AS TEXT), '!'", "unreadable"),
    "a blob as the password": ("2000, 'ada', x'ff00'", "unreadable|hash-unknown"),
    "a text as the id": ("'two', 'ada', '!'", r"\bid\b"),
    "a fraction as the id": ("2000.5, 'ada', '!'", r"\bid\b"),
    "a name that is NULL": ("2000, NULL, '!'", "name"),
}


@pytest.mark.parametrize("name", VALUES)
@THE_SOURCE_ALONE
def test_values_of_sqlite(settled, tmp_path, name):
    row, says = VALUES[name]
    source = in_sqlite(tmp_path / "app.db", f"1000, 'first', '{HASH}'", row)
    refused_row(settled, source, 2, says=says)


def test_bytes_that_are_no_utf8_in_postgresql(settled, server, new_database):
    name = new_database() + "_ascii"
    server.sql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        server.sql(
            "CREATE TABLE users (id int, username text, password text); "
            f"INSERT INTO users VALUES (1000, 'first', '{HASH}'), (1001, E'a\\xff', '{HASH}')",
            name,
        )
        refused_row(settled, server.url(name), 2, says="unreadable")
    finally:
        server.drop(name)


# --- SQL in names

EVIL = [
    'users"; DROP TABLE "users"; --',
    "users'; DROP TABLE users; --",
    "users; DELETE FROM users",
    'public"."users',
    "(SELECT 1)",
    "users\\",
    "`users`",
    "[users]",
    "$$users$$",
    "%s?1:a",
    "пользователи 🦊",
]


@pytest.fixture(scope="session")
def both(server, new_database, tmp_path_factory):
    """Databases of an app with a harmless table `users`: of SQLite and of PostgreSQL, each with a function that
    runs SQL there, and returns rows."""
    file = tmp_path_factory.mktemp("evil") / "app.db"
    name = new_database()

    def on_sqlite(statements):
        with contextlib.closing(sqlite3.connect(file)) as database:
            if statements.startswith("SELECT"):
                return database.execute(statements).fetchall()
            database.executescript(statements)

    make = (
        f"CREATE TABLE users (id int, username text, password text); INSERT INTO users VALUES (1000, 'ada', '{HASH}');"
    )
    on_sqlite(make)
    server.sql(make, name)
    return [(file, on_sqlite), (server.url(name), lambda statements: server.sql(statements, name))]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def changed(run, change, back):
    run(change)
    try:
        yield
    finally:
        run(back)


@pytest.mark.parametrize("name", EVIL)
@THE_SOURCE_ALONE
def test_sql_in_the_name_of_a_table(settled, both, name):
    for source, run in both:
        refused(settled, source, "--table", name)
        # A table may really have such a name.
        make = f"CREATE TABLE {quoted(name)} (id int, username text, password text)"
        with changed(run, make, f"DROP TABLE {quoted(name)}"):
            run(f"INSERT INTO {quoted(name)} VALUES (1000, 'ada', '{HASH}')")
            done = stage.run("import", source, "--table", name, "--dry-run", database=settled)
            # A dot parts the schema from the table, so such a table of another schema may not be found.
            assert done.code == 0 or "." in name, done
        assert len(run("SELECT * FROM users")) == 1


@pytest.mark.parametrize("name", EVIL)
@THE_SOURCE_ALONE
def test_sql_in_the_name_of_a_column(settled, both, name):
    for source, run in both:
        refused(settled, source, "--map", f"username={name}")
        make = f"ALTER TABLE users ADD COLUMN {quoted(name)} text"
        with changed(run, make, f"ALTER TABLE users DROP COLUMN {quoted(name)}"):
            run(f"UPDATE users SET {quoted(name)} = 'someone'")
            done = stage.run("import", source, "--map", f"username={name}", "--dry-run", database=settled)
            assert done.code == 0, done
            assert len(run("SELECT * FROM users")) == 1


@pytest.mark.parametrize("name", ["", "a" * 257, "a" * 100_000, "users\n"])
@THE_SOURCE_ALONE
def test_names_that_no_table_has(settled, both, name):
    for source, _ in both:
        refused(settled, source, "--table", name)
        refused(settled, source, "--map", f"password={name or ' '}")
    refused(settled, both[0][0], "--map", f"{name[:1000] or 'x'}=username", codes=(2,))


def test_a_row_that_reads_like_sql(destination):
    """The values are values."""
    place = destination()
    rows = [(n, text, HASH) for n, text in enumerate(["o'neill", "x';DROP/**/TABLE/**/users;--", '"]{}$$'], 1)]
    done = stage.run("import", "-", *CSV, database=place, stdin=table(*rows))
    assert done.code == 0, done
    assert [name for [name] in place.rows("SELECT name FROM users ORDER BY id")] == [row[1] for row in rows]


# --- sources that end in the middle

ENDS = [
    "the connection ends",
    "a huge length",
    "length 0",
    "other kinds",
    "rows are cut",
    "rows are empty",
    "noise",
    "an error with line ends",
]


@pytest.fixture(scope="session")
def many(server, new_database):
    """A database of an app with 3,000 users."""
    name = new_database()
    server.sql(
        "CREATE TABLE users (id int, username text, password text); INSERT INTO users SELECT n, 'user' || n, "
        f"'{HASH}' FROM generate_series(10001, 13000) n",
        name,
    )
    return name


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("options", [[], ["--skip-invalid"]], ids=["", "--skip-invalid"])
def test_a_server_that_breaks_off(settled, server, many, how, options):
    with hostile.Proxy(server) as proxy:
        rows = 0

        def change(kind, content):
            nonlocal rows
            rows += kind == b"D"
            return hostile.message(kind, content) if rows < 1700 else hostile.CHANGES[how](kind, content)

        def url():
            nonlocal rows
            rows = 0
            proxy.change = change
            return proxy.url(many)

        before = settled.counts()
        for more in (options, [*options, "--dry-run"]):
            done = stage.run("import", url(), *more, database=settled)
            assert rows >= 1700, "the source has not been read"
            assert done.code == 1 and "panicked" not in done.text, done
            assert settled.counts() == before, done
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.text) and "\n2026-01-01" not in done.text, done.text


def test_a_server_that_is_not_there(settled, server):
    refused(settled, f"postgres://somebody:a-secret@127.0.0.1:{stage.free_port()}/app", codes=(1,))
    said = refused(settled, server.url("there_is_no_such_database"), codes=(1,), says="there_is_no_such_database")
    assert "a-secret" not in said


CUT = [["--skip-invalid"], []]


@pytest.mark.parametrize("options", CUT, ids=["--skip-invalid", ""])
@THE_SOURCE_ALONE
def test_files_that_end_in_the_middle(settled, tmp_path, options):
    whole = table(*fine(50, 1000))
    refused(settled, written(tmp_path, whole + b'2000,"ada'), *options, says=r"row 51\b|line 52\b")
    line = json.dumps({**EXPORTED, "id": 1000, "username": "first"}).encode() + b"\n"
    cut = written(tmp_path, line * 1 + line.replace(b"1000", b"1001")[:60], "people.jsonl")
    refused(settled, cut, *options, says=r"row 2\b|line 2\b")


@THE_SOURCE_ALONE
def test_a_file_cut_in_a_row(settled, tmp_path):
    whole = table(*fine(50, 1000))
    for cut in (b"2000", b"2000,", b"2000,ada", b"2000,ada,", b"2000,ada,$2b$04$cVWp4XaNU8a4v1uMRu"):
        # NULL and the empty text are no password, so a row that ends before it may come.
        if cut != b"2000,ada,":
            refused_row(settled, written(tmp_path, whole + cut), 51)


def make_large(file):
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password TEXT)")
        database.executemany("INSERT INTO users VALUES (?, ?, ?)", fine(3000, 10_000))
        database.commit()
    return file.read_bytes()


@THE_SOURCE_ALONE
def test_a_damaged_sqlite_file(settled, tmp_path):
    content = make_large(tmp_path / "whole.db")
    for size in (16, 100, 4096, len(content) // 2, len(content) - 4096, len(content) - 1):
        source = written(tmp_path, content[:size], "cut.db")
        for options in CUT:
            refused(settled, source, *options, codes=(1,))
    for at in (4096 + 8, len(content) // 2):
        source = written(tmp_path, content[:at] + b"\xff" * 4096 + content[at + 4096 :], "noise.db")
        for options in CUT:
            refused(settled, source, *options, codes=(1,))


def test_a_sqlite_file_that_is_being_written(destination, tmp_path):
    """By its app, which is not done: what it has committed comes."""
    file = tmp_path / "app.db"
    with contextlib.closing(sqlite3.connect(file)) as app:
        app.execute("PRAGMA journal_mode = WAL")
        app.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, password TEXT)")
        app.executemany("INSERT INTO users VALUES (?, ?, ?)", fine(3))
        app.commit()
        app.executemany("INSERT INTO users VALUES (?, ?, ?)", fine(3, 10))
        before = file.read_bytes()
        place = destination()
        done = stage.run("import", file, database=place)
        assert done.code == 0, done
        assert place.counts()["users"] == 3
        assert file.read_bytes() == before
        app.commit()


SOURCES = {
    "nothing there": lambda d: d / "absent.csv",
    "a folder": lambda d: d,
    "an empty file": lambda d: written(d, b""),
    "UTF-16": lambda d: written(d, table(*fine(1, 1000)).decode().encode("utf-16")),
    "no column username": lambda d: written(d, b"a;b;c\n1;2;3\n"),
    "a column twice": lambda d: written(d, b"id,username,username,password\n1,a,b,\n"),
    "an image": lambda d: written(d, b"\x89PNG\r\n\x1a\n" + bytes(100), "people.png"),
    "another URL": lambda d: "mysql://root:a-secret@127.0.0.1/app",
    "another URL of the web": lambda d: "https://user:a-secret@127.0.0.1/people.csv",
}


@pytest.mark.parametrize("name", SOURCES)
@THE_SOURCE_ALONE
def test_sources_that_are_none(settled, tmp_path, name):
    said = refused(settled, SOURCES[name](tmp_path))
    assert "a-secret" not in said, said


def test_a_database_of_lictor_is_no_source(settled, destination):
    refused(settled, settled.argument, says="database copy")
    other = destination()
    assert stage.run("user", "add", "ada", database=other, stdin=b"ten wooden lanterns").code == 0
    refused(settled, other.argument, says="database copy")


def test_what_excel_writes(destination):
    """A mark at the beginning, CRLF, quotes, no last line end."""
    place = destination()
    content = (
        b"\xef\xbb\xbf"
        + b"id,username,password,email\r\n"
        + f'1,"ada","{HASH}",\r\n"2",bob,{HASH},b@example.org'.encode()
    )
    done = stage.run("import", "-", *CSV, database=place, stdin=content)
    assert done.code == 0, done
    assert place.counts()["users"] == 2


# --- an export that was edited

EDITS = {
    "another version": {"lictor": 2},
    "a version as text": {"lictor": "1"},
    "an id as text": {"id": "1"},
    "no id": {"id": None},
    "id 0": {"id": 0},
    "an id of 2^53": {"id": 2**53},
    "a fraction": {"id": 1.5},
    "a number as the name": {"username": 7},
    "a name with a space": {"username": "ada lovelace"},
    "a name of an account here": {"id": 77, "username": "SETTLER"},
    "a list of roles": {"roles": ["user"]},
    "a wrong role": {"roles": "us er"},
    "active as text": {"active": "yes"},
    "an e-mail address that is none": {"email": "nobody"},
    "a number as the e-mail address": {"email": 7},
    "a number as the password": {"password": 7},
    "an unknown hash": {"password": "hello"},
    "a costly hash": {"password": "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$" + "x" * 43},
    "a time that is none": {"created": "yesterday"},
    "a language that is none": {"language": "Klingon"},
    "a number as the language": {"language": 7},
    "a factor that is none": {"second_factor": "yes"},
    "a factor without a secret": {"second_factor": {"created": "2026-11-29T12:00:00Z", "last_step": 0}},
    "a secret that is no base32": {
        "second_factor": {"secret": "01890189", "created": 0, "confirmed": 0, "last_step": 0}
    },
    "a short secret": {"second_factor": {"secret": "AA", "created": 0, "confirmed": 0, "last_step": 0}},
    "an empty secret": {"second_factor": {"secret": "", "created": 0, "confirmed": 0, "last_step": 0}},
    "a negative step": {"second_factor": {"secret": "A" * 32, "created": 0, "confirmed": 0, "last_step": -1}},
    "recovery codes that are no hex": {"recovery_codes": ["xy" * 32]},
    "short recovery codes": {"recovery_codes": ["abcd"]},
    "a number as a recovery code": {"recovery_codes": [7]},
    "former names that are no list": {"former_names": "ada"},
    "a number as a former name": {"former_names": [7]},
    "an unknown field": {"admin": True},
}


@pytest.fixture(scope="session")
def exported(destination):
    place = destination()
    for name in ("ada", "bob"):
        assert stage.run("user", "add", name, database=place, stdin=b"ten wooden lanterns").code == 0
    done = stage.run("export", database=place)
    assert done.code == 0, done
    *lines, end = [json.loads(line) for line in done.out.splitlines()]
    assert end == {"lictor": 1, "end": 2}
    for number, line in enumerate(lines):
        line["id"] += 1000 + number
    return lines


def ended(lines):
    """The text of an export with these lines."""
    return "".join(json.dumps(line) + "\n" for line in [*lines, {"lictor": 1, "end": len(lines)}])


@pytest.mark.parametrize("name", EDITS)
def test_an_export_that_was_edited(settled, backend, exported, tmp_path, name):
    if backend == "PostgreSQL" and "username" not in EDITS[name]:
        pytest.skip("the source is the same")
    lines = [exported[0], {**exported[1], **EDITS[name]}]
    file = written(tmp_path, ended(lines).encode(), "people.jsonl")
    said = refused(settled, file, says=r"row 2\b|line 2\b")
    assert "$argon2id" not in said and "AAAA" not in said, said


@pytest.mark.parametrize("field", ["lictor", "id", "username", "roles", "active", "created"])
@THE_SOURCE_ALONE
def test_an_export_without_a_field(settled, exported, tmp_path, field):
    lines = [exported[0], {key: value for key, value in exported[1].items() if key != field}]
    file = written(tmp_path, ended(lines).encode(), "people.jsonl")
    refused(settled, file, says=r"row 2\b|line 2\b")


def test_a_line_of_an_export_twice(settled, exported, tmp_path):
    text = ended([*exported, exported[0]])
    refused(settled, written(tmp_path, text.encode(), "people.jsonl"), says=[r"row 3\b", "id-in-use", r"row 1\b"])


@THE_SOURCE_ALONE
def test_a_field_too_many_to_write(settled, exported, tmp_path):
    """Many recovery codes and many former names: within the line's limit, and kept within their own."""
    for more in ({"former_names": [f"name {n}" for n in range(20_000)]}, {"recovery_codes": ["ab" * 32] * 5000}):
        line = ended([{**exported[0], **more}])
        done = stage.run("import", written(tmp_path, line.encode(), "people.jsonl"), "--dry-run", database=settled)
        assert done.code in (0, 1) and "panicked" not in done.text and len(done.text) < 20_000, done


# --- rename files and reports

RENAMES = {
    "three columns": b"ada lovelace,ada,more\n",
    "one column": b"ada lovelace\n",
    "a new name that is none": b"ada lovelace,ada love\n",
    "bytes that are no UTF-8": b"ada\xff,ada\n",
    "one old name twice": b"ada lovelace,ada\nada lovelace,bob\n",
    "an open quote": b'"ada lovelace,ada\n',
    "11 MB": b"somebody,else\n" * 800_000,
}


@pytest.mark.parametrize("name", RENAMES)
@THE_SOURCE_ALONE
def test_a_file_of_names_that_is_wrong(settled, tmp_path, name):
    names = written(tmp_path, RENAMES[name], "names.csv")
    content = table((1000, "ada lovelace", HASH))
    refused(settled, "-", *CSV, "--rename", names, stdin=content)


@THE_SOURCE_ALONE
def test_a_report_is_not_written_over_a_file(settled, tmp_path):
    precious = written(tmp_path, b"precious", "report.csv")
    link = tmp_path / "link.csv"
    link.symlink_to(precious)
    for report in (precious, link):
        stage.run(
            "import", "-", *CSV, "--report", report, "--dry-run", database=settled, stdin=table((1000, "a b", HASH))
        )
        assert precious.read_bytes() == b"precious"
    output = stage.run("export", "--output", precious, database=settled)
    assert output.code in (1, 2) and precious.read_bytes() == b"precious", output


# --- beside a server

ROWS_BESIDE = 20_000


def test_an_import_beside_a_server_that_registers_people(destination, tmp_path):
    place = destination()
    lictor = stage.Lictor(tmp_path / "lictor", place.argument)
    content = table(*fine(ROWS_BESIDE, 1_000_000))
    with lictor.running():
        over = threading.Event()

        def register(thread):
            answers = []
            while not over.is_set() or not answers:
                name = f"newcomer-{thread}-{len(answers)}"
                # After five seconds it no longer waits for the import, which may take longer on a busy machine.
                made = stage.wait_for(lambda: busy_is_none(lictor.register(name)), stage.PATIENCE)
                answers.append((name, made, lictor.login("newcomer-0-0", "wrong")))
            return answers

        with ThreadPoolExecutor(4) as pool:
            found = [pool.submit(register, thread) for thread in range(4)]
            try:
                done = stage.run("import", "-", *CSV, database=place, stdin=content)
            finally:
                over.set()
            answers = [answer for future in found for answer in future.result()]
        assert done.code == 0, done
        assert [(name, made.status, made.json) for name, made, _ in answers if made.status != 200] == []
        assert all(other.status < 500 or busy_is_none(other) is None for *_, other in answers)
        assert place.counts()["users"] == ROWS_BESIDE + len(answers)
        names = {name for [name] in place.rows("SELECT name FROM users WHERE name LIKE 'newcomer%'")}
        assert names == {name for name, *_ in answers}
        later = lictor.register("late")
        assert stage.claims(later.token)["id"] >= 1_000_000 + ROWS_BESIDE
        assert "panicked" not in lictor.log()


def busy_is_none(answer):
    return None if answer.status == 503 else answer


def test_two_imports_at_once(destination):
    """One of them brings a row, and the other finds it."""
    place = destination()
    content = table(*fine(500))
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(stage.run, "import", "-", *CSV, database=place, stdin=content) for _ in range(3)]
        done = [run.result() for run in runs]
    assert [run.code for run in done] == [0, 0, 0], done
    assert place.counts()["users"] == 500
