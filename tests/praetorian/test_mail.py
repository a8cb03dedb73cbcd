"""lictor against the later app, with its mails, on the real flask-praetorian.

Owns the tests of the eight endpoints of that app: single requests, scenarios, and
the content of mails. differences_mail.py must list every difference and its
reason.
"""

import json

import pytest

import databases
from comparison import compare, methods, summary
from differences_mail import ALSO_ALLOWED, DIFFERENCES
from probes import USERS
from probes_mail import PATHS, PROBES
from scenarios import (
    LATE,
    SCENARIOS,
    address,
    an_id_that_comes_again,
    finalize,
    forgetful,
    links_that_are_late,
    login,
    member,
    register,
    registered,
    reset,
    reset_finalize,
    title,
)
from servers import HastyMailFlask, HastyMailLictor, MailFlask, MailLictor, require_lictor, running
from tokens import HEADER, REFRESH, decode, decode_claims, sign

EACH = pytest.mark.parametrize("server", [0, 1], ids=["flask", "lictor"], indirect=True)
PURPOSES = pytest.mark.parametrize("obtain, use, error", [
    (registered, finalize, "401 InvalidRegistrationToken"),
    (lambda server, name: member(server, name) and forgetful(server, name), reset_finalize, "401 InvalidResetToken"),
], ids=["registration", "reset"])


@pytest.fixture(scope="module")
def servers():
    """Flask and lictor with the same four users, whose e-mail addresses are confirmed."""
    require_lictor()
    with running(MailFlask) as flask, running(MailLictor) as lictor:
        for server in (flask, lictor):
            populate(server)
        yield flask, lictor


@pytest.fixture
def server(servers, request):
    return servers[request.param]


def populate(server):
    for name in USERS:
        member(server, name)
    server.take_older_tokens()
    server.deactivate("bob")
    server.delete("carol")
    server.set_roles("dave", "admin,editor")


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_probe(servers, probe):
    compare(DIFFERENCES, probe.name, *(server.send(*probe[1:]) for server in servers))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=title)
def test_scenario(servers, scenario):
    if databases.on_postgres and scenario is an_id_that_comes_again:
        pytest.skip("PostgreSQL gives the app no id twice")
    play(scenario, *servers)


def test_links_are_late():
    require_lictor()
    with running(HastyMailFlask) as flask, running(HastyMailLictor) as lictor:
        play(links_that_are_late, flask, lictor)


def play(scenario, flask, lictor):
    """Runs the scenario on both servers and compares every step."""
    played = [dict(scenario(server)) for server in (flask, lictor)]
    assert list(played[0]) == list(played[1])
    for step in played[0]:
        compare(DIFFERENCES, f"{title(scenario)}: {step}", *(answers[step] for answers in played))
    listed = {name for name in DIFFERENCES if name.startswith(f"{title(scenario)}: ")}
    assert listed <= {f"{title(scenario)}: {step}" for step in played[0]}


def test_every_difference_names_a_probe_or_a_scenario():
    probes = {probe.name for probe in PROBES}
    assert len(probes) == len(PROBES)
    titles = {title(scenario) for scenario in [*SCENARIOS, links_that_are_late]}
    assert {name for name in DIFFERENCES if name not in probes} == {
        name for name in DIFFERENCES if name.split(": ")[0] in titles
    }


@pytest.mark.parametrize("path", PATHS)
def test_allowed_methods(servers, path):
    flask, lictor = (server.send("DELETE", path) for server in servers)
    allowed = (flask.status, methods(flask) | ALSO_ALLOWED.get(path, set()))
    assert (lictor.status, methods(lictor)) == allowed


MAILED = [
    ("registration", "https://app.example/finalize", 24 * 3600, "is_ert"),
    ("reset", "https://app.example/reset-finalize", 3600, "is_prt"),
]


@EACH
@pytest.mark.parametrize("kind, page, lifespan, mark", MAILED, ids=[row[0] for row in MAILED])
def test_mailed_link(server, kind, page, lifespan, mark):
    """The link is the same as that of flask-praetorian, and so is its lifespan."""
    name = "mona" if kind == "registration" else "dave"
    answer = register(server, name) if kind == "registration" else reset(server, address(name))
    assert answer.status in (200, 201), answer
    where, token = server.mailbox.link(address(name))
    header, payload = decode(token)
    made = json.loads(payload)
    assert where == page
    assert header == HEADER
    assert list(made) == ["iat", "exp", "jti", "id", "rls", "rf_exp", mark]
    assert [type(value).__name__ for value in made.values()] == ["int", "int", "str", "int", "str", "int", "bool"]
    assert (made["exp"] - made["iat"], made["rf_exp"] - made["iat"], made[mark]) == (lifespan, REFRESH, True)
    assert made["rls"] == ("admin,editor" if name == "dave" else "user")


@pytest.fixture(scope="module")
def twins():
    """Flask and lictor, on which the same users have the same ids."""
    require_lictor()
    with running(MailFlask) as flask, running(MailLictor) as lictor:
        yield flask, lictor


@PURPOSES
def test_lictors_tokens_are_good_for_flask(twins, obtain, use, error):
    flask, lictor = twins
    name = f"to-flask-{use.__name__}"
    obtain(flask, name)
    answer = use(flask, obtain(lictor, name))
    assert (answer.status, answer.json["user"]) == (200, name)


@PURPOSES
def test_flasks_tokens_are_read_by_lictor_but_it_has_no_such_ticket(twins, obtain, use, error):
    """Only the row of lictor is missing: with the `jti` of a lictor token, they are accepted."""
    flask, lictor = twins
    name = f"to-lictor-{use.__name__}"
    token, ticket = obtain(flask, name), decode_claims(obtain(lictor, name))
    assert summary(use(lictor, token)) == error
    answer = use(lictor, sign({**decode_claims(token), "jti": ticket["jti"]}))
    assert (answer.status, answer.json["user"]) == (200, name)


@PURPOSES
def test_a_ticket_is_its_users_alone(servers, obtain, use, error):
    """The `jti` of one user's token is refused for another user, in spite of a good signature."""
    lictor = servers[1]
    ticket = decode_claims(obtain(lictor, f"ticket-{use.__name__}"))
    assert summary(use(lictor, sign({**ticket, "id": 1}))) == error
    assert use(lictor, sign(ticket)).status == 200


@EACH
def test_unknown_inactive_and_unconfirmed_users_get_no_link(server):
    """When the last mail has arrived, the others would have arrived too."""
    registered(server, "ulla")
    before = {name: with_link(server, name) for name in ("nobody", "bob", "ulla")}
    for name in before:
        reset(server, address(name))
    member(server, "olga")
    assert {name: with_link(server, name) for name in before} == before


def with_link(server, name):
    return [mail for _, mail in server.mailbox.unread(address(name)) if mail.links]


def test_a_registration_with_a_taken_email_notifies_its_owner(servers):
    """lictor sends a mail without a link, where Flask fails with 500."""
    lictor = servers[1]
    member(lictor, "otto")
    known = len(lictor.mailbox.unread(address("otto")))
    assert register(lictor, "otto2", address("otto")).status == 201
    member(lictor, "opal")
    [*_, (_, mail)] = received = lictor.mailbox.unread(address("otto"))
    assert len(received) == known + 1
    assert mail.links == []
    assert summary(login(lictor, "otto2")) == "403 InvalidUserError"


def test_the_short_lifespan_is_that_of_the_scenario():
    assert {HastyMailFlask.mailed_lifespans, HastyMailLictor.mailed_lifespans} == {(f"{LATE}s", f"{LATE}s")}
