"""Adjustments with the real client of the Google Ads API: every rule that the sandbox enforces."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ads_requests import (
    ACTION,
    CUSTOMER,
    EMAIL,
    GCLID,
    ago,
    code_of,
    conversion,
    failures,
    request,
)
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException

from sandbox.apis import Apis
from sandbox.conversions import Change, Conversion
from sandbox.google_ads import ads_module
from sandbox.google_ads.uploads import MAX_ROWS

OTHER = f"customers/{CUSTOMER}/conversionActions/"
A = "conversion_adjustments[0]"
_types = ads_module("services.types.conversion_adjustment_upload_service")
Adjustment: Any = _types.ConversionAdjustment.pb()
AdjustmentsRequest: Any = _types.UploadConversionAdjustmentsRequest.pb()
SOLD = datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
SOLD_TEXT = f"{SOLD:%Y-%m-%d %H:%M:%S}+00:00"
VALUE = {"adjusted_value": 80.0, "currency_code": "USD"}
PAIR = {"gclid": GCLID, "conversion_date_time": SOLD_TEXT}

Upload = Callable[..., Any]


def adjustment(**fields: Any) -> Any:
    """A valid restatement of order A-1 to 80. `fields` replaces some fields, or leaves them out."""
    given: dict[str, Any] = {
        "order_id": "A-1",
        "conversion_action": ACTION,
        "adjustment_date_time": ago(days=3),
        "adjustment_type": "RESTATEMENT",
        "restatement_value": VALUE,
    } | fields
    return Adjustment(**{name: value for name, value in given.items() if value is not None})


def retraction(**fields: Any) -> Any:
    given = {"adjustment_type": "RETRACTION", "restatement_value": None} | fields
    return adjustment(**given)


@pytest.fixture
def upload(apis: Apis, ads: GoogleAdsClient) -> Upload:
    """Uploads adjustments, by the client's own service."""
    service = ads.get_service("ConversionAdjustmentUploadService")

    def send(*rows: Any, **fields: Any) -> Any:
        given = {"customer_id": CUSTOMER, "partial_failure": True, "job_id": 42} | fields
        made = AdjustmentsRequest(
            conversion_adjustments=rows, **{n: v for n, v in given.items() if v is not None}
        )
        return service.upload_conversion_adjustments(request=made, timeout=60)

    return send


@pytest.fixture
def sold(apis: Apis, uploader: Any) -> None:
    """Google has order A-1 (100 USD), a sale by click, one by WBRAID, an old and a new order."""
    click = {"conversion_date_time": SOLD_TEXT, "conversion_value": 100.0}
    rows = [
        conversion(order_id="A-1", gclid=GCLID + "1", **click),
        conversion(**click),
        conversion(order_id="A-W", gclid=None, wbraid="CjgKCAexample", **click),
        conversion(order_id="A-G", gclid=None, gbraid="0AAAAADexample", **click),
        conversion(order_id="A-OLD", gclid=GCLID + "2", conversion_date_time=ago(days=55)),
        conversion(order_id="A-NEW", gclid=GCLID + "3", conversion_date_time=ago(hours=23)),
    ]
    assert failures(uploader.upload_click_conversions(request=request(*rows), timeout=60)) == []


