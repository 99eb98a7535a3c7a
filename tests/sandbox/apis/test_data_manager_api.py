"""The local Data Manager API with the real client: every rule that it enforces."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from google.ads import datamanager_v1 as dm
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.oauth2 import service_account
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2

from sandbox.apis import Apis
from sandbox.conversions import Change, Conversion
from sandbox.data_manager.service import MAX_EVENTS, SCOPE

HASH = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"  # test@example.com
GCLID = "EAIaIQobChMI_example-0001"
CUSTOMER = "1234567890"
EVENT = "events.events[0]"
Status = Callable[[str], list[tuple[str, int, dict[str, int]]]]
Event: Any = dm.Event.pb()
Request: Any = dm.IngestEventsRequest.pb()


def client_of(apis: Apis, scope: str) -> Any:
    credentials = service_account.Credentials.from_service_account_file(
        str(apis.service_account_path), scopes=[scope]
    )
    return dm.IngestionServiceClient(
        credentials=credentials,
        client_options=ClientOptions(api_endpoint=apis.data_manager_endpoint),
    )


@pytest.fixture(scope="module")
def client(running: Apis) -> Any:
    return client_of(running, SCOPE)


def moment(**delta: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) - timedelta(**delta))
    return stamp


def event(**fields: Any) -> Any:
    """A valid event. `fields` replaces some fields, or (None) leaves them out."""
    given: dict[str, Any] = {
        "event_timestamp": moment(days=2),
        "event_source": "WEB",
        "ad_identifiers": {"gclid": GCLID},
        "conversion_value": 12.5,
        "currency": "USD",
    } | fields
    return Event(**{name: value for name, value in given.items() if value is not None})


def destination(account: str = CUSTOMER, action: str = "1001", **fields: Any) -> dict[str, Any]:
    return {
        "operating_account": {"account_type": "GOOGLE_ADS", "account_id": account},
        "product_destination_id": action,
    } | fields


def request(*events: Any, **fields: Any) -> Any:
    given = {"destinations": [destination()], "encoding": "HEX"} | fields
    return Request(events=events, **{k: v for k, v in given.items() if v is not None})


def ingest(client: Any, given: Any, **options: Any) -> Any:
    # The client needs proto-plus messages; `wrap` makes one from the raw message.
    wrapped = dm.IngestEventsRequest.wrap(given)
    return client.ingest_events(request=wrapped, timeout=60, retry=None, **options)


def violations(error: exceptions.GoogleAPICallError) -> list[tuple[str, str]]:
    found = []
    for detail in error.details:
        if isinstance(detail, error_details_pb2.BadRequest):
            found += [(v.field, v.reason) for v in detail.field_violations]
    return found


def user(*identifiers: dict[str, Any]) -> dict[str, Any]:
    return {"user_data": {"user_identifiers": list(identifiers)}}


ADDRESS = {"given_name": HASH, "family_name": HASH, "region_code": "US", "postal_code": "10001"}
I0 = EVENT + ".user_data.user_identifiers[0]"

EVENTS: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("good", {}, []),
    ("email", user({"email_address": HASH}), []),
    ("address", user({"address": ADDRESS}), []),
    ("session attributes alone", {"ad_identifiers": {"session_attributes": "e30="}}, []),
    ("ip address alone",
     {"ad_identifiers": {"landing_page_device_info": {"ip_address": "192.0.2.1"}}}, []),
    ("no time", {"event_timestamp": None},
     [(EVENT + ".event_timestamp", "REQUIRED_FIELD_MISSING")]),
    ("future", {"event_timestamp": moment(days=-1)},
     [(EVENT + ".event_timestamp", "EVENT_TIME_INVALID")]),
    ("impossible time", {"event_timestamp": Timestamp(seconds=10**13)},
     [(EVENT + ".event_timestamp", "INVALID_FORMAT")]),
    ("unknown source", {"event_source": 99}, [(EVENT + ".event_source", "INVALID_ENUM_VALUE")]),
    ("no source", {"event_source": None}, [(EVENT + ".event_source", "REQUIRED_FIELD_MISSING")]),
    ("no identifiers", {"ad_identifiers": None}, [(EVENT, "NO_IDENTIFIERS_PROVIDED")]),
    ("eleven identifiers", user(*[{"email_address": HASH}] * 11),
     [(EVENT + ".user_data.user_identifiers", "TOO_MANY_USER_IDENTIFIERS")]),
    ("empty identifier", user({}), [(I0, "REQUIRED_FIELD_MISSING")]),
    ("raw email", user({"email_address": "ann@example.com"}),
     [(I0 + ".email_address", "INVALID_HEX_ENCODING")]),
    ("short hash", user({"email_address": HASH}, {"phone_number": HASH[:-2]}),
     [(EVENT + ".user_data.user_identifiers[1].phone_number", "INVALID_SHA256_FORMAT")]),
    ("address without postal code", user({"address": {**ADDRESS, "postal_code": ""}}),
     [(I0 + ".address.postal_code", "REQUIRED_FIELD_MISSING")]),
    ("address with a raw name", user({"address": {**ADDRESS, "given_name": "Ann"}}),
     [(I0 + ".address.given_name", "INVALID_HEX_ENCODING")]),
    ("long postal code", user({"address": {**ADDRESS, "postal_code": "1" * 17}}),
     [(I0 + ".address.postal_code", "INVALID_POSTAL_CODE")]),
    ("region", user({"address": {**ADDRESS, "region_code": "USA"}}),
     [(I0 + ".address.region_code", "INVALID_REGION_CODE")]),
    ("ip", {"ad_identifiers": {"landing_page_device_info": {"ip_address": "300.1.2.3"}}},
     [(EVENT + ".ad_identifiers.landing_page_device_info.ip_address", "INVALID_FORMAT")]),
    ("currency", {"currency": "US"}, [(EVENT + ".currency", "INVALID_CURRENCY_CODE")]),
    ("not a number", {"conversion_value": float("inf")},
     [(EVENT + ".conversion_value", "INVALID_NUMBER_FORMAT")]),
    ("numeric transaction id", {"transaction_id": "12345"},
     [(EVENT + ".transaction_id", "INVALID_FORMAT")]),
    ("long transaction id", {"transaction_id": "x" * 513},
     [(EVENT + ".transaction_id", "FIELD_VALUE_TOO_LONG")]),
    ("unknown custom variable", {"custom_variables": [{"variable": "colour", "value": "red"}]},
     [(EVENT + ".custom_variables[0].variable", "CUSTOM_VARIABLE_NOT_FOUND")]),
    ("personal data in a custom variable",
     {"custom_variables": [{"variable": "branch", "value": "ann@example.com"}]},
     [(EVENT + ".custom_variables[0].value", "CUSTOM_VARIABLE_VALUE_CONTAINS_PII")]),
    ("unknown reference", {"destination_references": ["x"]},
     [(EVENT + ".destination_references", "INVALID_DESTINATION")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"), [e[1:] for e in EVENTS], ids=[e[0] for e in EVENTS]
)
def test_event_rules(
    apis: Apis, client: Any, fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """An invalid event is refused with Google's reason and field; a valid one is accepted."""
    given = request(event(**fields))
    if not expected:
        assert ingest(client, given).request_id == apis.state.requests[-1].request_id
        assert len(apis.state.accepted) == 1
        return
    with pytest.raises(exceptions.InvalidArgument) as raised:
        ingest(client, given)
    assert violations(raised.value) == expected
    assert raised.value.reason == "INVALID_ARGUMENT"
    assert raised.value.metadata["requestId"] == apis.state.requests[-1].request_id
    assert not apis.state.accepted


