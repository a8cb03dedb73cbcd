"""Mail from end to end: a request causes it, a mail server or a folder receives it, and its link is
followed.

The mail server is a real one with STARTTLS and a login; the folder is that of `dir:`.
"""

import contextlib
import itertools
import json
import random
import socket
import threading
import time

import pytest

import lictor
from lictor import PASSWORD, Letter, Lictor, wait_for
from test_transport import LOGIN, running

OTHER = "nine copper kettles"


class Folder:
    """The mails in the folder of `dir:`."""

    def __init__(self, directory):
        self.directory = directory / "mails"
        self.directory.mkdir()
        self.transport = f"dir:{self.directory}"

    def letters(self):
        files = sorted(self.directory.glob("*.eml"), key=lambda file: (file.stat().st_mtime_ns, file))
        return [Letter(file.read_bytes()) for file in files]


class Relay:
    """The mails that a server has received."""

    def __init__(self, file, port, kind="smtp+starttls", login=LOGIN):
        self.file = file
        self.transport = f"{kind}://{login}localhost:{port}"

    def letters(self):
        # The last one may be half written.
        lines = self.file.read_text().split("\n")[:-1] if self.file.exists() else []
        return [Letter(json.loads(line)["message"].encode()) for line in lines]


@pytest.fixture(params=["starttls", "folder"])
def destination(request, tmp_path, authority):
    """Where mails go, and the file with the trusted authority."""
    if request.param == "folder":
        yield Folder(tmp_path), None
        return
    arguments = ["--certificates", authority, "--received", tmp_path / "received"]
    with running("server.py", *arguments, "--tls", "starttls", "--auth", "PLAIN") as port:
        yield Relay(tmp_path / "received", port), authority / "ca.pem"


def next_letter(mails, seen):
    """Waits for the mail after the first `seen` ones."""
    return wait_for(lambda: mails.letters()[seen:])[0]


def letter_to(mails, email):
    """Waits for the only mail to this address."""
    [letter] = wait_for(lambda: [letter for letter in mails.letters() if letter.to == email])
    return letter


def test_registration_reset_and_new_email(destination, tmp_path):
    mails, trust = destination
    server = Lictor(tmp_path, mails.transport, "--registration", "email", trust=trust)
    with server.running():
        assert server.send("GET", "/api/finalize")[0] == 401
        status, answer = server.register("Ada", "ada@mail.example", **{"Accept-Language": "pt-BR"})
        assert (status, answer) == (201, {"message": "successfully sent registration email to user Ada"})
        letter = next_letter(mails, 0)
        assert (letter.to, letter.page, letter.language) == ("ada@mail.example", "finalize", "pt-BR")
        assert "Olá" in letter.subject and "Ada" in letter.text and letter.token in letter.html
        # Before the confirmation there is no login, and the token is good for nothing else.
        login = {"username": "ada", "password": PASSWORD}
        assert server.send("POST", "/api/login", login)[1]["error"] == "InvalidUserError"
        for path in ["/api/protected", "/api/me"]:
            assert server.send("GET", path, token=letter.token)[1]["error"] == "MisusedRegistrationToken"
        status, answer = server.send("GET", "/api/finalize", token=letter.token)
        assert (status, answer["user"]) == (200, "Ada")
        first = answer["access_token"]
        assert server.send("GET", "/api/protected", token=first)[0] == 200
        again = server.send("GET", "/api/finalize", token=letter.token)
        assert (again[0], again[1]["error"]) == (401, "InvalidRegistrationToken")
        # The e-mail address works as the username.
        login["username"] = "ADA@mail.example"
        second = server.send("POST", "/api/login", login)[1]["access_token"]

        status, answer = server.send("POST", "/api/reset", {"email": "ada@mail.example"})
        assert (status, answer["message"]) == (
            200,
            "successfully sent password reset email to ada@mail.example",
        )
        letter = next_letter(mails, 1)
        assert (letter.page, letter.language) == ("reset-finalize", "pt-BR")
        status, answer = server.send(
            "POST", "/api/reset_finalize", {"password": OTHER}, token=letter.token
        )
        assert (status, answer["user"]) == (200, "Ada")
        for dead in [first, second]:
            assert server.send("GET", "/api/protected", token=dead)[1]["error"] == "BlacklistedError"
        third = answer["access_token"]
        assert server.send("GET", "/api/protected", token=third)[0] == 200
        again = server.send("POST", "/api/reset_finalize", {"password": OTHER}, token=letter.token)
        assert (again[0], again[1]["error"]) == (401, "InvalidResetToken")
        notice = next_letter(mails, 2)
        assert (notice.to, notice.token) == ("ada@mail.example", None)

        # A new e-mail address must be confirmed; the old one gets a notice.
        request = {"email": "lovelace@mail.example", "password": "wrong"}
        assert server.send("PUT", "/api/email", request, token=third)[1]["error"] == "WrongPassword"
        request["password"] = OTHER
        assert server.send("PUT", "/api/email", request, token=third)[0] == 200
        letter = next_letter(mails, 3)
        assert letter.to == "lovelace@mail.example"
        assert server.send("GET", "/api/me", token=third)[1]["email"] == "ada@mail.example"
        assert server.send("GET", "/api/finalize", token=letter.token) == (
            200,
            {"user": "Ada", "email": "lovelace@mail.example"},
        )
        assert server.send("GET", "/api/me", token=third)[1]["email"] == "lovelace@mail.example"
        notice = next_letter(mails, 4)
        assert notice.to == "ada@mail.example" and "lovelace@mail.example" in notice.text
        change = {"current": OTHER, "new": PASSWORD}
        assert server.send("PUT", "/api/password", change, token=third)[0] == 200
        assert next_letter(mails, 5).to == "lovelace@mail.example"
        # It leaves the outbox a moment after it has arrived.
        wait_for(lambda: arrived(server))
        assert server.command("mail", "list")[1].count("\n") == 1
    assert len(mails.letters()) == 6
    log = (tmp_path / "log").read_text()
    for secret in [letter.token, PASSWORD, OTHER, SECRET_OF_RELAY]:
        assert secret not in log