ROWS: list[tuple[str, Any, list[tuple[str, str]]]] = [
    ("restatement", adjustment(), []),
    ("restatement without a currency", adjustment(restatement_value={"adjusted_value": 1}), []),
    ("restatement to 0", adjustment(restatement_value={"adjusted_value": 0.0}), []),
    ("retraction", retraction(), []),
    ("by click and time", adjustment(order_id=None, gclid_date_time_pair=PAIR), []),
    ("a GBRAID's by order ID", adjustment(order_id="A-G"), []),
    ("a WBRAID's", adjustment(order_id="A-W"), [(A, "CONVERSION_NOT_FOUND")]),
    ("unknown order", adjustment(order_id="A-9"), [(A, "CONVERSION_NOT_FOUND")]),
    ("other action", adjustment(conversion_action=OTHER + "1002"), [(A, "CONVERSION_NOT_FOUND")]),
    ("by click, although it has an order ID",
     adjustment(order_id=None, gclid_date_time_pair=PAIR | {"gclid": GCLID + "1"}),
     [(A, "CONVERSION_NOT_FOUND")]),
    ("other time of the click",
     adjustment(order_id=None,
                gclid_date_time_pair=PAIR | {"conversion_date_time": ago(days=4)}),
     [(A, "CONVERSION_NOT_FOUND")]),
    ("both identifications", adjustment(gclid_date_time_pair=PAIR),
     [(A, "GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET")]),
    ("no identification", adjustment(order_id=None), [(A + ".order_id", "REQUIRED")]),
    ("no gclid", adjustment(order_id=None, gclid_date_time_pair=PAIR | {"gclid": ""}),
     [(A + ".gclid_date_time_pair.gclid", "REQUIRED")]),
    ("too soon", adjustment(order_id="A-NEW", adjustment_date_time=ago(hours=1)),
     [(A, "TOO_RECENT_CONVERSION")]),
    ("too late", adjustment(order_id="A-OLD"), [(A, "CONVERSION_EXPIRED")]),
    ("before the conversion", adjustment(adjustment_date_time=ago(days=6)),
     [(A, "ADJUSTMENT_PRECEDES_CONVERSION")]),
    ("in the future", adjustment(adjustment_date_time=ago(days=-1)),
     [(A + ".adjustment_date_time", "LATER_THAN_MAXIMUM_DATE")]),
    ("no offset", adjustment(adjustment_date_time="2026-01-01 12:00:00"),
     [(A + ".adjustment_date_time", "INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET")]),
    ("no time", adjustment(adjustment_date_time=None),
     [(A + ".adjustment_date_time", "REQUIRED")]),
    ("no type", adjustment(adjustment_type=None, restatement_value=None),
     [(A + ".adjustment_type", "REQUIRED")]),
    ("no value", adjustment(restatement_value=None),
     [(A + ".restatement_value.adjusted_value", "REQUIRED")]),
    ("retraction with a value", retraction(restatement_value=VALUE),
     [(A + ".restatement_value", "VALUE_MUST_BE_UNSET")]),
    ("negative value", adjustment(restatement_value={"adjusted_value": -20.0}),
     [(A + ".restatement_value.adjusted_value", "TOO_LOW")]),
    ("unknown currency", adjustment(restatement_value=VALUE | {"currency_code": "US"}),
     [(A + ".restatement_value.currency_code", "UNSUPPORTED")]),
    ("email as order ID", adjustment(order_id="ann@example.com"),
     [(A + ".order_id", "ORDER_ID_CONTAINS_PII")]),
    ("identifiers", retraction(user_identifiers=[{"hashed_email": EMAIL}]),
     [(A + ".user_identifiers", "VALUE_MUST_BE_UNSET")]),
    ("unknown action", adjustment(conversion_action=OTHER + "9"),
     [(A + ".conversion_action", "NO_CONVERSION_ACTION_FOUND")]),
    ("action for calls", adjustment(conversion_action=OTHER + "1012"),
     [(A + ".conversion_action", "INVALID_CONVERSION_ACTION_TYPE")]),
    ("new action", adjustment(conversion_action=OTHER + "1005"),
     [(A + ".conversion_action", "TOO_RECENT_CONVERSION_ACTION")]),
    ("website action without an order ID",
     adjustment(conversion_action=OTHER + "1004", order_id=None, gclid_date_time_pair=PAIR),
     [(A + ".order_id", "MISSING_ORDER_ID_FOR_WEBPAGE")]),
    ("restatement for an action with a fixed value",
     adjustment(conversion_action=OTHER + "1013"),
     [(A, "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE")]),
    ("retraction for an action with a fixed value",
     retraction(conversion_action=OTHER + "1013"), [(A, "CONVERSION_NOT_FOUND")]),
    ("two errors", retraction(order_id=None, conversion_action=OTHER + "9"),
     [(A + ".conversion_action", "NO_CONVERSION_ACTION_FOUND"), (A + ".order_id", "REQUIRED")]),
]  # fmt: skip


@pytest.mark.usefixtures("sold")
@pytest.mark.parametrize(("row", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_adjustment_rules(
    apis: Apis, upload: Upload, row: Any, expected: list[tuple[str, str]]
) -> None:
    """A row is refused with Google's own code and field, or it is accepted and kept."""
    response = upload(row)

    assert failures(response) == expected
    assert len(response.results) == 1
    assert bool(response.results[0].conversion_action) == (not expected)
    assert len(apis.state.adjustments) == (0 if expected else 1)


@pytest.mark.usefixtures("sold")
def test_value_and_history_of_an_order(apis: Apis, upload: Upload) -> None:
    """The sandbox tells what an order is worth after a sale, two restatements and a retraction."""
    assert apis.state.worth("A-1") == 100
    response = upload(adjustment())
    assert response.job_id == 42
    assert response.results[0].order_id == "A-1"
    assert apis.state.worth("A-1") == 80
    upload(adjustment(adjustment_date_time=ago(days=2), restatement_value={"adjusted_value": 70}))
    assert apis.state.worth("A-1") == 70
    upload(retraction(adjustment_date_time=ago(days=1)))
    assert apis.state.worth("A-1") is None

    (found,) = apis.state.histories("A-1")
    assert [(one["kind"], one["value"]) for one in found["history"]] == [
        ("conversion", 100),
        ("restatement", 80),
        ("restatement", 70),
        ("retraction", None),
    ]
    assert next(apis.state.accepted_adjustments())["conversion"]["order_id"] == "A-1"


@pytest.mark.usefixtures("sold")
def test_older_and_equal_restatements(apis: Apis, upload: Upload) -> None:
    """A restatement needs a later time than the last one; the same time is taken only once."""
    now, before = ago(days=2), ago(days=3)
    assert failures(upload(adjustment(adjustment_date_time=now))) == []
    other = adjustment(adjustment_date_time=now, restatement_value={"adjusted_value": 5.0})
    assert failures(upload(other)) == [(A, "RESTATEMENT_ALREADY_EXISTS")]
    late = adjustment(adjustment_date_time=before)
    assert failures(upload(late)) == [(A, "MORE_RECENT_RESTATEMENT_FOUND")]
    assert apis.state.worth("A-1") == 80
    # A retraction is no restatement: its time may be an earlier one.
    assert failures(upload(retraction(adjustment_date_time=before))) == []
    assert apis.state.worth("A-1") is None


@pytest.mark.usefixtures("sold")
@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (retraction(), [(A, "CONVERSION_ALREADY_RETRACTED")]),
        (adjustment(restatement_value={"adjusted_value": 0.0}), []),
    ],
    ids=["retracted", "restated to 0"],
)
def test_nothing_follows_the_end(
    apis: Apis, upload: Upload, last: Any, expected: list[tuple[str, str]]
) -> None:
    """A retracted conversion stays so with an error, and one restated to 0 in silence."""
    assert failures(upload(last)) == []
    worth = apis.state.worth("A-1")
    moment = ago(days=1)
    for row in (retraction(adjustment_date_time=moment), adjustment(adjustment_date_time=moment)):
        assert failures(upload(row)) == expected
    assert apis.state.worth("A-1") == worth