def test_one_bad_event_refuses_all(apis: Apis, client: Any) -> None:
    """Fast-fail: the response names every invalid event, and no event is accepted."""
    events = [event(transaction_id=f"A-{n}") for n in range(5)]
    events[1].currency = events[3].currency = "US"
    with pytest.raises(exceptions.InvalidArgument) as raised:
        ingest(client, request(*events))
    assert [field for field, _ in violations(raised.value)] == [
        "events.events[1].currency",
        "events.events[3].currency",
    ]
    assert not apis.state.accepted

    apis.state.data_manager.event_path = "events"
    with pytest.raises(exceptions.InvalidArgument) as raised:
        ingest(client, request(*events))
    assert violations(raised.value)[0][0] == "events[1].currency"


DESTINATIONS: list[tuple[str, dict[str, Any], str, str]] = [
    ("none", {"destinations": []}, "destinations", "REQUIRED_FIELD_MISSING"),
    ("eleven", {"destinations": [destination()] * 11}, "destinations", "TOO_MANY_DESTINATIONS"),
    ("twice the same reference",
     {"destinations": [destination(reference="a"), destination(action="1002", reference="a")]},
     "destinations[1]", "DUPLICATE_DESTINATION_REFERENCE"),
    ("no account", {"destinations": [destination("")]},
     "destinations[0].operating_account.account_id", "REQUIRED_FIELD_MISSING"),
    ("no action", {"destinations": [destination(action="")]},
     "destinations[0].product_destination_id", "REQUIRED_FIELD_MISSING"),
    ("resource name", {"destinations": [destination(action="customers/1/conversionActions/2")]},
     "destinations[0].product_destination_id", "INVALID_CONVERSION_ACTION_ID"),
    ("removed action", {"destinations": [destination(action="1003")]},
     "destinations[0].product_destination_id", "INVALID_CONVERSION_ACTION_ID"),
    ("action for calls", {"destinations": [destination(action="1012")]},
     "destinations[0].product_destination_id", "INVALID_CONVERSION_ACTION_TYPE"),
    ("new action", {"destinations": [destination(action="1005")]},
     "destinations[0].product_destination_id", "CONVERSION_ACTION_TOO_RECENTLY_CREATED"),
    ("account type", {"destinations": [destination(operating_account={
        "account_type": "DATA_PARTNER", "account_id": CUSTOMER})]},
     "destinations[0].operating_account.account_type", "DESTINATION_ACCOUNT_TYPE_MISMATCH"),
    ("no encoding", {"encoding": None}, "encoding", "REQUIRED_FIELD_MISSING"),
    ("no terms", {"destinations": [destination("4444444444")]},
     "destinations[0]", "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED"),
    ("no enhanced conversions", {"destinations": [destination("5555555555")]},
     "destinations[0]", "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field", "reason"), [d[1:] for d in DESTINATIONS], ids=[d[0] for d in DESTINATIONS]
)
def test_request_rules(
    apis: Apis, client: Any, fields: dict[str, Any], field: str, reason: str
) -> None:
    """A problem of the whole request is reported outside of the events."""
    with pytest.raises(exceptions.InvalidArgument) as raised:
        ingest(client, request(event(**user({"email_address": HASH})), **fields))
    assert violations(raised.value) == [(field, reason)]


