"""The local Google Ads API with the real client: every rule that it enforces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
from ads_requests import (
    CUSTOMER,
    EMAIL,
    GCLID,
    Failure,
    ago,
    code_of,
    conversion,
    failure_behind,
    failures,
    path_of,
    request,
)
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException
from google.api_core import exceptions
from pydantic import ValidationError

from sandbox.apis import Apis
from sandbox.google_ads import API_VERSION, ads_module, service
from sandbox.google_ads.errors import code_number

OTHER = "customers/1234567890/conversionActions/"
VARIABLE = f"customers/{CUSTOMER}/conversionCustomVariables/"
C = "conversions[0]"
STATUS = ads_module(
    "enums.types.offline_conversion_diagnostic_status_enum"
).OfflineConversionDiagnosticStatusEnum.OfflineConversionDiagnosticStatus


ROWS: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("good", {}, []),
    ("good with an email", {"user_identifiers": [{"hashed_email": EMAIL}]}, []),
    ("email alone", {"gclid": None, "user_identifiers": [{"hashed_email": EMAIL}]}, []),
    ("gbraid", {"gclid": None, "gbraid": "0AAAAADexample"}, []),
    ("consent", {"consent": {"ad_user_data": "GRANTED"}}, []),
    ("custom variable", {"custom_variables": [
        {"conversion_custom_variable": VARIABLE + "7001", "value": "north"}]}, []),
    ("nothing to match", {"gclid": None}, [(C + ".gclid", "REQUIRED")]),
    ("no action", {"conversion_action": None}, [(C + ".conversion_action", "REQUIRED")]),
    ("malformed action", {"conversion_action": "1001"},
     [(C + ".conversion_action", "RESOURCE_NAME_MALFORMED")]),
    ("the customer ID in the action's name is ignored",
     {"conversion_action": "customers/1/conversionActions/1001"}, []),
    ("unknown action", {"conversion_action": OTHER + "9"},
     [(C + ".conversion_action", "NO_CONVERSION_ACTION_FOUND")]),
    ("removed action", {"conversion_action": OTHER + "1003"},
     [(C + ".conversion_action", "NO_CONVERSION_ACTION_FOUND")]),
    ("action of the manager", {"conversion_action": OTHER + "1007"},
     [(C + ".conversion_action", "NO_CONVERSION_ACTION_FOUND")]),
    ("website action", {"conversion_action": OTHER + "1004"},
     [(C + ".conversion_action", "INVALID_CONVERSION_ACTION_TYPE")]),
    ("new action", {"conversion_action": OTHER + "1005"},
     [(C + ".conversion_action", "TOO_RECENT_CONVERSION_ACTION")]),
    ("no time", {"conversion_date_time": None}, [(C + ".conversion_date_time", "REQUIRED")]),
    ("no offset", {"conversion_date_time": "2026-01-01 12:00:00"},
     [(C + ".conversion_date_time", "INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET")]),
    ("offset without its colon", {"conversion_date_time": "2026-01-01 12:00:00+0100"},
     [(C + ".conversion_date_time", "INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET")]),
    ("a T", {"conversion_date_time": "2026-01-01T12:00:00+01:00"},
     [(C + ".conversion_date_time", "INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET")]),
    ("31 February", {"conversion_date_time": "2026-02-31 12:00:00+01:00"},
     [(C + ".conversion_date_time", "INVALID_FIELD_VALUES_IN_DATE_TIME")]),
    ("future", {"conversion_date_time": ago(days=-1)},
     [(C + ".conversion_date_time", "LATER_THAN_MAXIMUM_DATE")]),
    ("too old", {"conversion_date_time": ago(days=91)},
     [(C + ".conversion_date_time", "EXPIRED_EVENT")]),
    ("just young enough", {"conversion_date_time": ago(days=89)}, []),
    ("too old for this action",
     {"conversion_action": OTHER + "1002", "conversion_date_time": ago(days=31)},
     [(C + ".conversion_date_time", "EXPIRED_EVENT")]),
    ("too old for an identifier alone",
     {"gclid": None, "user_identifiers": [{"hashed_email": EMAIL}],
      "conversion_date_time": ago(days=64)},
     [(C + ".conversion_date_time", "EXPIRED_EVENT")]),
    ("short gclid", {"gclid": "abc"}, [(C + ".gclid", "UNPARSEABLE_GCLID")]),
    ("odd gclid", {"gclid": "EAIaIQ ob+ChMI"}, [(C + ".gclid", "UNPARSEABLE_GCLID")]),
    ("odd gbraid", {"gclid": None, "gbraid": "x y"}, [(C + ".gbraid", "UNPARSEABLE_GBRAID")]),
    ("odd wbraid", {"gclid": None, "wbraid": "x y"}, [(C + ".wbraid", "UNPARSEABLE_WBRAID")]),
    ("both braids", {"gclid": None, "gbraid": "0AAAAADexample", "wbraid": "CjgKCAexample"},
     [(C + ".gbraid", "GBRAID_WBRAID_BOTH_SET")]),
    ("gclid and braid", {"gbraid": "0AAAAADexample"}, [(C + ".gbraid", "VALUE_MUST_BE_UNSET")]),
    ("braid on one per click",
     {"gclid": None, "wbraid": "CjgKCAexample", "conversion_action": OTHER + "1002"},
     [(C + ".wbraid", "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID")]),
    ("six identifiers", {"user_identifiers": [{"hashed_email": EMAIL}] * 6},
     [(C + ".user_identifiers", "TOO_MANY")]),
    ("five identifiers", {"user_identifiers": [{"hashed_email": EMAIL}] * 5}, []),
    ("raw email on the second identifier",
     {"user_identifiers": [{"hashed_email": EMAIL}, {"hashed_email": "ann@example.com"}]},
     [(C + ".user_identifiers[1].hashed_email", "INVALID_USER_IDENTIFIER")]),
    ("short hash", {"user_identifiers": [{"hashed_phone_number": EMAIL[:-1]}]},
     [(C + ".user_identifiers[0].hashed_phone_number", "INVALID_USER_IDENTIFIER")]),
    ("empty identifier", {"user_identifiers": [{"user_identifier_source": "FIRST_PARTY"}]},
     [(C + ".user_identifiers[0]", "REQUIRED")]),
    ("address", {"user_identifiers": [{"address_info": {"country_code": "US"}}]},
     [(C + ".user_identifiers[0].address_info", "UNSUPPORTED_USER_IDENTIFIER")]),
    ("mobile id", {"user_identifiers": [{"mobile_id": "x"}]},
     [(C + ".user_identifiers[0].mobile_id", "UNSUPPORTED_USER_IDENTIFIER")]),
    ("custom variable with an identifier",
     {"user_identifiers": [{"hashed_email": EMAIL}], "custom_variables": [
         {"conversion_custom_variable": VARIABLE + "7001", "value": "north"}]},
     [(C + ".custom_variables", "VALUE_MUST_BE_UNSET")]),
    ("paused custom variable", {"custom_variables": [
        {"conversion_custom_variable": VARIABLE + "7002", "value": "north"}]},
     [(C + ".custom_variables[0].conversion_custom_variable", "CUSTOM_VARIABLE_NOT_ENABLED")]),
    ("personal data in a custom variable", {"custom_variables": [
        {"conversion_custom_variable": VARIABLE + "7001", "value": "ann@example.com"}]},
     [(C + ".custom_variables[0].value", "CUSTOM_VARIABLE_VALUE_CONTAINS_PII")]),
    ("email in the order id", {"order_id": "ann@example.com"},
     [(C + ".order_id", "ORDER_ID_CONTAINS_PII")]),
    ("currency", {"currency_code": "US"}, [(C + ".currency_code", "UNSUPPORTED")]),
    ("lower case currency", {"currency_code": "usd"}, [(C + ".currency_code", "UNSUPPORTED")]),
    ("negative value", {"conversion_value": -1.0}, [(C + ".conversion_value", "TOO_LOW")]),
    ("not a number", {"conversion_value": float("nan")},
     [(C + ".conversion_value", "INVALID_VALUE")]),
    ("ad personalization", {"consent": {"ad_personalization": "GRANTED"}},
     [(C + ".consent.ad_personalization", "VALUE_MUST_BE_UNSET")]),
    ("session attributes", {"session_attributes_encoded": b"e30="},
     [(C + ".session_attributes_encoded", "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE")]),
    ("ip address", {"user_ip_address": "192.0.2.1"},
     [(C + ".user_ip_address", "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE")]),
    ("two errors", {"gclid": "x y", "currency_code": "US"},
     [(C + ".gclid", "UNPARSEABLE_GCLID"), (C + ".currency_code", "UNSUPPORTED")]),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_row_rules(
    apis: Apis, uploader: Any, fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """A row is refused with Google's own code and field, or it is accepted."""
    row = conversion(**fields)
    response = uploader.upload_click_conversions(request=request(row), timeout=60)

    assert failures(response) == expected
    assert len(response.results) == 1
    assert bool(response.results[0].conversion_action) == (not expected)
    assert len(apis.state.accepted) == (0 if expected else 1)


