"""Records to serialize for the Google Ads API, and Google's refusals of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib.destinations.google_ads import api
from lib.destinations.google_ads.answers import UploadRequestResult, read_response
from lib.destinations.google_ads.messages import encode
from lib.destinations.google_ads.upload_request import ADJUSTMENTS, CLICKS, UploadRequest
from lib.model.records import Adjustment, Call, Conversion, Record
from tests.destinations.sending import CUSTOMER, kind_of

ACTION = f"customers/{CUSTOMER}/conversionActions/1001"
CALLER = "+12125550142"

GoogleAdsFailure = api.module("errors.types.errors").GoogleAdsFailure


def conversion(**changes: Any) -> Conversion:
    """Return a conversion with an order ID and a click ID."""
    row = Conversion(
        *("1001", "2026-11-20 10:00:00+00:00", "a-click", "", "", (), ()),
        *(100.0, "USD", "SO-1", None, None, ()),
    )
    return row._replace(**changes)


def adjustment(**changes: Any) -> Adjustment:
    """Return a restatement by order ID."""
    row = Adjustment(
        *("1001", "restatement", "2026-11-22 10:00:00+00:00", "SO-1", "", ""),
        *(80.0, "USD", None, ()),
    )
    return row._replace(**changes)


def retraction(**changes: Any) -> Adjustment:
    """Return a retraction by order ID."""
    given = {"adjustment_type": "retraction", "value": None, "currency_code": None}
    return adjustment(**given | changes)


def call(**changes: Any) -> Call:
    """Return a call."""
    row = Call(
        *("1012", CALLER, "2026-11-20 10:00:00+00:00", "2026-11-20 11:00:00+00:00"),
        *(50.0, "USD", "GRANTED", {"custom_variables": (("7001", "north"),)}, ()),
    )
    return row._replace(**changes)


def clicks_request(*rows: Mapping[str, Any], validate_only: bool = False) -> UploadRequest:
    """Return a request of conversions with these fields, as raw names and values."""
    message = CLICKS.message_class("Request")(
        customer_id=CUSTOMER, partial_failure=True, validate_only=validate_only, conversions=rows
    )
    content = message.SerializeToString()
    return UploadRequest(CLICKS, CUSTOMER, validate_only, content, range(len(rows)))


def request_of(*rows: Record, validate_only: bool = False) -> UploadRequest:
    """Return the request of a chunk of these records, which are of one kind."""
    (request,) = encode(kind_of(rows[0]), rows, CUSTOMER, 7, validate_only=validate_only)
    assert request.size == len(rows)
    return request


Error = tuple[str, str | int, int | None, str]
"""Family, code (or the number of a newer one), row (None: not stated), and last element of the path
("": none)."""


def failure(rows: str, *errors: Error, said: str = "It says why.") -> Any:
    """Return Google's failure with these errors. `rows`: the name of the request's records."""
    made = GoogleAdsFailure.pb()()
    for family, name, row, element in errors:
        error = made.errors.add(message=said, error_code={family: name})
        error.location.field_path_elements.add(field_name=rows, index=row)
        if element:
            error.location.field_path_elements.add(field_name=element)
    return made


def response(
    rows: str, *errors: Error, said: str = "It says why.", results: Iterable[bool] = ()
) -> Any:
    """Make an answer with errors, and with a result for each row: a full one if the row is True."""
    kind = ADJUSTMENTS if rows == ADJUSTMENTS.rows else CLICKS
    made = kind.message_class("Response")()
    for is_full in results:
        made.results.add(conversion_action=ACTION if is_full else None)
    if errors:
        made.partial_failure_error.code = 3
        made.partial_failure_error.details.add().Pack(failure(rows, *errors, said=said))
    return made


def read(answer: Any, request: UploadRequest) -> UploadRequestResult:
    """Return the results of a request from Google's answer."""
    return read_response(answer.SerializeToString(), request)