@pytest.mark.parametrize(
    ("account", "changes", "reason"),
    [
        ("3333333333", {}, "PERMISSION_DENIED"),
        ("2222222222", {}, "PERMISSION_DENIED"),
        ("1111111111", {}, "PERMISSION_DENIED"),
        (CUSTOMER, {"data_manager_allowed": False}, "NOT_ALLOWLISTED"),
    ],
)
def test_accounts(
    apis: Apis, client: Any, account: str, changes: dict[str, Any], reason: str
) -> None:
    """An account that the caller may not use is PERMISSION_DENIED."""
    if changes:
        apis.state.change_account(account, **changes)
    with pytest.raises(exceptions.PermissionDenied) as raised:
        ingest(client, request(event(), destinations=[destination(account)]))
    assert raised.value.reason == reason


def test_login_account_and_new_adopter(apis: Apis, client: Any) -> None:
    """A manager can use its client account; an account closed in the other API is open here."""
    login = {"account_type": "GOOGLE_ADS", "account_id": "9999999999"}
    for one in (destination("2222222222", "2001", login_account=login), destination("6666666666")):
        assert ingest(client, request(event(), destinations=[one])).request_id


def test_operating_account_is_the_conversion_customer(apis: Apis, client: Any) -> None:
    """The operating account must be the conversion customer."""
    apis.state.change_account(CUSTOMER, conversion_customer_id="9999999999")
    with pytest.raises(exceptions.InvalidArgument) as raised:
        ingest(client, request(event()))
    assert violations(raised.value) == [
        ("destinations[0].operating_account", "INVALID_DESTINATION")
    ]