REQUESTS: list[tuple[str, dict[str, Any], str, grpc.StatusCode]] = [
    ("not partial", {"partial_failure": False}, "PARTIAL_FAILURE_MODE_REQUIRED",
     grpc.StatusCode.INVALID_ARGUMENT),
    ("job id 0", {"job_id": 0}, "INVALID_JOB_ID", grpc.StatusCode.INVALID_ARGUMENT),
    ("job id below 0", {"job_id": -5}, "INVALID_JOB_ID", grpc.StatusCode.INVALID_ARGUMENT),
    ("customer with dashes", {"customer_id": "123-456-7890"}, "INVALID_CUSTOMER_ID",
     grpc.StatusCode.INVALID_ARGUMENT),
    ("unknown customer", {"customer_id": "1111111111"}, "CUSTOMER_NOT_FOUND",
     grpc.StatusCode.UNAUTHENTICATED),
    ("forbidden customer", {"customer_id": "3333333333"}, "USER_PERMISSION_DENIED",
     grpc.StatusCode.PERMISSION_DENIED),
    ("only through its manager", {"customer_id": "2222222222"}, "USER_PERMISSION_DENIED",
     grpc.StatusCode.PERMISSION_DENIED),
    ("new adopter", {"customer_id": "6666666666"}, "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE",
     grpc.StatusCode.PERMISSION_DENIED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "code", "status"), [r[1:] for r in REQUESTS], ids=[r[0] for r in REQUESTS]
)
def test_request_rules(
    apis: Apis, uploader: Any, fields: dict[str, Any], code: str, status: grpc.StatusCode
) -> None:
    """An error outside of the rows ends the RPC: a GoogleAdsException with the request ID."""
    with pytest.raises(GoogleAdsException) as raised:
        uploader.upload_click_conversions(request=request(conversion(), **fields), timeout=60)

    assert [code_of(error) for error in raised.value.failure.errors] == [code]
    assert raised.value.error.code() is status
    assert raised.value.request_id == apis.state.requests[-1].request_id
    assert apis.state.requests[-1].status == code
    assert not apis.state.accepted


