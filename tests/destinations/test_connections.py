"""What an instance keeps: the secret, credentials for each scope, and the connections."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from lib.destinations import connections as module
from lib.destinations.connections import (
    SECRET_SECONDS,
    KeptConnection,
    PacedConnection,
    SignIns,
    begin,
)
from lib.destinations.credentials import ADWORDS_SCOPE, DATA_MANAGER_SCOPE, Authorized
from lib.destinations.pacing import Pacer, RequestFailure
from lib.errors import RetryableError
from lib.model.deadline import Deadline
from lib.model.log import SilentLog
from tests.fakes import Clock

SECRET = "client_id: a\nclient_secret: b\nrefresh_token: c\nlogin_customer_id: 999999999"


class Google:
    """Counts what is made. Version N of the secret names the manager account 999999999N."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.version = 0
        self.tokens = count(1)
        self.made: list[str] = []
        self.clock = Clock()
        self.is_down = False
        monkeypatch.setattr(module, "authorize", self.authorize)
        monkeypatch.setattr(module, "elapsed_seconds", self.clock.monotonic)
        self.sign_ins = SignIns(self.read_credentials)

    def read_credentials(self) -> str:
        self.made.append("secret")
        if self.is_down:
            raise RetryableError("API_UNAVAILABLE", "Secret Manager")
        return f"{SECRET}{self.version}"

    def authorize(self, configuration: Any, scope: str) -> Authorized:
        self.made.append("token")
        return Authorized(configuration, f"token {next(self.tokens)}")

    def connection(self, scope: str) -> KeptConnection[Authorized, str]:
        def connect(authorized: Authorized) -> str:
            self.made.append("channel")
            number = authorized.configuration.login_customer_id[-1]
            return f"secret {number}, {authorized.credentials}, channel {len(self.made)}"

        return KeptConnection(self.sign_ins.for_scope(scope), connect)


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Google:
    return Google(monkeypatch)


@pytest.mark.parametrize(("scope", "tokens"), [(ADWORDS_SCOPE, 1), (DATA_MANAGER_SCOPE, 2)])
def test_uploads_and_looks_share_the_secret(google: Google, scope: str, tokens: int) -> None:
    """It is read once; and each scope has one token."""
    looks, uploads = google.connection(ADWORDS_SCOPE), google.connection(scope)
    for _ in range(2):
        looks.get()
        uploads.get()
    assert google.made.count("secret") == 1
    assert google.made.count("token") == tokens
    assert google.made.count("channel") == 2


def test_an_old_secret_is_read_again(google: Google) -> None:
    """Then every connection is made with the new one."""
    both = google.connection(ADWORDS_SCOPE), google.connection(DATA_MANAGER_SCOPE)
    assert {each.get()[:8] for each in both} == {"secret 0"}
    google.version = 1
    google.clock.seconds += SECRET_SECONDS - 1
    assert {each.get()[:8] for each in both} == {"secret 0"}
    google.clock.seconds += 1
    assert {each.get()[:8] for each in both} == {"secret 1"}
    assert google.made.count("secret") == 2


def request_with_defect(kept: KeptConnection[Authorized, str], defect: Any) -> None:
    """Send a request whose first try shows a defect of the connection."""
    tries = iter([True, False])

    def request(connection: str, seconds: float) -> None:
        if next(tries):
            raise ConnectionError

    PacedConnection(kept, Pacer(1, sleep=lambda seconds: None)).send(
        request,
        lambda error: RequestFailure("transient", "X", defect=defect),
        deadline=Deadline(1e9, 1e9),
        timeout_seconds=1,
        log=SilentLog(),
    )


def test_what_google_refuses_is_made_again_from_the_secret_on(google: Google) -> None:
    """Also the connections of other scopes, because the secret may have been replaced. A connection
    that did not answer costs only itself."""
    looks, uploads = google.connection(ADWORDS_SCOPE), google.connection(DATA_MANAGER_SCOPE)
    looks.get()
    uploads.get()
    google.version = 1
    google.made.clear()
    request_with_defect(uploads, "NO_ANSWER")
    assert google.made == ["channel"]
    request_with_defect(uploads, "UNAUTHENTICATED")
    assert google.made == ["channel", "secret", "token", "channel"]
    assert looks.get().startswith("secret 1")
    assert google.made.count("secret") == 1


def test_one_of_several_that_notice_a_refusal_connects_again(google: Google) -> None:
    """The others have an old connection, and their word about it changes nothing."""
    uploads = google.connection(ADWORDS_SCOPE)
    refused = uploads.get()
    uploads.discard_refused(refused)
    renewed = uploads.get()
    uploads.discard_refused(refused)
    assert uploads.get() is renewed


def test_what_is_begun_early_may_fail(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first use tries again, and succeeds, or tells why it cannot."""
    monkeypatch.setattr(module.threading.Thread, "start", lambda thread: thread.run())
    uploads = google.connection(ADWORDS_SCOPE)
    google.is_down = True
    begin(uploads)
    with pytest.raises(RetryableError):
        uploads.get()
    google.is_down = False
    begin(uploads)
    google.made.clear()
    uploads.get()
    assert google.made == []