def test_number_of_events(apis: Apis, client: Any) -> None:
    """A request must contain an event, and at most as many as Google's limit."""
    with pytest.raises(exceptions.InvalidArgument) as raised:
        ingest(client, request())
    assert violations(raised.value) == [("events", "REQUIRED_FIELD_MISSING")]
    events = [event(transaction_id=f"A-{n}", ad_identifiers={"gclid": GCLID + str(n)})
              for n in range(MAX_EVENTS + 1)]  # fmt: skip
    assert ingest(client, request(*events[:-1])).request_id
    assert len(apis.state.accepted) == MAX_EVENTS
    with pytest.raises(exceptions.InvalidArgument) as raised:
        ingest(client, request(*events))
    assert violations(raised.value) == [("events", "TOO_MANY_EVENTS")]


def test_base64(apis: Apis, client: Any) -> None:
    """With BASE64, each digest is 32 bytes in base64."""
    good = event(**user({"email_address": "lz3+Rj7IV4X1+Vr1ujkG7tstkxwk5pgkqJ6mXbpOgTs="}))
    bad = event(**user({"email_address": HASH + "!"}))
    assert ingest(client, request(good, encoding="BASE64")).request_id
    with pytest.raises(exceptions.InvalidArgument) as raised:
        ingest(client, request(bad, encoding="BASE64"))
    assert violations(raised.value)[0][1] == "INVALID_BASE64_ENCODING"


@pytest.mark.parametrize("by_fault", [True, False])
def test_refusal_without_a_name(apis: Apis, client: Any, by_fault: bool) -> None:
    """A fault rule or a marked transaction ID causes a refusal that names no event."""
    one = event()
    if by_fault:
        apis.faults.set([{"method": "IngestEvents", "kind": "invalid_argument_unnamed"}])
    else:
        one.transaction_id = "A-refuse-unnamed-1"
    with pytest.raises(exceptions.InvalidArgument) as raised:
        ingest(client, request(event(), one))
    assert violations(raised.value) == []


def test_warnings_name_their_event(apis: Apis, client: Any) -> None:
    """Ignored parts of an event are reported as field warnings; the event is accepted."""
    cart = {"merchant_id": "shop", "items": [{"quantity": 1}]}
    paused = {"custom_variables": [{"variable": "campaign_code", "value": "x"}]}
    braid = {"ad_identifiers": {"gbraid": GCLID}}
    given = request(event(**braid), event(**paused, **braid, cart_data=cart))
    answer = ingest(client, given)
    at = "events.events[1]."
    assert [(w.field, w.reason.name.removeprefix("WARNING_REASON_"))
            for w in answer.field_warnings] == [
        (at + "custom_variables[0]", "CUSTOM_VARIABLE_NOT_ENABLED"),
        (at + "cart_data", "CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID"),
        (at + "cart_data.merchant_id", "INVALID_MERCHANT_ID"),
        (at + "cart_data.items[0]", "CART_DATA_ITEM_MERCHANT_PRODUCT_ID_MISSING"),
        (at + "cart_data.items[0]", "CART_DATA_ITEM_UNIT_PRICE_MISSING"),
    ]  # fmt: skip
    assert len(apis.state.accepted) == 2


def test_tokens(apis: Apis, client: Any) -> None:
    """A token with only the adwords scope is PERMISSION_DENIED; without one, nobody is known."""
    url = f"https://{apis.data_manager_endpoint}/v1/events:ingest"
    answer = requests.post(url, json={}, verify=str(apis.ca_path), timeout=60)
    assert answer.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_INVALID"
    with pytest.raises(exceptions.PermissionDenied) as raised:
        ingest(client_of(apis, "https://www.googleapis.com/auth/adwords"), request(event()))
    assert raised.value.reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_quota(apis: Apis, client: Any, retrieve: Callable[[str], Any]) -> None:
    """Above the limit per minute: RESOURCE_EXHAUSTED, which names the limit. Reads have another."""
    apis.state.data_manager.requests_per_minute = 2
    for _ in range(2):
        given = ingest(client, request(event()))
    for _ in range(2):
        assert "requestStatusPerDestination" in retrieve(given.request_id)
    read_limit = "IngestionReadRequestsPerMinutePerProject"
    assert read_limit in json.dumps(retrieve(given.request_id))
    with pytest.raises(exceptions.ResourceExhausted) as raised:
        ingest(client, request(event()))
    assert raised.value.reason == "RESOURCE_EXHAUSTED"
    limit = "IngestionMutateRequestsPerMinutePerProject"
    assert raised.value.metadata["quota_limit"] == limit