def test_allowlisted_caller_may_send_session_attributes(apis: Apis, uploader: Any) -> None:
    """Allowlisted accounts may send session attributes and IP addresses."""
    apis.state.change_account(CUSTOMER, allowlisted_for_session_attributes=True)
    row = conversion(gclid=None, session_attributes_encoded=b"e30=", user_ip_address="192.0.2.1")
    response = uploader.upload_click_conversions(request=request(row), timeout=60)
    assert failures(response) == []


def test_login_customer_id(apis: Apis) -> None:
    """A manager's ID in the header gives access to its client account; another ID does not, nor
    does that of the account itself."""
    for login, opened in (("9999999999", True), ("8888888888", False), ("2222222222", False)):
        yaml = apis.google_ads_key_yaml + f'login_customer_id: "{login}"\n'
        client = GoogleAdsClient.load_from_string(yaml, version=API_VERSION)
        uploads = client.get_service("ConversionUploadService")
        row = conversion(conversion_action="customers/2222222222/conversionActions/2001")
        given = request(row, customer_id="2222222222")
        if opened:
            assert not failures(uploads.upload_click_conversions(request=given, timeout=60))
            continue
        with pytest.raises(GoogleAdsException) as raised:
            uploads.upload_click_conversions(request=given, timeout=60)
        assert code_of(raised.value.failure.errors[0]) == "USER_PERMISSION_DENIED"


def test_trigger_and_message_hold_googles_way_of_telling(apis: Apis, uploader: Any) -> None:
    """The failure contains the raw offending value and the request ID, as Google's does."""
    row = conversion(user_identifiers=[{"hashed_email": "ann@example.com"}])
    response = uploader.upload_click_conversions(request=request(conversion(), row), timeout=60)
    failure = Failure()
    response.partial_failure_error.details[0].Unpack(failure)

    assert failure.errors[0].trigger.string_value == "ann@example.com"
    assert path_of(failure.errors[0]) == "conversions[1].user_identifiers[0].hashed_email"
    assert failure.request_id == apis.state.requests[-1].request_id
    assert response.partial_failure_error.code == 3
    assert response.results[0].gclid == GCLID
    assert response.results[1] == type(response.results[1])()


