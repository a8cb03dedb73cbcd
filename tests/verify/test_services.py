"""Each service of examples/verify really runs beside a real lictor, takes its tokens, and refuses all
others with 401."""

import json
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import servers
import tokens

WITH_KEYS = ["fastapi", "express", "axum"]
LIMIT = 60  # seconds within which something must have happened
STRANGERS = 50  # more than the threads with which FastAPI serves requests
HEADER = {"alg": "EdDSA", "typ": "JWT", "kid": tokens.jwk()["kid"]}


def bearer(token):
    return f"Bearer {token}"


def eventually(holds):
    end = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def login(lictor, **fields):
    answer = lictor.post("/api/login", {"username": "ada", "password": "ten wooden lanterns", **fields})
    assert answer.status == 200, answer
    return answer.json["access_token"]


def mailed(lictor):
    """Tokens of both purposes that lictor has really made: one from a mail, one handed out."""
    fields = {"username": f"eve{time.time_ns()}", "password": "ten wooden lanterns"}
    answer = lictor.post("/api/registration", {**fields, "email": f"{fields['username']}@example.org"})
    assert answer.status == 201, answer
    folder = lictor.directory / "mails"
    # One that is being written has another name.
    eventually(lambda: any(folder.glob("*.eml")))
    text = next(folder.glob("*.eml")).read_text().replace("=\n", "").replace("=3D", "=")
    yield "from a mail", re.search(r"\?token=([\w.-]+)", text)[1]
    link = lictor.command("user", "reset-link", "ada")
    yield "handed out to reset a password", re.search(r"^token +(\S+)$", link, re.MULTILINE)[1]


@pytest.fixture(scope="module")
def with_keys():
    flags = ["--jwt-algorithm", "EdDSA", "--audience", "shop,wiki", "--early-refresh", "25h", "--throttle", "off"]
    with servers.lictor(flags, {}, tokens.KEY_FILE) as lictor:
        yield lictor


@pytest.fixture(scope="module", params=WITH_KEYS)
def shop(request, with_keys):
    """A service for the audience `shop`."""
    with servers.service(request.param, {"LICTOR": with_keys.url, "AUDIENCE": "shop"}) as service:
        yield service


@pytest.fixture(scope="module")
def with_secret():
    flags = ["--early-refresh", "25h", "--throttle", "off"]
    with servers.lictor(flags, {"SECRET_KEY": tokens.SECRET}) as lictor:
        yield lictor


@pytest.fixture(scope="module")
def flask(with_secret):
    with servers.service("flask", {"SECRET_KEY": tokens.SECRET}) as service:
        yield service


def assert_taken(service, token, scheme="Bearer"):
    answer = service.whoami(f"{scheme} {token}")
    assert answer.status == 200, answer
    assert answer.json == {"id": 1, "roles": answer.json["roles"]}
    assert sorted(answer.json["roles"]) == ["editor", "user"]


def assert_refused(service, rows):
    """Sends each token, or field; all the answers that are not 401 with a challenge are shown at once."""
    wrong, count = [], 0
    for name, field in rows:
        count += 1
        answer = service.whoami(field)
        challenge = answer.headers.get("www-authenticate")
        if answer.status != 401 or challenge != "Bearer" or '"id"' in answer.text:
            wrong.append(f"{name}: {answer.status} {challenge} {answer.text[:200]}")
    assert count > 0 and not wrong, f"{service.name}:\n" + "\n".join(wrong)


def fields(rows):
    return [(name, bearer(token)) for name, token in rows]


def test_lictors_tokens_are_taken(shop, with_keys):
    one = login(with_keys, audience="shop")
    assert_taken(shop, one)
    assert_taken(shop, login(with_keys))
    assert_taken(shop, refreshed(with_keys, one))
    # What the forged tokens differ from is good.
    for audience in ["shop", ["wiki", "shop"]]:
        assert_taken(shop, own(tokens.claims(audience)))
    # lictor's clock may be ahead.
    assert_taken(shop, own(tokens.claims("shop", iat=int(time.time()) + 5)))
    # RFC 9110: the scheme in any case.
    for scheme in ["bearer", "BEARER"]:
        assert_taken(shop, one, scheme)


def own(claims, **header):
    """A token of the key of lictor."""
    return tokens.token({**HEADER, **header}, claims, tokens.by_seed(tokens.SEED))


def refreshed(lictor, token):
    answer = servers.ask(lictor.port, "POST", "/api/refresh", {}, token)
    assert answer.status == 200, answer
    return answer.json["access_token"]


def test_other_tokens_are_refused(shop):
    assert_refused(shop, fields(tokens.with_public_key("shop")))


def test_tokens_that_lictor_made_for_others_are_refused(shop, with_keys):
    wiki = login(with_keys, audience="wiki")
    rows = [("for wiki", wiki), ("for wiki, refreshed", refreshed(with_keys, wiki)), *mailed(with_keys)]
    assert_refused(shop, fields(rows))


def test_what_is_no_token_is_refused(shop, with_keys):
    assert_refused(shop, tokens.shown(login(with_keys)))


def test_an_ended_session_is_known_to_lictor_alone(shop, with_keys):
    token = login(with_keys)
    assert with_keys.post("/api/logout", {}, token).status == 200
    assert_taken(shop, token)
    assert with_keys.get("/api/verify", token).status == 403


@pytest.mark.parametrize("name", WITH_KEYS)
def test_without_an_audience_a_service_takes_no_token_that_has_one(name, with_keys):
    with servers.service(name, {"LICTOR": with_keys.url}) as service:
        assert_taken(service, own(tokens.claims(None)))
        assert_refused(service, fields([("for shop", login(with_keys, audience="shop"))]))


