"""Google's answers to an upload, including unusual ones: the outcome of each row."""

from __future__ import annotations

from typing import Any

import pytest
from ads_records import clicks_request, read

from lib.destinations.google_ads import api
from lib.destinations.google_ads.answers import (
    SILENT,
    UploadRequestResult,
    read_named_rows,
)
from lib.destinations.google_ads.failures import errors_of

GoogleAdsFailure = api.module("errors.types.errors").GoogleAdsFailure
UploadClickConversionsResponse = api.module(
    "services.types.conversion_upload_service"
).UploadClickConversionsResponse

SIZE = 3


def request(size: int = SIZE, *, validate_only: bool = False) -> Any:
    rows = (
        {"gclid": f"Cj0KCQiAexample{number}", "order_id": f"order-{number}"}
        for number in range(size)
    )
    return clicks_request(*rows, validate_only=validate_only)


def number_of(name: str) -> int:
    """Return the number of a ConversionUploadError."""
    code = GoogleAdsFailure.pb()().errors.add().error_code
    names = code.DESCRIPTOR.fields_by_name["conversion_upload_error"].enum_type.values_by_name
    return int(names[name].number)


def failure(*errors: tuple[str, int, int | None]) -> Any:
    """Make a failure of (family, number, conversion index) errors; None leaves the index unset."""
    made = GoogleAdsFailure.pb()()
    for family, number, index in errors:
        error = made.errors.add(message="it says why")
        setattr(error.error_code, family, number)
        element = error.location.field_path_elements.add(field_name="conversions")
        if index is not None:
            element.index = index
    return made


def response(packed: Any = None, code: int = 3, results: list[bool] | None = None) -> Any:
    made = UploadClickConversionsResponse.pb()()
    for is_full in results if results is not None else [True] * SIZE:
        result = made.results.add()
        if is_full:
            result.gclid = "x"
    if packed is not None or code:
        made.partial_failure_error.code = code
        made.partial_failure_error.message = "Multiple errors"
    if packed is not None:
        made.partial_failure_error.details.add().Pack(packed)
    return made


def outcomes(result: UploadRequestResult) -> dict[int, str]:
    return {row: row_result.outcome for row, row_result in result.row_results.items()}


@pytest.mark.parametrize("results", [[False] * SIZE, [True, False, False], [True] * SIZE])
def test_an_unreadable_failure_is_not_a_success(results: list[bool]) -> None:
    """If the details are missing or those of a newer version, rows without a result fail."""
    unknown = response(failure(("conversion_upload_error", 11, 0)), results=results)
    unknown.partial_failure_error.details[0].type_url = "type.googleapis.com/google.Unknown.Failure"
    for odd in (response(None, results=results), unknown):
        result = read(odd, request())
        assert outcomes(result) == {row: "failed" for row in range(SIZE) if not results[row]}
        codes = {each.errors[0].code for each in result.row_results.values()}
        assert codes <= {"UNREADABLE_FAILURE"}


@pytest.mark.parametrize("index", [None, 7, -1])
@pytest.mark.parametrize("results", [[False] * SIZE, [True, False, False], [True] * SIZE])
def test_an_error_without_a_row(index: int | None, results: list[bool]) -> None:
    """An unset index, or one outside the request, means every row that has no result, not row 0."""
    packed = failure(("conversion_upload_error", 11, index))
    result = read(response(packed, results=results), request())
    assert outcomes(result) == {row: "failed" for row in range(SIZE) if not results[row]}
    assert result.retry_rows == []


def test_validate_only_answers_have_no_results() -> None:
    """Without results, an answer is complete only if Google just checks the rows."""
    nothing = response(code=0, results=[])
    assert read(nothing, request(validate_only=True)) == UploadRequestResult({}, [], None)
    assert read(nothing, request()).row_results == dict.fromkeys(range(SIZE), SILENT)


@pytest.mark.parametrize(("size", "stops"), [(1, False), (19, False), (20, True)])
def test_a_few_foreign_clicks_do_not_stop_the_file(size: int, stops: bool) -> None:
    """A few rows with this error do not stop the file, since it can mean a foreign click too."""
    number = number_of("NO_CONVERSION_ACTION_FOUND")
    said = failure(*(("conversion_upload_error", number, row) for row in range(size)))
    result = read(response(said, results=[False] * size), request(size))
    assert outcomes(result) == dict.fromkeys(range(size), "failed")
    assert {v.errors[0].code for v in result.row_results.values()} == {"NO_CONVERSION_ACTION_FOUND"}
    assert (result.stop is not None) is stops


def test_different_reasons_of_the_account_do_not_stop_the_file() -> None:
    """The file stops only if all rows have the same error, which the next chunk would get too."""
    names = (
        "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS",
        "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS",
    )
    one, other = map(number_of, names)
    same = failure(*(("conversion_upload_error", one, row) for row in range(SIZE)))
    assert read(response(same), request()).stop is not None
    mixed = failure(*(("conversion_upload_error", (one, other)[row % 2], row) for row in range(3)))
    assert read(response(mixed), request()).stop is None


def test_an_account_without_session_attributes_is_not_stopped_for_them() -> None:
    """Rows with session attributes fail, but the file continues: its other rows are accepted."""
    said = failure(*(("not_allowlisted_error", 2, row) for row in range(SIZE)))
    for error in said.errors:
        error.location.field_path_elements.add(field_name="session_attributes_encoded")
    result = read(response(said), request())
    assert outcomes(result) == dict.fromkeys(range(SIZE), "failed")
    assert result.stop is None


def test_a_refusal_that_names_rows_fails_only_those() -> None:
    """A refusal that names rows fails only those, and the others are sent again."""
    found = list(errors_of(failure(("conversion_upload_error", 11, 1))))
    result = read_named_rows(found, request())
    assert outcomes(result) == {1: "failed"}
    assert sorted(result.retry_rows) == [0, 2]


@pytest.mark.parametrize(
    ("said", "kept"), [("The id order-1 is odd.", ""), ("It is odd.", "It is odd.")]
)
def test_googles_text_is_kept_unless_it_quotes_the_row(said: str, kept: str) -> None:
    """Google's text is left out if it quotes a sent value, which results and logs must not have."""
    packed = failure(("conversion_upload_error", 11, 1))
    packed.errors[0].message = said
    (problem,) = read(response(packed), request()).row_results[1].errors
    assert problem.detail == kept


def test_an_error_without_a_row_quotes_no_row() -> None:
    """Its text is written to several rows, so a value of one of them must not be in the others."""
    packed = failure(("conversion_upload_error", 11, None))
    packed.errors[0].message = "The id order-1 is odd."
    result = read(response(packed, results=[False] * SIZE), request())
    assert {row: each.errors[0].detail for row, each in result.row_results.items()} == {
        0: "",
        1: "",
        2: "",
    }