SECRET_OF_RELAY = LOGIN.partition(":")[2].rstrip("@")


def test_answers_do_not_tell_whether_an_email_is_taken(tmp_path):
    mails = Folder(tmp_path)
    server = Lictor(tmp_path, mails.transport, "--registration", "email")
    code, text = server.command("user", "add", "bob", "--create", "--email", "bob@mail.example", text=PASSWORD)
    assert code == 0, text
    with server.running():
        taken = server.register("eve", "Bob@mail.example")
        free = server.register("fay", "fay@mail.example")
        assert taken[0] == free[0] == 201
        letter = letter_to(mails, "bob@mail.example")
        assert letter.token is None and "bob" in letter.text
        assert "eve" not in letter.text
        letter_to(mails, "fay@mail.example")
        # Both names are taken afterwards, for everybody with another password.
        for name in ["eve", "fay"]:
            assert server.register(name, "x@mail.example", OTHER)[1]["error"] == "UsernameTaken"
        for address in ["bob@mail.example", "nobody@mail.example"]:
            assert server.send("POST", "/api/reset", {"email": address}) == (
                200,
                {"message": f"successfully sent password reset email to {address}"},
            )
        assert next_letter(mails, 2).to == "bob@mail.example"
        wait_for(lambda: arrived(server))
    assert len(mails.letters()) == 3


def test_a_reset_went_to_the_address_that_was_typed(tmp_path):
    mails = Folder(tmp_path)
    server = Lictor(tmp_path, mails.transport)
    server.command("user", "add", "mike", "--create", "--email", "mike@mail.example", text=PASSWORD)
    with server.running():
        status, answer = server.send("POST", "/api/reset", {"email": "MIKE@Mail.example"})
        # The answer repeats the typed address, whether a user has it or not.
        assert (status, answer["message"].split()[-1]) == (200, "MIKE@Mail.example")
        letter = next_letter(mails, 0)
        assert (letter.to, letter.page) == ("mike@mail.example", "reset-finalize")


def test_the_first_link_outlived_the_waiting(tmp_path):
    mails = Folder(tmp_path)
    server = Lictor(tmp_path, mails.transport, "--registration", "email")
    with server.running():
        assert server.register("ada", "mistyped@mail.example")[0] == 201
        letter = next_letter(mails, 0)
        assert server.command("user", "activate", "ada")[0] == 0
        answer = server.send("GET", "/api/finalize", token=letter.token)
        assert (answer[0], answer[1]["error"]) == (401, "InvalidRegistrationToken")
        login = {"username": "ada", "password": PASSWORD}
        token = server.send("POST", "/api/login", login)[1]["access_token"]
        assert server.send("GET", "/api/me", token=token)[1]["email"] is None
        assert len(server.send("GET", "/api/sessions", token=token)[1]["sessions"]) == 1


def test_registrations_by_a_stranger_delay_no_reset(tmp_path):
    mails = Folder(tmp_path)
    server = Lictor(tmp_path, mails.transport, "--registration", "email")
    server.command("user", "add", "ada", "--create", "--email", "ada@mail.example", text=PASSWORD)
    with server.running():
        statuses = [server.register(f"eve{number}", "ada@mail.example")[0] for number in range(7)]
        assert statuses == [201] * 5 + [429] * 2
        assert server.send("POST", "/api/reset", {"email": "ada@mail.example"})[0] == 200
        wait_for(lambda: any(letter.page == "reset-finalize" for letter in mails.letters()))


