"""Looking up an account by REST, in the sandbox: what is found, kept, waited for, refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import requests

from lib.destinations.google_ads.lookup import FRESH_SECONDS, KEPT_SECONDS, GoogleAdsLookup
from lib.errors import PermanentError, RetryableError, UploadError
from sandbox.accounts import default_accounts
from sandbox.apis import Apis

CUSTOMER = "1234567890"
MANAGER = "9999999999"
SEARCH = "google_ads.Search"


class Clock:
    now = 1_800_000_000.0


@pytest.fixture
def apis(_apis: Apis) -> Apis:
    _apis.faults.clear()
    _apis.state.clear()
    _apis.state.set_accounts(default_accounts())
    return _apis


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(apis: Apis, clock: Clock) -> Callable[[], GoogleAdsLookup]:
    """Return a function that returns the lookup of a new instance."""

    def connect() -> GoogleAdsLookup:
        return GoogleAdsLookup(
            lambda: apis.google_ads_key_yaml,
            apis.data_manager_endpoint,
            lambda: clock.now,
        )

    return connect


def queries(apis: Apis) -> int:
    return sum(each["method"] == SEARCH for each in apis.state.request_log())


def test_an_account_is_read_as_by_a_preflight(make: Callable[[], GoogleAdsLookup]) -> None:
    """Its actions with type, status, owner and counting, its terms, zone and currency."""
    account = make().account(CUSTOMER, None)
    assert account is not None
    assert (account.time_zone, account.currency_code) == ("America/Chicago", "USD")
    assert account.verified
    assert account.accepted_customer_data_terms
    found = account.actions
    assert found["1001"].name == "Phone sale"
    assert found["1001"].accepts == {"conversion", "adjustment"}
    assert found["1001"].lookback_days == 90
    assert found["1002"].one_per_click
    assert not found["1003"].enabled
    assert found["1004"].needs_order_id
    assert found["1004"].accepts == {"adjustment"}
    assert not found["1007"].owned
    assert found["1012"].accepts == {"call"}
    assert found["1013"].always_uses_default_value


def test_the_account_that_owns_the_conversions_is_read(
    apis: Apis, make: Callable[[], GoogleAdsLookup]
) -> None:
    """By way of the manager account that gives access."""
    apis.state.change_account(CUSTOMER, conversion_customer_id="2222222222")
    account = make().account(CUSTOMER, MANAGER)
    assert account is not None
    assert account.conversion_customer_id == "2222222222"
    assert list(account.actions) == ["2001"]


def test_an_account_is_kept_for_a_while(
    apis: Apis, make: Callable[[], GoogleAdsLookup], clock: Clock
) -> None:
    """Files of a quarter of an hour ask once; one that needs it new, after two minutes."""
    lookup = make()
    for _ in range(2):
        lookup.account(CUSTOMER, None)
        lookup.account(CUSTOMER, None, fresh=True)
    assert queries(apis) == 2
    clock.now += FRESH_SECONDS
    lookup.account(CUSTOMER, None)
    assert queries(apis) == 2
    lookup.account(CUSTOMER, None, fresh=True)
    assert queries(apis) == 4
    clock.now += KEPT_SECONDS
    lookup.account(CUSTOMER, None)
    assert queries(apis) == 6


def test_a_refusal_is_kept_as_long(
    apis: Apis, make: Callable[[], GoogleAdsLookup], clock: Clock
) -> None:
    """It has Google's code, and is not asked for again at once."""
    lookup = make()
    apis.state.change_account(CUSTOMER, readable=False)
    for _ in range(2):
        with pytest.raises(PermanentError) as raised:
            lookup.account(CUSTOMER, None)
        assert raised.value.code == "ACTION_NOT_PERMITTED"
    apis.state.change_account(CUSTOMER, readable=True)
    clock.now += KEPT_SECONDS
    assert lookup.account(CUSTOMER, None).verified


@pytest.mark.parametrize("query", [1, 2], ids=["the first query", "the second query"])
def test_half_a_lookup_is_none(apis: Apis, make: Callable[[], GoogleAdsLookup], query: int) -> None:
    """If Google cannot be reached for a part of it, whoever must wait is told to try again."""
    apis.faults.set([{"method": "Search", "nth": query, "kind": "unavailable"}])
    lookup = make()
    with pytest.raises(RetryableError) as raised:
        lookup.account(CUSTOMER, None)
    assert raised.value.code == "API_UNAVAILABLE"
    assert lookup.account(CUSTOMER, None).verified


def test_a_wrong_secret_is_no_reason_to_try_again(apis: Apis, clock: Clock) -> None:
    """Nobody is told to wait for what only a person can correct."""
    lookup = GoogleAdsLookup(lambda: "client_id: x", apis.data_manager_endpoint, lambda: clock.now)
    with pytest.raises(PermanentError, match="SECRET_INVALID"):
        lookup.account(CUSTOMER, None)


@pytest.mark.parametrize(
    "status, page, code, kind",
    [
        (403, b"<html>Blocked</html>", "HTTP_403", PermanentError),
        (407, b'{"error": "who are you?"}', "HTTP_407", PermanentError),
        (403, b'{"error": {"status": "PERMISSION_DENIED"}}', "PERMISSION_DENIED", PermanentError),
        (502, b"<html>Bad gateway</html>", "API_UNAVAILABLE", RetryableError),
        (200, b"<html>Sign in</html>", "API_UNAVAILABLE", RetryableError),
    ],
)
def test_the_status_decides_what_an_answer_is(
    monkeypatch: pytest.MonkeyPatch, status: int, page: bytes, code: str, kind: type[UploadError]
) -> None:
    """Also when a proxy answers with a page of its own: a refusal is none that a retry helps."""
    answer = requests.Response()
    answer.status_code, answer._content = status, page
    session = SimpleNamespace(post=lambda url, **given: answer)
    monkeypatch.setattr(GoogleAdsLookup, "_connect", lambda self: (session, ""))
    lookup = GoogleAdsLookup(lambda: "", "", time.monotonic)
    with pytest.raises(kind) as raised:
        lookup.account(CUSTOMER, None)
    assert raised.value.code == code
