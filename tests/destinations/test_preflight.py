"""One look at an account before the first row, in the sandbox: what is seen, kept, refused."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from lib.destinations import preflight as module
from lib.destinations.connections import SignIns
from lib.destinations.credentials import ADWORDS_SCOPE
from lib.destinations.preflight import (
    ACTION_QUERY,
    CUSTOM_VARIABLE_QUERY,
    CUSTOMER_QUERY,
    KEPT_SECONDS,
    Preflight,
    read_account,
)
from lib.destinations.rest import RestSession
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.log import SilentLog
from sandbox.apis import Apis
from tests.fakes import Clock

CUSTOMER = "1234567890"
MANAGER = "9999999999"
OWNER = "2222222222"
SEARCH = "google_ads.Search"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def preflight(apis: Apis, clock: Clock | None = None, secret: str = "") -> Preflight:
    """Return the preflight of a new instance."""
    text = secret or apis.google_ads_key_yaml
    monotonic = (clock or Clock()).monotonic
    credentials = SignIns(lambda: text).for_scope(ADWORDS_SCOPE)
    return Preflight(credentials, apis.data_manager_endpoint, monotonic)


def look(
    at: Preflight,
    customer_id: str = CUSTOMER,
    manager_id: str = "",
    *,
    custom_variables: bool = False,
) -> Account:
    log = SilentLog()
    return at.account(customer_id, manager_id, log, custom_variables=custom_variables)


def queries(apis: Apis) -> int:
    return sum(each["method"] == SEARCH for each in apis.state.request_log())


def test_an_account_is_read_with_its_actions(apis: Apis) -> None:
    """Its zone, currency and terms; type, status, owner and counting of its actions."""
    account = look(preflight(apis))
    assert (account.time_zone, account.currency_code) == ("America/Chicago", "USD")
    assert account.verified
    assert account.unread is None
    assert account.accepted_customer_data_terms
    actions = account.actions
    assert actions["1001"].name == "Phone sale"
    assert actions["1001"].accepts == {"conversion", "adjustment"}
    assert not actions["1003"].enabled
    assert (actions["1004"].accepts, actions["1004"].is_of_tag) == ({"adjustment"}, True)
    assert actions["1012"].accepts == {"call"}
    assert [each.id for each in actions.values() if each.always_uses_default_value] == ["1013"]
    assert account.custom_variables == {}
    assert queries(apis) == 2


def test_custom_variables_are_read_if_the_file_has_any(apis: Apis) -> None:
    """They cost one more query."""
    assert look(preflight(apis), custom_variables=True).custom_variables
    assert queries(apis) == 3


def test_a_look_without_the_custom_variables_fails() -> None:
    """Otherwise, each of them would be reported as unknown to the account."""

    def search(customer_id: str, query: str) -> Iterator[dict[str, Any]]:
        if query == CUSTOM_VARIABLE_QUERY:
            raise PermanentError("QUERY_REFUSED")
        return iter([{"id": "1001"}])

    with pytest.raises(PermanentError, match="QUERY_REFUSED"):
        read_account(CUSTOMER, search, custom_variables=True)


def test_the_owner_of_the_conversions_is_read(apis: Apis) -> None:
    """If another account owns them, its terms, currency and actions matter. That costs two queries
    more."""
    apis.state.change_account(CUSTOMER, conversion_customer_id=OWNER)
    account = look(preflight(apis), manager_id=MANAGER)
    assert (account.customer_id, account.conversion_customer_id) == (CUSTOMER, OWNER)
    assert (account.currency_code, [*account.actions]) == ("EUR", ["2001"])
    assert queries(apis) == 4


def test_the_queries_of_a_look_are_made_at_the_same_time(apis: Apis) -> None:
    """The second one is on its way before the first one is answered."""
    at = preflight(apis)
    apis.faults.set([{"method": "Search", "kind": "latency_ms", "latency_ms": 1000}])
    look(at)
    first, second = (each for each in apis.state.requests if each.method == SEARCH)
    assert abs(second.started_at - first.started_at).total_seconds() < 1


def test_a_look_is_used_for_a_short_time(apis: Apis, clock: Clock) -> None:
    """A burst of files costs one look. Afterwards, a corrected account is seen."""
    at = preflight(apis, clock)
    first = look(at)
    assert look(at) is first
    assert queries(apis) == 2
    apis.state.change_account(CUSTOMER, accepted_customer_data_terms=False)
    clock.seconds += KEPT_SECONDS
    assert not look(at).accepted_customer_data_terms


def test_a_refused_look_says_why(apis: Apis, clock: Clock) -> None:
    """The account is not verified, and a later attempt would not read it either."""
    apis.state.change_account(CUSTOMER, readable=False)
    account = look(preflight(apis, clock))
    assert (account.verified, account.is_unreachable) == (False, False)
    assert account.unread is not None
    assert account.unread.code == "ACTION_NOT_PERMITTED"
    assert (account.conversion_customer_id, account.actions) == (CUSTOMER, {})


def test_a_transient_error_is_retried(apis: Apis) -> None:
    """One that is over at the next try is no reason to go on without the account."""
    apis.faults.set([{"method": "Search", "nth": 2, "kind": "unavailable"}])
    assert look(preflight(apis)).verified


@pytest.mark.parametrize("kind", ["unavailable", "hang"])
def test_a_slow_or_silent_api_does_not_hold_up_the_file(
    apis: Apis, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """After a bounded time, the account is unreachable: a later attempt may read it."""
    monkeypatch.setattr(module, "READ_SECONDS", 1.0)
    monkeypatch.setattr(module, "QUERY_SECONDS", 0.5)
    apis.faults.set([{"method": "Search", "kind": kind}])
    account = look(preflight(apis))
    assert (account.verified, account.is_unreachable) == (False, True)
    assert account.unread is not None
    assert account.unread.code == "API_UNAVAILABLE"


def test_a_wrong_secret_is_no_reason_to_try_again(apis: Apis) -> None:
    """Only a person can correct it."""
    account = look(preflight(apis, secret="client_id: x"))
    assert account.unread is not None
    assert (account.unread.code, account.is_unreachable) == ("SECRET_INVALID", False)


@pytest.mark.parametrize(
    ("status", "page", "code", "is_unreachable"),
    [
        (403, b"<html>Blocked</html>", "HTTP_403", False),
        (407, b'{"error": "who are you?"}', "HTTP_407", False),
        (403, b'{"error": {"status": "PERMISSION_DENIED"}}', "PERMISSION_DENIED", False),
        (502, b"<html>Bad gateway</html>", "API_UNAVAILABLE", True),
        (200, b"<html>Sign in</html>", "API_UNAVAILABLE", True),
    ],
)
def test_the_status_decides_what_an_answer_is(
    apis: Apis,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    page: bytes,
    code: str,
    is_unreachable: bool,
) -> None:
    """Also when a proxy answers with a page of its own."""
    answer = requests.Response()
    answer.status_code, answer._content = status, page
    fake = SimpleNamespace(request=lambda method, url, **given: answer)

    def made(session: RestSession, *given: Any, **named: Any) -> None:
        session._session, session._root, session._verify = fake, "", True

    monkeypatch.setattr(RestSession, "__init__", made)
    monkeypatch.setattr(module, "READ_SECONDS", 0.3)
    account = look(preflight(apis))
    assert account.unread is not None
    assert (account.unread.code, account.is_unreachable) == (code, is_unreachable)


def test_the_rows_of_all_pages(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is asked for with the token of the page before it."""
    pages: dict[str, Any] = {
        "": {"nextPageToken": "2"},  # a page may be empty
        "2": {"nextPageToken": "3", "results": [{"conversionAction": {"id": "1"}}]},
        "3": {"results": [{"conversionAction": {"id": "2"}}]},
    }

    def send(session: RestSession, method: str, path: str, seconds: float, **given: Any) -> Any:
        return pages[given["json"].get("pageToken", "")]

    monkeypatch.setattr(RestSession, "send", send)
    found = preflight(apis).make_search("", SilentLog())(CUSTOMER, ACTION_QUERY)
    assert [each["id"] for each in found] == ["1", "2"]


@pytest.mark.parametrize("query", [CUSTOMER_QUERY, ACTION_QUERY, CUSTOM_VARIABLE_QUERY])
def test_a_query_selects_only_fields_of_its_resource(query: str) -> None:
    """What it selects from another resource would not be read."""
    fields, _, rest = query.removeprefix("SELECT ").partition(" FROM ")
    assert {field.split(".")[0] for field in fields.split(", ")} == {rest.split()[0]}
