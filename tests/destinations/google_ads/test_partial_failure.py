"""Google's answers to an upload, including unusual ones: the outcome of each row."""

from __future__ import annotations

from typing import Any

import pytest
from ads_records import Error, clicks_request, failure, read, response

from lib.destinations.google_ads.answers import (
    SILENT,
    UploadRequestResult,
    read_named_rows,
)
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.failures import errors_of
from lib.rules.fields.table import FIELDS

SIZE = 3


def request(size: int = SIZE, *, validate_only: bool = False) -> Any:
    rows = (
        {"gclid": f"Cj0KCQiAexample{number}", "order_id": f"order-{number}"}
        for number in range(size)
    )
    return clicks_request(*rows, validate_only=validate_only)


def expired(row: int | None) -> Error:
    return ("conversion_upload_error", "EXPIRED_EVENT", row, "")


def answer(*errors: Error, results: list[bool] | None = None, said: str = "It says why.") -> Any:
    """Make an answer with errors. Without `results`, it has a full one for each row."""
    results = [True] * SIZE if results is None else results
    return response("conversions", *errors, results=results, said=said)


def outcomes(result: UploadRequestResult) -> dict[int, str]:
    return {row: row_result.outcome for row, row_result in result.row_results.items()}


@pytest.mark.parametrize("results", [[False] * SIZE, [True, False, False], [True] * SIZE])
def test_an_unreadable_failure_is_not_a_success(results: list[bool]) -> None:
    """If the details are missing or those of a newer version, rows without a result fail."""
    unknown = answer(expired(0), results=results)
    unknown.partial_failure_error.details[0].type_url = "type.googleapis.com/google.Unknown.Failure"
    missing = answer(expired(0), results=results)
    del missing.partial_failure_error.details[:]
    for odd in (missing, unknown):
        result = read(odd, request())
        assert outcomes(result) == {row: "failed" for row in range(SIZE) if not results[row]}
        codes = {each.errors[0].code for each in result.row_results.values()}
        assert codes <= {"UNREADABLE_FAILURE"}


@pytest.mark.parametrize("index", [None, 7, -1])
@pytest.mark.parametrize("results", [[False] * SIZE, [True, False, False], [True] * SIZE])
def test_an_error_without_a_row(index: int | None, results: list[bool]) -> None:
    """An unset index, or one outside the request, means every row that has no result, not row 0."""
    result = read(answer(expired(index), results=results), request())
    assert outcomes(result) == {row: "failed" for row in range(SIZE) if not results[row]}
    assert result.retry_rows == []


def test_an_error_that_is_newer_than_the_client_keeps_its_number() -> None:
    """A person can look for it."""
    result = read(answer(("conversion_upload_error", 9999, 1, "")), request())
    (error,) = result.row_results[1].errors
    assert error.code == "CONVERSION_UPLOAD_ERROR_9999"


def test_validate_only_answers_have_no_results() -> None:
    """Without results, an answer is complete only if Google just checks the rows."""
    nothing = answer(results=[])
    assert read(nothing, request(validate_only=True)) == UploadRequestResult({}, [], None)
    assert read(nothing, request()).row_results == dict.fromkeys(range(SIZE), SILENT)


@pytest.mark.parametrize(("size", "stops"), [(1, False), (19, False), (20, True)])
def test_a_few_foreign_clicks_do_not_stop_the_file(size: int, stops: bool) -> None:
    """A few rows with this error do not stop the file, since it can mean a foreign click too."""
    errors = [("conversion_upload_error", "NO_CONVERSION_ACTION_FOUND", n, "") for n in range(size)]
    result = read(answer(*errors, results=[False] * size), request(size))
    assert outcomes(result) == dict.fromkeys(range(size), "failed")
    assert {v.errors[0].code for v in result.row_results.values()} == {"NO_CONVERSION_ACTION_FOUND"}
    assert (result.stop is not None) is stops


def test_different_reasons_of_the_account_do_not_stop_the_file() -> None:
    """The file stops only if all rows have the same error, which the next chunk would get too."""
    names = (
        "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS",
        "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS",
    )
    same = [("conversion_upload_error", names[0], row, "") for row in range(SIZE)]
    assert read(answer(*same), request()).stop is not None
    mixed = [("conversion_upload_error", names[row % 2], row, "") for row in range(SIZE)]
    assert read(answer(*mixed), request()).stop is None


NEEDS_PERMISSION = [
    field.name
    for field in FIELDS
    if field.needs_permission and field.name in CAPABILITIES.kinds["conversion"].fields
]


@pytest.mark.parametrize("field", NEEDS_PERMISSION)
def test_an_account_without_a_permission_is_not_stopped_for_it(field: str) -> None:
    """Rows with such a field fail, but the file continues: its other rows are accepted."""
    code = ("not_allowlisted_error", "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE")
    errors = [(*code, row, field) for row in range(SIZE)]
    result = read(answer(*errors), request())
    assert outcomes(result) == dict.fromkeys(range(SIZE), "failed")
    assert result.stop is None


def test_a_refusal_that_names_rows_fails_only_those() -> None:
    """A refusal that names rows fails only those, and the others are sent again."""
    found = list(errors_of(failure("conversions", expired(1))))
    result = read_named_rows(found, request())
    assert outcomes(result) == {1: "failed"}
    assert sorted(result.retry_rows) == [0, 2]


@pytest.mark.parametrize(
    ("said", "kept"), [("The id order-1 is odd.", ""), ("It is odd.", "It is odd.")]
)
def test_googles_text_is_kept_unless_it_quotes_the_row(said: str, kept: str) -> None:
    """Google's text is left out if it quotes a sent value, which results and logs must not have."""
    (problem,) = read(answer(expired(1), said=said), request()).row_results[1].errors
    assert problem.detail == kept
