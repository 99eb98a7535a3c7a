"""Adjustments and calls beside conversions: their requests, and Google's answers to them."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest
from ads_records import (
    CALLER,
    adjustment,
    call,
    conversion,
    read,
    request_of,
    response,
    retraction,
)

from lib.destinations.base import RowResult
from lib.destinations.google_ads.upload import ChunkUpload, GoogleAdsResponse
from lib.destinations.google_ads.upload_request import CALLS, UploadRequest
from lib.destinations.redaction import without_values
from lib.model.deadline import Deadline
from lib.model.log import SilentLog
from lib.model.outcomes import Problem
from lib.model.records import Adjustment, Call, Conversion

ADJUSTMENT_ERROR = "conversion_adjustment_upload_error"
UPLOAD_ERROR = "conversion_upload_error"


@pytest.mark.parametrize("row", [conversion(), adjustment(), call()])
def test_a_part_of_a_request_is_the_same_request(row: Conversion | Adjustment | Call) -> None:
    """Only with fewer rows."""
    request = request_of(row, row, row, validate_only=True)
    smaller = request.subset([0, 2])
    assert len(smaller.rows) == 2
    del request.rows[1]
    assert smaller.message == request.message
    assert smaller.validate_only


@pytest.mark.parametrize(
    ("row", "family", "code", "element", "outcome", "column"),
    [
        (
            *(adjustment(), ADJUSTMENT_ERROR, "CONVERSION_NOT_FOUND"),
            *("order_id", "deferred", "order_id"),
        ),
        (
            *(adjustment(), ADJUSTMENT_ERROR, "TOO_RECENT_CONVERSION"),
            *("adjustment_date_time", "deferred", "adjustment_date_time"),
        ),
        (
            *(adjustment(), ADJUSTMENT_ERROR, "MORE_RECENT_RESTATEMENT_FOUND"),
            *("adjustment_date_time", "skipped", "adjustment_date_time"),
        ),
        (adjustment(), ADJUSTMENT_ERROR, "RESTATEMENT_ALREADY_EXISTS", "", "duplicate", ""),
        (retraction(), ADJUSTMENT_ERROR, "CONVERSION_ALREADY_RETRACTED", "", "duplicate", ""),
        (
            *(adjustment(), "range_error", "TOO_LOW"),
            *("adjusted_value", "failed", "adjusted_value"),
        ),
        (
            *(adjustment(), "currency_code_error", "UNSUPPORTED"),
            *("currency_code", "failed", "adjusted_value_currency"),
        ),
        (
            *(call(), UPLOAD_ERROR, "UNPARSEABLE_CALLERS_PHONE_NUMBER"),
            *("caller_id", "failed", "caller_id"),
        ),
        (
            *(call(), UPLOAD_ERROR, "TOO_RECENT_CALL"),
            *("call_start_date_time", "deferred", "call_start_date_time"),
        ),
        (call(), UPLOAD_ERROR, "CALL_CONVERSION_ALREADY_EXISTS", "", "duplicate", ""),
    ],
)
def test_googles_answer_for_a_row(
    row: Adjustment | Call, family: str, code: str, element: str, outcome: str, column: str
) -> None:
    """Each kind of request has its own name for its rows, and its own columns."""
    request = request_of(row, row, row)
    error = (family, code, 1, element)
    answer = response(request.kind.rows, error, results=[True, False, True])
    result = read(answer, request)
    assert result.retry_rows == []
    (found,) = result.row_results.items()
    assert found == (1, RowResult(outcome, (Problem(code, column, "It says why."),)))


def test_an_overtaken_row_does_not_wait() -> None:
    """If one error says that the row is superseded and another to wait, it is superseded."""
    request = request_of(adjustment())
    answer = response(
        "conversion_adjustments",
        (ADJUSTMENT_ERROR, "TOO_RECENT_CONVERSION", 0, ""),
        (ADJUSTMENT_ERROR, "MORE_RECENT_RESTATEMENT_FOUND", 0, ""),
    )
    assert read(answer, request).row_results[0].outcome == "skipped"


def upload(call: Callable[[UploadRequest], GoogleAdsResponse]) -> ChunkUpload:
    """Return an upload that gets this answer."""
    deadline = Deadline(float("inf"), float("inf"))
    return ChunkUpload(call, {}, deadline, SilentLog(), maybe_sent=lambda order_id: False)


QUOTES = [
    "The caller id '+12125550142' is unknown.",
    "caller_id:12125550142",
    "No call from (212) 555-0142.",
    "number=212.555.0142!",
    "Nobody at 2125550142x17 called.",
    "N12125550142",
    "2 1 2 5 5 5 0 1 4 2",
]


@pytest.mark.parametrize("said", QUOTES)
def test_no_message_of_google_shows_the_number_of_a_caller(said: str) -> None:
    """Whichever way it is written: in the answer for a row, for the request, and in a refusal."""
    request = request_of(call(), call(caller_id="+442071838750"))
    named = response("conversions", (UPLOAD_ERROR, "CALL_NOT_FOUND", 0, "caller_id"), said=said)
    unnamed = response("conversions", (UPLOAD_ERROR, "CALL_NOT_FOUND", 99, ""), said=said)
    for answer in (named, unnamed):
        result = read(answer, request)
        for row_result in result.row_results.values():
            assert [problem.detail for problem in row_result.errors] == [""]
    assert without_values(said, request.message) == ""


def test_a_request_shows_no_number_of_a_caller() -> None:
    """Tests and tracebacks show a request. `tests/rules/test_records.py` shows a record."""
    request = request_of(call())
    assert request.kind is CALLS
    assert "5550142" not in f"{request} {request!r}"


class Refused(grpc.RpcError, grpc.Call):  # type: ignore[misc]  # gRPC has no types
    """A refusal that quotes the request."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.INVALID_ARGUMENT

    def details(self) -> str:
        return f"caller_id {CALLER}"

    def trailing_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("note", CALLER),)

    initial_metadata = trailing_metadata


Refused.__abstractmethods__ = frozenset()  # only these are read


def test_a_refused_request_shows_no_number_of_a_caller() -> None:
    """The text of the exception is not used."""
    request = request_of(call())

    def refuse(request: UploadRequest) -> GoogleAdsResponse:
        raise Refused

    sending = upload(refuse)
    result = sending.send(request)
    assert result.stop is not None
    assert result.stop.code == "INVALID_ARGUMENT"
    assert "5550142" not in f"{result} {sending.request_ids}"