def test_pages_behind_a_fragment(tmp_path):
    """The client of the tutorial uses HashRouter."""
    mails = Folder(tmp_path)
    pages = ["--confirmation-url", "http://app.example/#/finalize"]
    pages += ["--reset-url", "http://app.example/#/new_password"]
    server = Lictor(tmp_path, mails.transport, "--registration", "email", *pages)
    with server.running():
        assert server.register("ada", "ada@mail.example")[0] == 201
        token = link(next_letter(mails, 0), "http://app.example/#/finalize?token=")
        assert server.send("GET", "/api/finalize", token=token)[0] == 200
        assert server.send("POST", "/api/reset", {"email": "ada@mail.example"})[0] == 200
        token = link(next_letter(mails, 1), "http://app.example/#/new_password?token=")
        body = {"password": OTHER}
        assert server.send("POST", "/api/reset_finalize", body, token=token)[0] == 200


def link(letter, page):
    """The token of the link to this page, which both parts of the mail have."""
    [line] = [line for line in letter.text.split("\n") if line.startswith("http://app.example")]
    assert line.startswith(page) and f'href="{line}"' in letter.html
    return line.removeprefix(page)


def test_hostile_emails_and_names_add_no_recipient_and_no_markup(tmp_path):
    mails = Folder(tmp_path)
    server = Lictor(tmp_path, mails.transport, "--registration", "email")
    with server.running():
        for address in [
            "a@x.example\r\nBcc: b@y.example",
            "a@x.example,b@y.example",
            "<a@x.example>",
            "a b@x.example",
            "a@x.example\0",
            "a@x",
            "@x.example",
            "a@",
            "",
            "a" * 65 + "@x.example",
            "a@" + "x" * 250 + ".example",
        ]:
            status, answer = server.register("mallory", address)
            refused = (status, answer.get("error")) == (400, "BadRequest") or address == "a@x"
            assert refused and "email" in answer.get("message", "email"), (address, answer)
        for body in [{"email": None}, {"email": 1}, {"email": ["a@x.example"]}, {}]:
            for path in ["/api/reset", "/api/registration"]:
                full = {"username": "mallory2", "password": PASSWORD, **body}
                assert server.send("POST", path, full)[0] == 400, body
        for name, address in [("Zoë<b>", "zoë@exämple.example"), ("名前", "名@x.example")]:
            assert server.register(name, address)[0] == 201
            letter = wait_for(lambda to=address: [l for l in mails.letters() if name_of(l) == name])[0]
            assert "<b>" not in letter.html


def name_of(letter):
    return letter.text.split("\n")[0].removeprefix("Hello ").rstrip(",")


def test_a_flood_of_mails_answers_429(tmp_path):
    mails = Folder(tmp_path)
    server = Lictor(tmp_path, mails.transport, "--registration", "email")
    server.command("user", "add", "bob", "--create", "--email", "bob@mail.example", text=PASSWORD)
    with server.running():
        for address in ["bob@mail.example", "nobody@mail.example"]:
            answers = [server.send("POST", "/api/reset", {"email": address}) for _ in range(7)]
            assert [status for status, _ in answers] == [200] * 5 + [429] * 2, answers
        wait_for(lambda: arrived(server))
    assert len(mails.letters()) == 5


def test_without_mail_links_come_from_the_command_line(tmp_path):
    server = Lictor(tmp_path, "")
    with server.running():
        token = server.register("ada", "ignored")[1]["access_token"]
        for method, path in [("POST", "/api/reset"), ("PUT", "/api/email")]:
            body = {"email": "ada@mail.example", "password": PASSWORD}
            answer = server.send(method, path, body, token=token)
            assert (answer[0], answer[1]["error"]) == (403, "MailDisabled")
        link = server.command("user", "reset-link", "ada", "--public-url", "http://pages.example")[1]
        letter = lictor.LINK.search(link.replace("link     ", ""))
        body = {"password": OTHER}
        assert server.send("POST", "/api/reset_finalize", body, token=letter[2])[0] == 200
    code, text = Lictor(tmp_path, "", "--registration", "email").command(
        "serve", "--registration", "email"
    )
    assert code == 2 and "LICTOR_MAIL" in text
    code, text = server.command("serve", "--mail", "dir:.", "--listen", "0.0.0.0:1")
    assert code == 2 and "--public-url" in text