@pytest.mark.usefixtures("sold")
def test_repeats_in_a_request(upload: Upload) -> None:
    """All rows with the same conversion, type and time are refused."""
    moment = ago(days=2)
    row = adjustment(adjustment_date_time=moment)
    response = upload(row, row, adjustment(order_id="A-G", adjustment_date_time=moment))
    wanted = "DUPLICATE_ADJUSTMENT_IN_REQUEST"
    assert failures(response) == [(f"conversion_adjustments[{n}]", wanted) for n in (0, 1)]


@pytest.mark.usefixtures("sold")
def test_rows_of_a_request_are_carried_out_in_order(apis: Apis, upload: Upload) -> None:
    """A restatement before a retraction is taken; one after it is refused."""
    before, after = ago(days=3), ago(days=1)
    response = upload(
        adjustment(adjustment_date_time=before),
        retraction(adjustment_date_time=after),
        retraction(order_id="A-G", adjustment_date_time=before),
        adjustment(order_id="A-G", adjustment_date_time=after),
    )
    assert failures(response) == [("conversion_adjustments[3]", "CONVERSION_ALREADY_RETRACTED")]
    assert apis.state.worth("A-1") is None
    assert apis.state.worth("A-G") is None


@pytest.mark.usefixtures("sold")
def test_validate_only_looks_conversions_up(apis: Apis, upload: Upload) -> None:
    """validate_only finds unknown conversions, returns no results and changes nothing."""
    response = upload(adjustment(), adjustment(order_id="A-9"), validate_only=True)
    assert failures(response) == [("conversion_adjustments[1]", "CONVERSION_NOT_FOUND")]
    assert len(response.results) == 0
    assert apis.state.worth("A-1") == 100
    assert not apis.state.adjustments


def test_website_conversions_are_adjusted_by_order_id(apis: Apis, upload: Upload) -> None:
    """A conversion that a website's tag recorded can be entered, and restated."""
    first = Change("conversion", SOLD, 20.0, "USD", "website")
    apis.state.book.add(Conversion(CUSTOMER, 1004, "W-1", GCLID, history=[first]))
    row = adjustment(conversion_action=OTHER + "1004", order_id="W-1")
    assert failures(upload(row)) == []
    assert apis.state.worth("W-1", 1004) == 80


def test_number_of_adjustments(apis: Apis, upload: Upload) -> None:
    """A request can contain at most `MAX_ROWS` adjustments; without a job ID, Google makes one."""
    rows = [adjustment(order_id=f"A-{n}") for n in range(MAX_ROWS + 1)]
    assert upload(*rows[:-1], job_id=None).job_id >= 2**31
    with pytest.raises(GoogleAdsException) as raised:
        upload(*rows)
    assert code_of(raised.value.failure.errors[0]) == "TOO_MANY_ADJUSTMENTS_IN_REQUEST"
    with pytest.raises(GoogleAdsException):
        upload()


def test_new_adopters_may_adjust_or_not(apis: Apis, upload: Upload) -> None:
    """An account closed to conversions accepts adjustments, unless it is closed to them, too."""
    apis.state.change_account(CUSTOMER, allowlisted_for_upload=False)
    assert failures(upload(adjustment())) == [(A, "CONVERSION_NOT_FOUND")]
    apis.state.change_account(CUSTOMER, allowlisted_for_adjustments=False)
    with pytest.raises(GoogleAdsException) as raised:
        upload(adjustment())
    wanted = "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
    assert code_of(raised.value.failure.errors[0]) == wanted


def test_preflight_sees_fixed_values(apis: Apis, searcher: Any) -> None:
    """A query tells which actions always use their default value."""
    query = (
        "SELECT conversion_action.id, conversion_action.value_settings.always_use_default_value "
        "FROM conversion_action"
    )
    found = searcher.search(customer_id=CUSTOMER, query=query)
    fixed = [
        row.conversion_action.id
        for row in found
        if row.conversion_action.value_settings.always_use_default_value
    ]
    assert fixed == [1013]
