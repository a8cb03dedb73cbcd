"""What a client of openapi-python-client does from the registration to the logout, and what an
administrator does with one. check.py compares the requests.
"""

import os
from typing import TypeVar

from lictor_client import AuthenticatedClient, Client
from lictor_client.api.account import end_session, list_sessions, log_out
from lictor_client.api.administration import admin_add_user, admin_delete_user, admin_get_user, admin_list_users
from lictor_client.api.login import login, refresh, register
from lictor_client.models import (
    AccessToken,
    AdminNewUser,
    AdminUserCreated,
    AdminUserList,
    Credentials,
    Error,
    Message,
    NewUser,
    RefreshedToken,
    SessionList,
    UserSort,
)
from lictor_client.types import UNSET, Response

URL = os.environ["LICTOR_URL"]
PASSWORD = "ten wooden lanterns"
Answer = TypeVar("Answer")


def as_user(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=URL, token=token, raise_on_unexpected_status=True)


def good(kind: type[Answer], answer: object) -> Answer:
    assert isinstance(answer, kind), answer
    return answer


def refused(answer: Response[Answer], status: int, name: str) -> None:
    error = good(Error, answer.parsed)
    assert (error.error, error.status_code, answer.status_code) == (name, status, status), error


def account() -> None:
    anybody = Client(base_url=URL, raise_on_unexpected_status=True)
    ada = Credentials(username="ada", password=PASSWORD)
    first = good(AccessToken, register.sync(client=anybody, body=NewUser(username="ada", password=PASSWORD)))

    wrong = Credentials(username="ada", password="ten wooden lamps")
    refused(login.sync_detailed(client=anybody, body=wrong), 401, "AuthenticationError")

    old = good(AccessToken, login.sync(client=anybody, body=ada)).access_token
    client = as_user(good(RefreshedToken, refresh.sync(client=as_user(old), body=old)).access_token)

    sessions = good(SessionList, list_sessions.sync(client=client)).sessions
    assert sorted(session.current for session in sessions) == [False, True]
    other = next(session for session in sessions if not session.current)
    assert other.seen is None and other.expires > other.created
    good(Message, end_session.sync(other.id, client=client))
    refused(list_sessions.sync_detailed(client=as_user(first.access_token)), 403, "BlacklistedError")

    good(Message, log_out.sync(client=client))
    refused(list_sessions.sync_detailed(client=client), 403, "BlacklistedError")


def administration() -> None:
    anybody = Client(base_url=URL, raise_on_unexpected_status=True)
    boss = Credentials(username="boss", password=PASSWORD)
    client = as_user(good(AccessToken, login.sync(client=anybody, body=boss)).access_token)

    invited = good(AdminUserCreated, admin_add_user.sync(client=client, body=AdminNewUser(username="bob")))
    assert invited.reset_link, "without a password there is a link that sets one"
    carol = AdminNewUser(username="carol", password=PASSWORD, email="carol@example.org", roles=["editor"])
    added = good(AdminUserCreated, admin_add_user.sync(client=client, body=carol))
    assert not added.reset_link and added.user.roles == ["editor"]
    again = AdminNewUser(username="carol", password=PASSWORD)
    refused(admin_add_user.sync_detailed(client=client, body=again), 409, "UsernameTaken")

    # By `created` a cursor is a number, by name a text.
    for sort in (UserSort.CREATED, UserSort.NAME):
        assert sorted(names(client, sort)) == ["ada", "bob", "boss", "carol"], sort

    good(Message, admin_delete_user.sync(added.user.id, client=client))
    refused(admin_get_user.sync_detailed(added.user.id, client=client), 404, "NotFound")


def names(client: AuthenticatedClient, sort: UserSort) -> list[str]:
    """The names of all accounts, one a page."""
    found: list[str] = []
    after: str | None = None
    while True:
        answer = admin_list_users.sync(client=client, sort=sort, limit=1, after=after or UNSET)
        page = good(AdminUserList, answer)
        assert page.total == 4 and page.total_exact
        found += [user.username for user in page.users]
        if page.next_ is None:
            return found
        after = str(page.next_)


def mistakes(client: Client) -> None:
    """What the types must refuse; never called."""
    login.sync(client=client, body=Credentials(username="ada"))  # type: ignore[call-arg]
    login.sync(client=client, body=Credentials(username=5, password=PASSWORD))  # type: ignore[arg-type]
    list_sessions.sync(client=client)  # type: ignore[arg-type]
    good(SessionList, None).sessions[0].seen + 1  # type: ignore[operator]


account()
administration()