def test_duplicates_in_a_request(uploader: Any) -> None:
    """All rows with the same click and time, or order ID, are refused."""
    moment = ago(days=3)
    click = [conversion(conversion_date_time=moment, gclid=g) for g in (GCLID, GCLID + "x", GCLID)]
    order = [conversion(gclid=GCLID + str(n), order_id=o) for n, o in enumerate(("A", "B", "A"))]

    response = uploader.upload_click_conversions(request=request(*click), timeout=60)
    wanted = "DUPLICATE_CLICK_CONVERSION_IN_REQUEST"
    assert failures(response) == [(f"conversions[{n}]", wanted) for n in (0, 2)]
    response = uploader.upload_click_conversions(request=request(*order), timeout=60)
    wanted = "DUPLICATE_ORDER_ID"
    assert failures(response) == [(f"conversions[{n}]", wanted) for n in (0, 2)]


def test_duplicates_across_requests(apis: Apis, uploader: Any) -> None:
    """A repeat of an accepted click, instant and action, or order ID and action, is refused."""
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(days=4)
    utc = f"{moment:%Y-%m-%d %H:%M:%S}+00:00"
    berlin = f"{moment + timedelta(hours=2):%Y-%m-%d %H:%M:%S}+02:00"
    first = [
        conversion(conversion_date_time=utc),
        conversion(gclid=GCLID + "1", order_id="A-1"),
    ]
    again = [
        conversion(conversion_date_time=berlin),
        conversion(gclid=GCLID + "2", order_id="A-1"),
        conversion(conversion_date_time=utc, conversion_action=OTHER + "1002"),
        conversion(gclid=GCLID + "3", order_id="A-1", conversion_action=OTHER + "1002"),
    ]
    assert not failures(uploader.upload_click_conversions(request=request(*first), timeout=60))
    response = uploader.upload_click_conversions(request=request(*again), timeout=60)
    assert failures(response) == [
        ("conversions[0]", "CLICK_CONVERSION_ALREADY_EXISTS"),
        ("conversions[1].order_id", "ORDER_ID_ALREADY_IN_USE"),
    ]
    assert len(apis.state.accepted) == 4


def test_a_known_click_with_a_known_order(apis: Apis, uploader: Any) -> None:
    """A repeat by click and by order ID is refused for both."""
    row = conversion(conversion_date_time=ago(days=3), order_id="A-1")
    assert not failures(uploader.upload_click_conversions(request=request(row), timeout=60))
    response = uploader.upload_click_conversions(request=request(row), timeout=60)
    assert [code for _, code in failures(response)] == [
        "CLICK_CONVERSION_ALREADY_EXISTS",
        "ORDER_ID_ALREADY_IN_USE",
    ]
    assert len(apis.state.accepted) == 1


def test_registered_clicks(apis: Apis, uploader: Any) -> None:
    """A click must be at least 6 hours old, precede its conversion, and be in the window."""
    now = datetime.now(UTC)
    apis.state.register_clicks(
        {
            "click-5-hours": now - timedelta(hours=5),
            "click-7-hours": now - timedelta(hours=7),
            "click-1-day-old": now - timedelta(days=1),
            "click-89-days": now - timedelta(days=120),
        }
    )
    rows = [
        conversion(gclid="click-5-hours", conversion_date_time=ago(hours=1)),
        conversion(gclid="click-7-hours", conversion_date_time=ago(hours=1)),
        conversion(gclid="click-1-day-old", conversion_date_time=ago(days=2)),
        conversion(gclid="click-89-days", conversion_date_time=ago(days=2)),
    ]
    response = uploader.upload_click_conversions(request=request(*rows), timeout=60)
    assert failures(response) == [
        ("conversions[0]", "TOO_RECENT_EVENT"),
        ("conversions[2].conversion_date_time", "CONVERSION_PRECEDES_EVENT"),
        ("conversions[3].conversion_date_time", "EXPIRED_EVENT"),
    ]


def test_message_over_64_megabytes(apis: Apis, uploader: Any) -> None:
    """A message over 64 MB is RESOURCE_EXHAUSTED without a GoogleAdsFailure."""
    given = request(conversion(order_id="x" * (65 * 1024 * 1024)))
    with pytest.raises(exceptions.ResourceExhausted) as raised:
        uploader.upload_click_conversions(request=given, timeout=60)
    trailing = dict(raised.value.errors[0].trailing_metadata() or ())
    assert not [key for key in trailing if "googleadsfailure" in key]


