"""A chunk that needs several requests, and an attempt that ends between them."""

from __future__ import annotations

from typing import Any

import pytest
from ads_records import clicks_request, response

from lib.destinations.google_ads.upload import ChunkUpload, GoogleAdsResponse
from lib.errors import RetryableError
from lib.model.deadline import Deadline, elapsed_seconds
from lib.model.log import SilentLog


def request() -> Any:
    """A request of three conversions."""
    rows = ({"gclid": f"click-{number}", "order_id": f"order-{number}"} for number in range(3))
    return clicks_request(*rows)


def upload(*answers: GoogleAdsResponse) -> ChunkUpload:
    """Return an upload that gets these answers, until its time is up."""
    remaining = list(answers)

    def call(request: Any) -> GoogleAdsResponse:
        if not remaining:
            raise RetryableError("DEADLINE")
        return remaining.pop(0)

    ends = elapsed_seconds() + 60
    deadline = Deadline(ends, ends)
    return ChunkUpload(
        call,
        {},
        deadline,
        SilentLog(),
        maybe_sent=lambda order_id: False,
        sleep=lambda seconds: None,
    )


def test_the_answers_so_far_are_saved() -> None:
    """Rows that Google has accepted stay uploaded; one that must be sent again is deferred."""
    error = ("internal_error", "TRANSIENT_ERROR", 2, "")
    answer = response("conversions", error, results=[True, True])
    sent = upload(GoogleAdsResponse(answer.SerializeToString(), "id-1"))
    result = sent.send(request())
    assert {row: each.outcome for row, each in result.row_results.items()} == {2: "deferred"}
    assert result.row_results[2].errors[0].code == "DEADLINE"
    assert sent.request_ids == ["id-1"]


def test_a_chunk_without_any_answer_is_left_to_the_next_attempt() -> None:
    """Nothing is known about its rows, so the attempt ends without an outcome for them."""
    with pytest.raises(RetryableError, match="DEADLINE"):
        upload().send(request())


@pytest.mark.parametrize("results", [[], [True, False, True], [True, True]], ids=str)
def test_an_answer_that_says_nothing_about_a_row_stops_the_file(results: list[bool]) -> None:
    """Nobody knows whether Google has counted it, so it is not sent again, and nothing else is."""
    answer = response("conversions", results=results)
    sent = upload(GoogleAdsResponse(answer.SerializeToString(), "id-1")).send(request())
    assert sent.stop is not None
    assert sent.stop.code == "ANSWER_INCOMPLETE"
    silent = {row for row in range(3) if row >= len(results) or not results[row]}
    assert {row: each.outcome for row, each in sent.row_results.items()} == dict.fromkeys(
        silent, "failed"
    )