@pytest.mark.parametrize("name", WITH_KEYS)
def test_a_new_key_is_fetched(name):
    flags = ["--jwt-algorithm", "EdDSA", "--audience", "shop"]
    with servers.lictor(flags, {}, tokens.KEY_FILE) as lictor:
        with servers.service(name, {"LICTOR": lictor.url, "AUDIENCE": "shop", "JWKS_PAUSE": "0"}) as service:
            old = login(lictor)
            assert_taken(service, old)
            lictor.command("key", "rotate")
            os.kill(lictor.process.pid, signal.SIGHUP)
            eventually(lambda: len(lictor.get("/.well-known/jwks.json").json["keys"]) == 2)
            new = login(lictor)
            assert new.split(".")[0] != old.split(".")[0], "another key has signed"
            assert_taken(service, new)
            assert_taken(service, old)


@pytest.mark.parametrize("name", WITH_KEYS)
def test_unknown_key_ids_do_not_make_it_ask_again_and_again(name):
    with tokens_served() as keys:
        with servers.service(name, environment(keys.port, "3600")) as service:
            assert_taken(service, own(tokens.claims("shop")))
            assert_refused(service, fields((f"key {n}", unknown(n)) for n in range(20)))
            assert keys.count == 1
            assert_taken(service, own(tokens.claims("shop")))


@pytest.mark.parametrize("name", WITH_KEYS)
def test_known_keys_are_good_while_lictor_hangs(name):
    # A service gives up on lictor after five seconds, which is too soon for a slow machine: then once more.
    assert any(known_keys_are_good_while_lictor_hangs(name) for _ in range(3)), "it has waited with the strangers"


def known_keys_are_good_while_lictor_hangs(name):
    """Whether a user of a known key was let in while the strangers waited."""
    with tokens_served() as keys:
        with servers.service(name, environment(keys.port, "0")) as service, ThreadPoolExecutor(STRANGERS) as pool:
            assert_taken(service, own(tokens.claims("shop")))
            with keys.hanging():
                strangers = [pool.submit(service.whoami, bearer(unknown(n))) for n in range(STRANGERS)]
                eventually(lambda: keys.count >= 2)
                time.sleep(0.5)  # until all of them wait
                assert_taken(service, own(tokens.claims("shop")))
                if any(each.done() for each in strangers):
                    return False
            # 503 if the service has given up.
            statuses = {each.result().status for each in strangers}
            assert statuses <= {401, 503}, statuses
            return statuses == {401}


def tokens_served():
    return servers.Keys(json.dumps({"keys": [tokens.jwk()]})).serving()


def environment(port, pause):
    return {"LICTOR": f"http://127.0.0.1:{port}", "AUDIENCE": "shop", "JWKS_PAUSE": pause}


def unknown(n):
    """A token that names a key which nobody has."""
    return own(tokens.claims("shop"), kid=str(n))


@pytest.mark.parametrize("name", WITH_KEYS)
def test_without_keys_nobody_is_let_in_and_nobody_is_logged_out(name):
    with servers.service(name, environment(servers.free_port(), "3600")) as service:
        assert_without_keys(service)
        assert_refused(service, [("no field", None)])


@pytest.mark.parametrize("name", WITH_KEYS)
def test_an_answer_that_is_no_key_set_counts_as_none(name):
    with tokens_served() as keys, servers.service(name, environment(keys.port, "0")) as service:
        for text in ["{}", "[]", '{"keys": 1}', "no JSON", ""]:
            keys.text = text.encode()
            assert_without_keys(service)


def assert_without_keys(service):
    for _ in range(2):
        answer = service.whoami(bearer(own(tokens.claims("shop"))))
        assert answer.status == 503 and answer.headers["retry-after"], answer


def test_flask_takes_lictors_tokens(flask, with_secret):
    token = login(with_secret)
    assert_taken(flask, token)
    assert_taken(flask, refreshed(with_secret, token))
    header = {"alg": "HS256", "typ": "JWT"}
    # lictor's clock may be ahead.
    for iat in [int(time.time()), int(time.time()) + 5]:
        assert_taken(flask, tokens.token(header, tokens.claims(None, iat=iat), tokens.by_secret(tokens.SECRET)))


def test_flask_refuses_other_tokens(flask):
    assert_refused(flask, fields(tokens.with_secret()))


def test_flask_refuses_tokens_of_mails(flask, with_secret):
    assert_refused(flask, fields(mailed(with_secret)))


def test_flask_refuses_what_is_no_token(flask, with_secret):
    token = login(with_secret)
    # flask-praetorian reads the first of two tokens, and checks that one.
    assert_refused(flask, [row for row in tokens.shown(token) if row[0] != "two tokens"])
    # Nor does it take one from a cookie, which pages of other sites send along.
    answer = servers.ask(flask.port, "GET", "/whoami", {"Cookie": f"access_token={token}"})
    assert answer.status == 401, answer


def test_flask_takes_no_token_of_a_lictor_with_an_audience(flask):
    flags = ["--audience", "shop"]
    with servers.lictor(flags, {"SECRET_KEY": tokens.SECRET}) as lictor:
        assert_refused(flask, fields([("for shop", login(lictor))]))


def test_an_ended_session_is_known_to_lictor_alone_with_flask(flask, with_secret):
    token = login(with_secret)
    assert with_secret.post("/api/logout", {}, token).status == 200
    assert_taken(flask, token)
    assert with_secret.get("/api/verify", token).status == 403