def test_token_bucket(apis: Apis, uploader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above its rate, an account returns the delay to wait; after that, it accepts requests."""
    now = [1000.0]
    monkeypatch.setattr(service, "time", SimpleNamespace(monotonic=lambda: now[0]))
    apis.state.change_account(CUSTOMER, requests_per_second=4.0, burst=1.0)
    uploader.upload_click_conversions(request=request(conversion()), timeout=60)
    with pytest.raises(exceptions.ResourceExhausted) as raised:
        uploader.upload_click_conversions(request=request(conversion()), timeout=60)
    error = failure_behind(raised.value).errors[0]
    assert code_of(error) == "RESOURCE_TEMPORARILY_EXHAUSTED"
    delay = error.details.quota_error_details.retry_delay.ToTimedelta().total_seconds()
    assert delay == 0.25
    now[0] += delay
    uploader.upload_click_conversions(request=request(conversion()), timeout=60)


@pytest.mark.parametrize(
    ("scopes", "label"), [(None, "OAUTH_TOKEN_INVALID"), ({"openid"}, "SCOPE")]
)
def test_token_of_another_kind(
    apis: Apis, uploader: Any, scopes: set[str] | None, label: str
) -> None:
    """An unknown token is not authenticated; one for another scope has no permission."""
    tokens = dict(apis.state.tokens)
    apis.state.tokens.clear()
    if scopes is not None:
        apis.state.tokens.update(dict.fromkeys(tokens, frozenset(scopes)))
    try:
        with pytest.raises((GoogleAdsException, exceptions.PermissionDenied)):
            uploader.upload_click_conversions(request=request(conversion()), timeout=60)
    finally:
        apis.state.tokens.update(tokens)
    assert apis.state.requests[-1].status == label


def test_without_checks(apis: Apis, uploader: Any) -> None:
    """For benchmarks, rows can be accepted without any checks."""
    apis.state.check_rows = False
    response = uploader.upload_click_conversions(request=request(conversion(gclid="x")), timeout=60)
    assert not failures(response)
    assert len(apis.state.accepted) == 1


# Queries


CUSTOMER_QUERY = (
    "SELECT customer.id, customer.time_zone, customer.currency_code, "
    "customer.conversion_tracking_setting.google_ads_conversion_customer, "
    "customer.conversion_tracking_setting.accepted_customer_data_terms, "
    "customer.conversion_tracking_setting.effective_enablement_setting FROM customer"
)


def test_customer_query(apis: Apis, searcher: Any) -> None:
    """The response to the preflight's query of the account has exactly the selected fields."""
    apis.state.change_account(CUSTOMER, conversion_customer_id="9999999999")
    (row,) = searcher.search(customer_id=CUSTOMER, query=CUSTOMER_QUERY)
    setting = row.customer.conversion_tracking_setting
    assert (row.customer.id, row.customer.time_zone) == (1234567890, "America/Chicago")
    assert row.customer.currency_code == "USD"
    assert setting.google_ads_conversion_customer == "customers/9999999999"
    assert setting.accepted_customer_data_terms
    assert not row.customer.descriptive_name


def test_conversion_action_query(apis: Apis, searcher: Any) -> None:
    """Actions have type, status, counting, look-back window and owner; WHERE filters them."""
    query = (
        "SELECT conversion_action.id, conversion_action.name, conversion_action.resource_name, "
        "conversion_action.type, conversion_action.status, conversion_action.counting_type, "
        "conversion_action.click_through_lookback_window_days, conversion_action.owner_customer "
        "FROM conversion_action WHERE conversion_action.type = 'UPLOAD_CLICKS' "
        "AND conversion_action.status = 'ENABLED' "
        "AND conversion_action.value_settings.always_use_default_value = FALSE"
    )
    found = searcher.search(customer_id=CUSTOMER, query=query)
    actions = {row.conversion_action.id: row.conversion_action for row in found}
    assert sorted(actions) == [1001, 1002, 1005, 1007, 1008, 1009, 1010, 1011]
    assert actions[1007].owner_customer == "customers/9999999999"
    assert actions[1007].resource_name == OTHER + "1007"


def test_custom_variable_query(apis: Apis, searcher: Any) -> None:
    """Custom variables can be found by name."""
    query = (
        "SELECT conversion_custom_variable.id, conversion_custom_variable.name, "
        "conversion_custom_variable.status FROM conversion_custom_variable "
        "WHERE conversion_custom_variable.name = 'branch'"
    )
    (row,) = searcher.search(customer_id=CUSTOMER, query=query)
    assert row.conversion_custom_variable.id == 7001


def test_upload_summary_query(apis: Apis, uploader: Any, searcher: Any) -> None:
    """Offline data diagnostics count successes and failures per job."""
    given = request(conversion(), conversion(gclid="x y"), job_id=77)
    uploader.upload_click_conversions(request=given, timeout=60)
    name = "offline_conversion_upload_client_summary"
    query = (
        f"SELECT {name}.status, {name}.success_rate, {name}.job_summaries, {name}.alerts, "
        f"{name}.last_upload_date_time FROM {name}"
    )
    (row,) = searcher.search(customer_id=CUSTOMER, query=query)
    summary = row.offline_conversion_upload_client_summary
    (job,) = summary.job_summaries
    assert (job.job_id, job.successful_count, job.failed_count) == (77, 1, 1)
    assert summary.success_rate == 0.5
    assert summary.status == STATUS.GOOD
    (alert,) = summary.alerts
    member, number = code_number("conversion_upload_error.UNPARSEABLE_GCLID")
    assert getattr(alert.error, member) == number
    assert alert.error_percentage == 0.5
    in_zone_of_account = datetime.now(ZoneInfo("America/Chicago")).replace(tzinfo=None)
    uploaded = datetime.fromisoformat(summary.last_upload_date_time)
    assert abs(in_zone_of_account - uploaded) < timedelta(minutes=5)


def test_upload_summary_of_actions(apis: Apis, uploader: Any, searcher: Any) -> None:
    """Each action that received an upload has the same diagnostics."""
    rows = (conversion(), conversion(gclid="x y"), conversion(conversion_action=OTHER + "1002"))
    uploader.upload_click_conversions(request=request(*rows, job_id=77), timeout=60)
    name = "offline_conversion_upload_conversion_action_summary"
    query = (
        f"SELECT {name}.conversion_action_id, {name}.conversion_action_name, "
        f"{name}.successful_event_count, {name}.job_summaries, {name}.status FROM {name}"
    )
    found = [getattr(row, name) for row in searcher.search(customer_id=CUSTOMER, query=query)]
    assert [
        (one.conversion_action_id, one.conversion_action_name, one.successful_event_count)
        for one in found
    ] == [(1001, "Phone sale", 1), (1002, "Qualified lead", 1)]
    assert [one.status for one in found] == [STATUS.GOOD, STATUS.EXCELLENT]
    (job,) = found[0].job_summaries
    assert (job.job_id, job.successful_count, job.failed_count) == (77, 1, 1)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT customer.offline_conversion_tracking_info FROM customer", "UNRECOGNIZED_FIELD"),
        ("SELECT customer.id FROM nothing", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        (
            "SELECT conversion_action.id FROM customer",
            "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE",
        ),
        (
            "SELECT customer.id FROM customer WHERE conversion_action.id = 1",
            "PROHIBITED_RESOURCE_TYPE_IN_WHERE_CLAUSE",
        ),
        ("customer.id", "EXPECTED_SELECT"),
        ("SELECT customer.id FROM customer WHERE customer.id ~ 3", "BAD_OPERATOR"),
        (
            "SELECT conversion_action.id FROM conversion_action "
            "WHERE conversion_action.status = 'ON'",
            "BAD_ENUM_CONSTANT",
        ),
    ],
)
def test_bad_queries(apis: Apis, searcher: Any, query: str, code: str) -> None:
    """An invalid query is refused with Google's code."""
    with pytest.raises(GoogleAdsException) as raised:
        list(searcher.search(customer_id=CUSTOMER, query=query))
    assert code_of(raised.value.failure.errors[0]) == code


# Accounts


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([{"customer_id": "123-4"}], "customer_id"),
        ([{"customer_id": "1", "colour": "red"}], "0.colour"),
        ([{"customer_id": "1", "accessible": "often"}], "accessible"),
        ([{"customer_id": "1", "conversion_actions": [{"name": "x"}]}], "conversion_actions.0.id"),
    ],
)
def test_bad_accounts(apis: Apis, given: object, text: str) -> None:
    """An invalid account is refused with a message, and nothing changes."""
    before = dict(apis.state.accounts)
    with pytest.raises(ValidationError, match=text):
        apis.state.load_accounts(given)
    assert apis.state.accounts == before
