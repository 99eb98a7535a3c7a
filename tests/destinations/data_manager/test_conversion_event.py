"""The Data Manager destination against the sandbox: accounts, stops, quota, credentials."""

from __future__ import annotations

import os
import subprocess
import sys

import data_manager_setup
import grpc
import pytest
from data_manager_setup import (
    MANAGER,
    conversion,
    numbered,
    route,
)
from google.rpc import error_details_pb2, status_pb2

from lib.catalogue.codes import lookup
from lib.destinations.credentials import DATA_MANAGER_SCOPE, authorize, read_secret
from lib.destinations.data_manager.client import DataManager
from lib.destinations.data_manager.failures import classify, event_row, field_of
from lib.errors import PermanentError, RetryableError
from sandbox.apis import Apis
from tests.destinations.sending import CUSTOMER, send, within


def ingests(apis: Apis) -> list[str]:
    """Return the status of every upload request that reached the API."""
    log = apis.state.request_log()
    return [each["status"] for each in log if each["method"] == "data_manager.IngestEvents"]


# ── accepted conversions ─────────────────────────────────────────────────────────────────────


def test_conversions_reach_their_actions(apis: Apis) -> None:
    """Several actions share one request, and each row counts only for its own action."""
    sent = send(route(apis), numbered(1, action_id="1001"), numbered(2, action_id="1002"))
    assert sent.row_results == {}
    assert len(sent.request_ids) == 1
    assert [
        (each["conversion_action_id"], each["conversion"]["transaction_id"])
        for each in apis.state.conversions()
    ] == [(1001, "A-1"), (1002, "A-2")]


def test_after_an_account_was_refused_nothing_is_sent(apis: Apis) -> None:
    """The chunk stops the file, and the next chunk sends no request."""
    destination = route(apis, login_customer_id=MANAGER)
    for chunk in (1, 2):
        sent = send(destination, numbered(chunk), customer_id="3333333333")
        assert sent.row_results[0].outcome == "not_attempted"
        assert sent.stop is not None
        assert sent.stop.code == "PERMISSION_DENIED"
        assert len(ingests(apis)) == 1


def test_validate_only_counts_nothing(apis: Apis) -> None:
    """Google checks everything and counts nothing."""
    sent = send(route(apis, validate_only=True), conversion(), conversion(currency_code="QQ"))
    assert sent.row_results.keys() == {1}
    assert list(apis.state.conversions()) == []


# ── stops ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "changes, account, code",
    [
        ({"action_id": "1003"}, {}, "INVALID_CONVERSION_ACTION_ID"),
        ({"action_id": "1012"}, {}, "INVALID_CONVERSION_ACTION_TYPE"),
        ({}, {"data_manager_allowed": False}, "NOT_ALLOWLISTED"),
        ({}, {"conversion_customer_id": MANAGER}, "INVALID_DESTINATION"),
        (
            {"hashed_emails": ("a" * 64,)},
            {"accepted_customer_data_terms": False},
            "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED",
        ),
    ],
)
def test_an_error_of_the_whole_request_stops_the_file(
    apis: Apis, changes: dict[str, str], account: dict[str, object], code: str
) -> None:
    """An error of the whole request stops the file after one request, with a code and an action."""
    apis.state.change_account(CUSTOMER, **account)
    sent = send(route(apis), *(numbered(n, **changes) for n in range(50)))
    assert sent.stop is not None
    assert sent.stop.code == code
    assert lookup(code).action
    assert {v.outcome for v in sent.row_results.values()} == {"not_attempted"}
    assert len(sent.row_results) == 50
    assert len(ingests(apis)) == 1


def test_the_same_account_error_in_every_row_stops_the_file(apis: Apis) -> None:
    """A custom variable missing in the account stops the file; every chunk would fail for it."""
    wrong = {"custom_variables": (("nowhere", "x"),)}
    sent = send(route(apis), *(numbered(n, optional_fields=wrong) for n in range(5)))
    assert {v.outcome for v in sent.row_results.values()} == {"failed"}
    assert sent.stop is not None
    assert sent.stop.code == "CUSTOM_VARIABLE_NOT_FOUND"


