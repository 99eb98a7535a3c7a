"""A chunk that needs several requests, and an attempt that ends between them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ads_records import clicks_request

from lib.destinations.google_ads.api import module
from lib.destinations.google_ads.client import ChunkUpload, GoogleAdsResponse
from lib.errors import RetryableError
from lib.model.deadline import Deadline
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

    ends = time.monotonic() + 60
    deadline = Deadline(ends, ends)
    options: dict[str, Any] = {"maybe_sent": False, "sleep": lambda seconds: None}
    return ChunkUpload(call, {}, deadline, SilentLog(), **options)


def test_the_answers_so_far_are_saved() -> None:
    """Rows that Google has accepted stay uploaded; a row without a result is deferred."""
    types = module("services.types.conversion_upload_service")
    response = types.UploadClickConversionsResponse.pb()()
    for number in range(2):
        response.results.add(gclid=f"click-{number}")
    sent = upload(GoogleAdsResponse(response.SerializeToString(), "id-1"))
    result = sent.send(request())
    assert {row: each.outcome for row, each in result.row_results.items()} == {2: "deferred"}
    assert result.row_results[2].errors[0].code == "DEADLINE"
    assert sent.request_ids == ["id-1"]


def test_a_chunk_without_any_answer_is_left_to_the_next_attempt() -> None:
    """Nothing is known about its rows, so the attempt ends without an outcome for them."""
    with pytest.raises(RetryableError, match="DEADLINE"):
        upload().send(request())