@pytest.mark.parametrize(
    ("kind", "window"),
    [("resource_exhausted", "Day"), ("resource_temporarily_exhausted", "Minute")],
)
def test_quota_by_a_fault(
    apis: Apis, client: Any, retrieve: Callable[[str], Any], kind: str, window: str
) -> None:
    """A fault rule selects which of the limits is reached, for reads, too."""
    given = ingest(client, request(event()))
    apis.faults.set([{"method": "data_manager.*", "kind": kind}])
    error = retrieve(given.request_id)["error"]
    assert error["status"] == "RESOURCE_EXHAUSTED"
    limit = f"IngestionReadRequestsPer{window}PerProject"
    assert error["details"][0]["metadata"]["quota_limit"] == limit


@pytest.fixture
def status(retrieve: Callable[[str], Any]) -> Status:
    """Asks for a request: for each destination the status, the number of events, the reasons."""

    def ask(request_id: str) -> list[tuple[str, int, dict[str, int]]]:
        return [
            (
                one["requestStatus"],
                int(one["eventsIngestionStatus"]["recordCount"]),
                {
                    count["reason"].removeprefix("PROCESSING_ERROR_REASON_"): len(
                        count["recordIndices"]
                    )
                    for count in one.get("errorInfo", {}).get("errorCounts", ())
                },
            )
            for one in retrieve(request_id)["requestStatusPerDestination"]
        ]

    return ask


def test_status_counts(apis: Apis, client: Any, status: Status) -> None:
    """Problems with clicks, age and duplicates appear as counts in the status, not per row."""
    now = datetime.now(UTC)
    apis.state.register_clicks({"click-too-new": now - timedelta(hours=1),
                                "click-too-late": now - timedelta(days=1),
                                "click-too-old": now - timedelta(days=200)})  # fmt: skip
    apis.state.data_manager.no_click = {"click-of-nobody", HASH}
    same = moment(days=3)
    events = [
        event(event_timestamp=same, transaction_id="A-1"),
        event(event_timestamp=same),
        event(ad_identifiers={"gclid": GCLID + "2"}, transaction_id="A-1"),
        event(ad_identifiers={"gclid": "click-too-new"}, event_timestamp=moment(minutes=1)),
        event(ad_identifiers={"gclid": "click-too-late"}, event_timestamp=moment(days=2)),
        event(ad_identifiers={"gclid": "not a click id"}),
        event(ad_identifiers={"gclid": GCLID + "3"}, event_timestamp=moment(days=91)),
        event(ad_identifiers={"gclid": "click-too-old"}),
        event(ad_identifiers={"gclid": "click-of-nobody"}),
        event(ad_identifiers=None, **user({"email_address": HASH})),
    ]
    answer = ingest(client, request(*events))
    assert status(answer.request_id) == [
        (
            "PARTIAL_SUCCESS",
            10,
            {
                "CLICK_NOT_FOUND": 2,
                "CONVERSION_PRECEDES_CLICK": 1,
                "DUPLICATE_GCLID": 1,
                "DUPLICATE_TRANSACTION_ID": 1,
                "EVENT_TOO_OLD": 1,
                "EXPIRED_CLICK": 1,
                "INVALID_GCLID": 1,
                "TOO_RECENT_CLICK": 1,
            },
        )
    ]
    assert len(apis.state.accepted) == 1
    again = ingest(client, request(events[0]))
    assert status(again.request_id) == [("FAILED", 1, {"DUPLICATE_TRANSACTION_ID": 1})]


def test_status_for_actions(apis: Apis, client: Any, status: Status) -> None:
    """Some actions take no braid."""
    given = request(
        event(ad_identifiers={"gbraid": GCLID}), destinations=[destination(action="1002")]
    )
    assert status(ingest(client, given).request_id) == [
        ("FAILED", 1, {"ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID": 1}),
    ]


