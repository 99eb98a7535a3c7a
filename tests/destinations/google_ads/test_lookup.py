"""Looking up an account by REST, in the sandbox: what is found, kept, waited for, refused."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import requests

from lib.adapters.logging import JsonLog
from lib.destinations.google_ads.lookup import FRESH_SECONDS, KEPT, RENEWED_AFTER, GoogleAdsLookup
from lib.errors import RetryableError
from lib.model.account import Account
from lib.model.log import SilentLog
from sandbox.accounts import default_accounts
from sandbox.apis import Apis

CUSTOMER = "1234567890"
MANAGER = "9999999999"
LOG = SilentLog()
SEARCH = "google_ads.Search"


class Kept(dict[str, tuple[float, Account]]):
    """A cache of accounts (`lib.destinations.base.AccountCache`)."""

    def read(self, customer_id: str) -> tuple[float, Account] | None:
        return self.get(customer_id)

    def write(self, customer_id: str, read_at: float, account: Account) -> None:
        self[customer_id] = read_at, account


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
def kept() -> Kept:
    return Kept()


@pytest.fixture
def make(apis: Apis, clock: Clock, kept: Kept) -> Callable[[], GoogleAdsLookup]:
    """Return a function that returns the lookup of a new instance."""

    def connect() -> GoogleAdsLookup:
        return GoogleAdsLookup(
            lambda: apis.google_ads_key_yaml,
            apis.data_manager_endpoint,
            time.monotonic,
            lambda: clock.now,
            kept,
        )

    return connect


def queries(apis: Apis) -> int:
    return sum(each["method"] == SEARCH for each in apis.state.request_log())


def finish() -> None:
    """Wait for the lookups that run beside an upload."""
    for thread in threading.enumerate():
        if thread.name == "lookup":
            thread.join()


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


def test_an_id_does_not_wait_and_the_next_file_knows(
    apis: Apis, make: Callable[[], GoogleAdsLookup], clock: Clock, kept: Kept
) -> None:
    """The lookup runs beside the upload; another instance finds it in the state. After a day it is
    renewed; after seven days neither instance uses it."""
    lookup = make()
    assert lookup.known(CUSTOMER, None, LOG) is None
    finish()
    assert lookup.state(CUSTOMER).account == kept[CUSTOMER][1]
    asked = queries(apis)
    assert asked == 2
    clock.now += RENEWED_AFTER - 1
    for each in (lookup, make()):
        assert each.known(CUSTOMER, None, LOG) == kept[CUSTOMER][1]
        finish()
    assert queries(apis) == asked
    clock.now += 1
    assert lookup.known(CUSTOMER, None, LOG) is not None  # and it is renewed
    finish()
    assert queries(apis) == asked + 2
    apis.state.change_account(CUSTOMER, readable=False)
    clock.now += KEPT
    for each in (lookup, make()):
        assert each.known(CUSTOMER, None, LOG) is None
        finish()
        assert each.state(CUSTOMER) == (None, "ACTION_NOT_PERMITTED")


def test_whoever_waits_gets_what_is_new(
    apis: Apis, make: Callable[[], GoogleAdsLookup], clock: Clock
) -> None:
    """An account that was just read is not read again; one that somebody may have corrected is."""
    lookup = make()
    lookup.account(CUSTOMER, None)
    lookup.account(CUSTOMER, None)
    assert queries(apis) == 2
    clock.now += FRESH_SECONDS
    lookup.account(CUSTOMER, None)
    assert queries(apis) == 4


def test_a_refusal_leaves_what_was_known(
    apis: Apis, make: Callable[[], GoogleAdsLookup], clock: Clock
) -> None:
    """Nothing is raised, the reason is known, and it is not asked again at once."""
    lookup = make()
    apis.state.change_account(CUSTOMER, readable=False)
    assert lookup.known(CUSTOMER, None, LOG) is None
    finish()
    assert lookup.state(CUSTOMER) == (None, "ACTION_NOT_PERMITTED")
    asked = queries(apis)
    assert lookup.known(CUSTOMER, None, LOG) is None
    finish()
    assert queries(apis) == asked
    assert lookup.account(CUSTOMER, None) is None
    apis.state.change_account(CUSTOMER, readable=True)
    known = lookup.account(CUSTOMER, None)
    apis.state.change_account(CUSTOMER, readable=False)
    clock.now += FRESH_SECONDS
    assert lookup.account(CUSTOMER, None) == known


@pytest.mark.parametrize("query", [1, 2], ids=["the first query", "the second query"])
def test_half_a_lookup_is_none(
    apis: Apis, make: Callable[[], GoogleAdsLookup], kept: Kept, query: int
) -> None:
    """If Google cannot be reached for a part of it, whoever must wait is told to try again."""
    apis.faults.set([{"method": "Search", "nth": query, "kind": "unavailable"}])
    lookup = make()
    with pytest.raises(RetryableError) as raised:
        lookup.account(CUSTOMER, None)
    assert raised.value.code == "API_UNAVAILABLE"
    assert kept == {}
    assert lookup.account(CUSTOMER, None) is not None


def test_a_wrong_secret_is_no_reason_to_try_again(apis: Apis, clock: Clock) -> None:
    """Nobody is told to wait for what only a person can correct."""
    lookup = GoogleAdsLookup(
        lambda: "client_id: x", apis.data_manager_endpoint, time.monotonic, lambda: clock.now
    )
    assert lookup.account(CUSTOMER, None) is None
    assert lookup.state(CUSTOMER).failed == "SECRET_INVALID"


@pytest.mark.parametrize(
    "status, page, code, raised",
    [
        (403, b"<html>Blocked</html>", "HTTP_403", None),
        (407, b'{"error": "who are you?"}', "HTTP_407", None),
        (403, b'{"error": {"status": "PERMISSION_DENIED"}}', "PERMISSION_DENIED", None),
        (502, b"<html>Bad gateway</html>", "API_UNAVAILABLE", "HTTP_502"),
        (200, b"<html>Sign in</html>", "API_UNAVAILABLE", "JSONDecodeError"),
    ],
)
def test_the_status_decides_what_an_answer_is(
    monkeypatch: pytest.MonkeyPatch, status: int, page: bytes, code: str, raised: str | None
) -> None:
    """Also when a proxy answers with a page of its own: a refusal is none that a retry helps."""
    answer = requests.Response()
    answer.status_code, answer._content = status, page
    session = SimpleNamespace(post=lambda url, **given: answer)
    monkeypatch.setattr(GoogleAdsLookup, "_connect", lambda self: (session, ""))
    lookup = GoogleAdsLookup(lambda: "", "", time.monotonic, time.time)
    if raised is None:
        assert lookup.account(CUSTOMER, None) is None
    else:
        with pytest.raises(RetryableError, match=raised):
            lookup.account(CUSTOMER, None)
    assert lookup.state(CUSTOMER).failed == code


def test_a_bug_beside_an_upload_is_logged_without_its_text(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Python would print it as it is, and nobody would be told."""

    def read_credentials() -> str:
        raise KeyError("jane@example.com")

    lookup = GoogleAdsLookup(read_credentials, "", time.monotonic, time.time)
    assert lookup.known(CUSTOMER, None, JsonLog()) is None
    finish()
    printed = capfd.readouterr()
    assert json.loads(printed.out)["event"] == "unexpected_error"
    assert "jane@example.com" not in printed.out + printed.err