@pytest.mark.parametrize("reply, permanent", [("451 busy", False), ("550 nobody", True)])
def test_failed_deliveries_are_repeated_or_given_up(reply, permanent, tmp_path):
    file = tmp_path / "received"
    times = -1 if permanent else 2
    with running("server.py", "--received", file, "--rcpt", reply, "--times", times) as port:
        server = Lictor(tmp_path, f"smtp://localhost:{port}", "--registration", "email")
        with server.running():
            assert server.register("ada", "ada@mail.example")[0] == 201
            failed = "SELECT 1 FROM outbox WHERE attempts > ?"
            if permanent:
                wait_for(lambda: server.rows("SELECT 1 FROM outbox WHERE due IS NULL"))
                assert "given up" in server.command("mail", "list")[1]
                assert "mail-failed" in server.command("audit")[1]
                assert server.command("mail", "drop", "1")[0] == 0
                assert server.command("mail", "drop", "1")[0] == 1
                assert "mail-dropped" in server.command("audit")[1]
            else:
                for attempt in range(2):
                    # On a busy machine it may be tried again by itself meanwhile, and arrive.
                    wait_for(lambda many=attempt: server.rows(failed, many) or arrived(server))
                    code, text = server.command("mail", "retry", "1")
                    assert code == 0 or arrived(server), text
                letter = next_letter(Relay(file, port), 0)
                assert server.send("GET", "/api/finalize", token=letter.token)[0] == 200
            wait_for(lambda: arrived(server))


def arrived(server):
    """Whether no mail waits any more."""
    return not server.rows("SELECT 1 FROM outbox")


def test_a_mail_server_that_hangs_delays_no_answer_and_no_stop(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as mail_server:
        mail_server.settimeout(lictor.PATIENCE)
        server = Lictor(tmp_path, f"smtp://127.0.0.1:{mail_server.getsockname()[1]}", "--registration", "email")
        with server.running():
            for number in range(5):
                assert server.register(f"u{number}", f"u{number}@mail.example")[0] == 201
            # Each attempt fails after twenty seconds, and one follows the other: no answer waited for its own.
            assert server.rows("SELECT 1 FROM outbox WHERE attempts = 0")
        # The stop does not wait for the mail server either, and the mails stay in the outbox.
        assert any(stops_in_an_attempt(server, mail_server) for _ in range(3))
        assert server.rows("SELECT count(*) FROM outbox") == [(5,)]


def stops_in_an_attempt(server, mail_server):
    """Starts the server, and stops it while it tries to send a mail; whether that attempt has not ended by itself,
    which it may on a busy machine."""
    attempts = "SELECT sum(attempts) FROM outbox"
    mail_server.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            mail_server.accept()[0].close()  # of the server before
    mail_server.settimeout(lictor.PATIENCE)
    before = server.rows(attempts)
    with server.running():
        connection, _ = mail_server.accept()
    # Open until now, and without a word.
    connection.close()
    return server.rows(attempts) == before


def test_kill_minus_nine_loses_no_mail(tmp_path):
    """100 registrations are acknowledged while the server is killed at random moments, five times at least."""
    mails = Folder(tmp_path)
    server = Lictor(tmp_path, mails.transport, "--registration", "email", "--throttle", "off")
    acknowledged, numbers, kills = [], itertools.count(), []
    lock, over = threading.Lock(), threading.Event()
    deadline = time.monotonic() + 10 * lictor.PATIENCE

    def client():
        while (len(acknowledged) < 100 or len(kills) < 5) and time.monotonic() < deadline:
            with lock:
                number = next(numbers)
            try:
                status, _ = server.register(f"u{number}", f"u{number}@mail.example")
            except (OSError, ValueError, lictor.http.client.HTTPException):
                time.sleep(0.05)
                continue
            assert status == 201
            acknowledged.append(number)

    def killer():
        chance = random.Random(5)
        while not over.is_set():
            # A machine may be so slow that nothing is acknowledged within any fixed time.
            enough = len(acknowledged) + chance.randint(0, 20)
            while len(acknowledged) < enough and not over.wait(0.005):
                pass
            if over.wait(chance.uniform(0, 0.3)):
                break
            server.kill()
            kills.append(server.port)
            server.start()

    server.start()
    clients = [threading.Thread(target=client) for _ in range(4)]
    death = threading.Thread(target=killer)
    for thread in [*clients, death]:
        thread.start()
    for thread in clients:
        thread.join()
    over.set()
    death.join()
    wait_for(lambda: arrived(server))
    server.stop()

    assert len(acknowledged) >= 100
    accounts = {name for (name,) in server.rows("SELECT name FROM users")}
    letters = mails.letters()
    names = [name_of(letter) for letter in letters]
    for number in acknowledged:
        assert f"u{number}" in accounts and f"u{number}" in names, number
    # Every mail is for an account, and two deliveries of one mail have the same token.
    assert set(names) <= accounts
    ids = {letter.id: letter.token for letter in letters}
    assert len(ids) == len(set(names))