def test_provoked_reasons(apis: Apis, client: Any, retrieve: Callable[[str], Any]) -> None:
    """A test can choose the error or the warning of an event, for reasons without a rule."""
    error = "PROCESSING_ERROR_REASON_DENIED_CONSENT"
    warning = "PROCESSING_WARNING_REASON_INTERNAL_ERROR"
    apis.state.data_manager.provoked = {"A-1": error, "A-2": warning}
    events = [
        event(transaction_id=f"A-{n}", ad_identifiers={"gclid": f"{GCLID}{n}"}) for n in range(3)
    ]
    answer = retrieve(ingest(client, request(*events)).request_id)
    (one,) = answer["requestStatusPerDestination"]
    count = {"recordCount": "1"}
    assert one["errorInfo"]["errorCounts"] == [{"reason": error, "recordIndices": [1]} | count]
    assert one["warningInfo"]["warningCounts"] == [
        {"reason": warning, "recordIndices": [2]} | count
    ]
    assert len(apis.state.accepted) == 2


def test_a_known_transaction_id_adjusts(apis: Apis, client: Any, status: Status) -> None:
    """As in Google's guide: the newer value counts, all else stays; the book has the history."""
    apis.state.data_manager.repeats_adjust = True
    first = event(transaction_id="A-1", conversion_value=10)
    ingest(client, request(first))
    other = event(
        transaction_id="A-1",
        conversion_value=12,
        ad_identifiers={"gclid": GCLID + "2"},
        **user({"email_address": HASH}),
    )
    again = ingest(client, request(other))
    assert status(again.request_id) == [("SUCCESS", 1, {})]
    (counted,) = apis.state.conversions()
    assert counted["conversion"]["conversion_value"] == 12
    assert counted["conversion"]["ad_identifiers"]["gclid"] == GCLID
    assert counted["conversion"]["user_data"]
    (one,) = apis.state.accepted
    assert one.request_id != again.request_id
    (found,) = apis.state.histories()
    assert [(each["kind"], each["value"]) for each in found["history"]] == [
        ("conversion", 10),
        ("restatement", 12),
    ]


@pytest.mark.parametrize(
    ("transaction_id", "worth", "count"), [("W-1", 9.5, 1), ("CRM-1", 20.0, 2)]
)
def test_an_event_for_a_website_action_counts_twice_unless_the_tag_knows_it(
    apis: Apis, client: Any, status: Status, transaction_id: str, worth: float, count: int
) -> None:
    """With the tag's transaction ID, an event adjusts; with any other one, it is counted again."""
    sold = datetime.now(UTC) - timedelta(days=2)
    first = Change("conversion", sold, 20.0, "USD", "website")
    apis.state.book.add(Conversion(CUSTOMER, 1004, "W-1", GCLID, history=[first]))
    sale = event(transaction_id=transaction_id, conversion_value=9.5, currency="USD")
    ingest(client, request(sale, destinations=[destination(action="1004")]))
    assert apis.state.worth("W-1", 1004) == worth
    assert len(list(apis.state.book.conversions())) == count


def test_destination_references(apis: Apis, client: Any, status: Status) -> None:
    """An event goes to the destinations it references, or to all if it references none."""
    given = request(
        event(destination_references=["lead"]),
        event(ad_identifiers={"gclid": GCLID + "2"}),
        destinations=[
            destination(reference="sale"),
            destination(action="1002", reference="lead"),
        ],
    )
    counts = status(ingest(client, given).request_id)
    assert counts == [("SUCCESS", 1, {}), ("SUCCESS", 2, {})]
    assert [one.action_id for one in apis.state.accepted] == [1002, 1001, 1002]


def test_validate_only(apis: Apis, client: Any, retrieve: Callable[[str], Any]) -> None:
    """validate_only stores nothing, accepts numeric transaction IDs, and has no status."""
    given = request(event(transaction_id="12345"), validate_only=True)
    answer = ingest(client, given)
    assert not apis.state.accepted
    (violation,) = retrieve(answer.request_id)["error"]["details"][1]["fieldViolations"]
    assert (violation["field"], violation["reason"]) == ("request_id", "INVALID_REQUEST_ID")