def test_a_token_without_the_scope_stops_the_file(
    apis: Apis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials for the Google Ads API lack the scope; this stops the file."""
    monkeypatch.setattr(
        data_manager_setup, "DATA_MANAGER_SCOPE", "https://www.googleapis.com/auth/adwords"
    )
    sent = send(route(apis), conversion(), numbered(2))
    assert sent.stop is not None
    assert sent.stop.code == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert "auth/datamanager" in lookup(sent.stop.code).action
    assert ingests(apis) == ["ACCESS_TOKEN_SCOPE_INSUFFICIENT"]
    assert {v.outcome for v in sent.row_results.values()} == {"not_attempted"}
    assert len(sent.row_results) == 2


# ── transient errors ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "kind",
    ["unavailable", "internal_before_commit", "internal_after_commit", "drop_connection",
     "resource_temporarily_exhausted"],
)  # fmt: skip
def test_a_transient_error_is_retried(apis: Apis, kind: str) -> None:
    """After a transient error, the request is sent again and every row counts once."""
    apis.faults.set([{"method": "IngestEvents", "nth": 1, "kind": kind}])
    sent = send(route(apis), *(numbered(n) for n in range(20)))
    assert sent.row_results == {}
    assert sent.stop is None
    assert len(list(apis.state.conversions())) == 20
    assert len(ingests(apis)) == 2


def test_the_daily_quota_ends_the_attempt(apis: Apis) -> None:
    """An exhausted daily quota ends the attempt, because retries on the same day cannot help."""
    apis.faults.set([{"method": "IngestEvents", "nth": 1, "kind": "resource_exhausted"}])
    with pytest.raises(RetryableError) as raised:
        send(route(apis), numbered(1))
    assert raised.value.code == "DAILY_QUOTA"
    assert len(ingests(apis)) == 1


def test_the_deadline_ends_the_attempt(apis: Apis) -> None:
    """After it, no request starts. Before the first answer, nothing is known about the rows."""
    with pytest.raises(RetryableError, match="DEADLINE"):
        send(route(apis), conversion(), seconds=-1.0)
    assert ingests(apis) == []


def _quota_error(quota_limit: str) -> Exception:
    class Failed(grpc.RpcError, grpc.Call):  # type: ignore[misc]
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.RESOURCE_EXHAUSTED

        def details(self) -> str:
            return "Too many requests."

        def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
            info = error_details_pb2.ErrorInfo(reason="RATE_LIMIT_EXCEEDED")
            if quota_limit:
                info.metadata["quota_limit"] = quota_limit
            status = status_pb2.Status(code=8)
            status.details.add().Pack(info)
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.seconds = 7
            status.details.add().Pack(retry)
            return (("grpc-status-details-bin", status.SerializeToString()),)

        initial_metadata = is_active = time_remaining = cancel = add_callback = None

    return Failed()


@pytest.mark.parametrize(
    "quota_limit, kind",
    [
        ("IngestionMutateRequestsPerMinutePerProject", "quota"),
        ("IngestionMutateRequestsPerDayPerProject", "daily_quota"),
        ("", "quota"),
    ],
)
def test_the_daily_quota_differs_from_the_quota_per_minute(quota_limit: str, kind: str) -> None:
    """Google names the limit in ErrorInfo; without a name, the limit per minute is assumed."""
    failure = classify(_quota_error(quota_limit))
    assert failure.kind == kind
    if kind == "quota":
        assert failure.retry_delay_seconds == 7


# ── credentials ──────────────────────────────────────────────────────────────────────────────


def test_a_key_that_cannot_be_read_is_reported_without_its_path() -> None:
    """The code is SECRET_INVALID, and the message contains nothing from the payload."""
    with pytest.raises(PermanentError) as raised:
        authorize(read_secret("json_key_file_path: /nowhere.json"), DATA_MANAGER_SCOPE)
    assert raised.value.code == "SECRET_INVALID"
    assert "nowhere" not in raised.value.detail


def is_answered(destination: DataManager) -> bool:
    """Whether the API answers, if only that it does not know the request."""
    (status,) = destination.request_statuses(["nothing"], within(10))
    return status.code == "INVALID_REQUEST_ID"


def test_a_key_in_the_secret_itself_works(apis: Apis) -> None:
    """The payload may be a service account key."""
    assert is_answered(route(apis, secret=apis.service_account_path.read_text()))


def test_refused_credentials_are_reported_before_the_first_request(
    apis: Apis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused credentials raise an error early; gRPC's UNAVAILABLE would be retried for a day."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(apis.service_account_path))
    apis.state.refuse_tokens = True
    secret = read_secret("use_application_default_credentials: true")
    with pytest.raises(PermanentError) as raised:
        authorize(secret, DATA_MANAGER_SCOPE)
    assert raised.value.code == "CREDENTIALS_REFUSED"


def test_application_default_credentials_get_the_scope(
    apis: Apis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is requested with this API's scope."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(apis.service_account_path))
    assert is_answered(route(apis, secret="use_application_default_credentials: true"))


OWN_IDENTITY = """
from lib.destinations.credentials import ADWORDS_SCOPE, authorize, read_secret
from lib.errors import AttemptError
secret = read_secret("use_application_default_credentials: true")
try:
    print(authorize(secret, ADWORDS_SCOPE).credentials.token)
except AttemptError as error:
    print(type(error).__name__, error.code)
"""


@pytest.mark.parametrize(
    ("has_account", "env"), [(False, {}), (True, {"NO_GCE_CHECK": "true"})], ids=str
)
def test_an_unreachable_metadata_server_is_retryable(
    apis: Apis, has_account: bool, env: dict[str, str]
) -> None:
    """The function's own identity can be unreachable but not refused: the event is redelivered."""
    apis.state.instance_has_account = has_account
    answer = subprocess.run(  # google-auth reads the metadata server's address when it is imported
        [sys.executable, "-c", OWN_IDENTITY],
        env={**os.environ, **apis.env(), **env},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["RetryableError", "API_UNAVAILABLE"]


# ── field paths ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path, row, field",
    [
        ("events.events[1].user_data.user_identifiers[2].email_address", 1, "email"),
        ("events.events[1].user_data.user_identifiers[2]", 1, "email"),
        ("events[12].event_timestamp", 12, "conversion_date_time"),
        ("events[0]", 0, ""),
        ("events.events[3].user_data.user_identifiers[0].address.given_name", 3, "first_name"),
        ("events[4].ad_identifiers.landing_page_device_info.ip_address", 4, "user_ip_address"),
        ("events[5].cart_data.items[2].unit_price", 5, "items"),
        ("events[5].custom_variables[0].value", 5, "custom_variable"),
        ("destinations[0].product_destination_id", None, ""),
        ("encoding", None, ""),
        ("", None, ""),
    ],
)
def test_field_paths_lead_to_row_and_column(path: str, row: int | None, field: str) -> None:
    """Google's field paths, in both styles, lead to the row and the column."""
    assert event_row(path) == row
    assert field_of(path, "conversion") == field
