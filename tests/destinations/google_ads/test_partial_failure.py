"""Google's answers to an upload, also the odd ones: what becomes of each row."""

from __future__ import annotations

from typing import Any

import pytest
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.ads.googleads.v26.services.types.conversion_upload_service import (
    UploadClickConversionsResponse,
)

from lib.destinations.google_ads.click_conversion import new_request
from lib.destinations.google_ads.errors import errors_of
from lib.destinations.google_ads.partial_failure import Judged, judge_named_rows, judge_response

SIZE = 3


def request(size: int = SIZE, *, validate_only: bool = False) -> Any:
    made = new_request("1234567890", 1, validate_only)
    for number in range(size):
        made.conversions.add(gclid=f"Cj0KCQiAexample{number}", order_id=f"order-{number}")
    return made


def number_of(name: str) -> int:
    """The number of a ConversionUploadError."""
    code = GoogleAdsFailure.pb()().errors.add().error_code
    names = code.DESCRIPTOR.fields_by_name["conversion_upload_error"].enum_type.values_by_name
    return int(names[name].number)


def failure(*errors: tuple[str, int, int | None]) -> Any:
    """(family, number, conversion index) of each error; the index None leaves it unset."""
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


def outcomes(judged: Judged) -> dict[int, str]:
    return {row: row_result.outcome for row, row_result in judged.row_results.items()}


def test_a_failure_that_cannot_be_read_is_no_success() -> None:
    """Without details, or with those of a version to come, no row is called uploaded."""
    unknown = response(failure(("conversion_upload_error", 11, 0)))
    unknown.partial_failure_error.details[0].type_url = "type.googleapis.com/google.v99.Failure"
    for odd in (response(None), unknown):
        judged = judge_response(odd, request())
        assert outcomes(judged) == dict.fromkeys(range(SIZE), "failed")
        assert judged.row_results[0].errors[0].code == "UNREADABLE_FAILURE"


def test_a_path_without_an_index_names_every_row() -> None:
    """An unset index is no row 0."""
    judged = judge_response(response(failure(("conversion_upload_error", 11, None))), request())
    assert outcomes(judged) == dict.fromkeys(range(SIZE), "failed")


def test_an_index_beyond_the_request_names_every_row() -> None:
    """It is no row of ours; nothing is called uploaded that may not be."""
    judged = judge_response(response(failure(("conversion_upload_error", 11, 7))), request())
    assert len(judged.row_results) == SIZE


def test_a_row_without_a_result_is_sent_again() -> None:
    """Not named as failed and not returned either: Google's dedupe makes asking again safe."""
    odd = response(code=0, results=[True, False, True])
    assert judge_response(odd, request()) == Judged({}, [1], None)


def test_validate_only_has_no_results_and_that_is_no_failure() -> None:
    """No results at all say nothing of the rows of a trial; of others, that they're sent again."""
    nothing = response(code=0, results=[])
    assert judge_response(nothing, request(validate_only=True)) == Judged({}, [], None)
    assert judge_response(nothing, request()) == Judged({}, [0, 1, 2], None)
    fewer = response(code=0, results=[True, True])
    assert judge_response(fewer, request()) == Judged({}, [2], None)


@pytest.mark.parametrize(("size", "stops"), [(1, False), (19, False), (20, True)])
def test_a_few_foreign_clicks_do_not_stop_the_file(size: int, stops: bool) -> None:
    """Google says the same of a missing action and of a click without access to it."""
    number = number_of("NO_CONVERSION_ACTION_FOUND")
    said = failure(*(("conversion_upload_error", number, row) for row in range(size)))
    judged = judge_response(response(said, results=[False] * size), request(size))
    assert outcomes(judged) == dict.fromkeys(range(size), "failed")
    assert {v.errors[0].code for v in judged.row_results.values()} == {"NO_CONVERSION_ACTION_FOUND"}
    assert (judged.stop is not None) is stops


def test_different_reasons_of_the_account_do_not_stop_the_file() -> None:
    """Only one and the same reason for every row would be met by the next chunk too."""
    names = (
        "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS",
        "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS",
    )
    one, other = map(number_of, names)
    same = failure(*(("conversion_upload_error", one, row) for row in range(SIZE)))
    assert judge_response(response(same), request()).stop is not None
    mixed = failure(*(("conversion_upload_error", (one, other)[row % 2], row) for row in range(3)))
    assert judge_response(response(mixed), request()).stop is None


def test_an_account_without_session_attributes_is_not_stopped_for_them() -> None:
    """The file's rows without them are taken."""
    said = failure(*(("not_allowlisted_error", 2, row) for row in range(SIZE)))
    for error in said.errors:
        error.location.field_path_elements.add(field_name="session_attributes_encoded")
    judged = judge_response(response(said), request())
    assert outcomes(judged) == dict.fromkeys(range(SIZE), "failed")
    assert judged.stop is None


def test_a_refusal_that_names_rows_costs_only_those() -> None:
    """The others are sent again."""
    found = list(errors_of(failure(("conversion_upload_error", 11, 1))))
    judged = judge_named_rows(found, request())
    assert outcomes(judged) == {1: "failed"}
    assert sorted(judged.again) == [0, 2]


@pytest.mark.parametrize(
    ("said", "kept"), [("The id order-1 is odd.", ""), ("It is odd.", "It is odd.")]
)
def test_googles_text_is_kept_unless_it_quotes_the_row(said: str, kept: str) -> None:
    """Results and logs hold no value that was sent."""
    packed = failure(("conversion_upload_error", 11, 1))
    packed.errors[0].message = said
    (problem,) = judge_response(response(packed), request()).row_results[1].errors
    assert problem.detail == kept
