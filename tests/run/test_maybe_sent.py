"""Which orders an earlier attempt may have sent, as the destination is told for each chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from lib.destinations.base import MaybeSent, UploadResult
from lib.errors import PermanentError, RetryableError
from lib.model.deadline import Deadline
from lib.model.sent_requests import RequestStatus
from tests.fakes import (
    Dies,
    FakeApi,
    FakeRequest,
    World,
    deliver,
    deliver_again,
    fails,
    passes,
    results,
    sales,
    sweep,
    world,
)


@dataclass(slots=True)
class Asking(FakeApi):
    """An API that notes of each order that is sent whether it may have been sent before."""

    told: list[dict[str, bool]] = field(default_factory=list)

    def send(
        self, requests: Sequence[FakeRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        orders = [record.order_id or "" for request in requests for record in request.records]
        self.told.append({order: maybe_sent(order) for order in orders})
        return FakeApi.send(self, requests, deadline, maybe_sent)


@pytest.fixture
def google() -> World:
    made = world()
    made.api = Asking()
    return made


def told(google: World) -> list[dict[str, bool]]:
    assert isinstance(google.api, Asking)
    return google.api.told


def test_after_a_death_each_row_without_a_marker_may_have_been_sent(google: World) -> None:
    """The attempt may have died between the API's answer and the marker."""
    google.api.after = fails(Dies())
    with pytest.raises(Dies):
        deliver(google, "daily.csv", sales("a", "b"))
    google.api.after = passes
    google.clock.seconds += 60 + 15 * 60
    deliver_again(google, "daily.csv")
    assert told(google) == [{"a": False, "b": False}, {"a": True, "b": True}]


def test_a_regular_end_answers_what_a_death_has_left_open(google: World) -> None:
    """Google has answered for each row by then, so one that it deferred is not there yet. Another
    order of its click would else count for it."""

    def die(number: int) -> None:
        raise Dies

    google.api.before = die
    with pytest.raises(Dies):
        deliver(google, "daily.csv", sales("a", "b"))
    google.api.before = lambda number: None
    google.api.deferred, google.api.deferred_code = {"a"}, "TOO_RECENT_EVENT"
    google.clock.seconds += 60 + 15 * 60
    deliver_again(google, "daily.csv")
    google.api.deferred.clear()
    google.clock.seconds += 7 * 3600
    sweep(google)
    assert told(google) == [{"a": False, "b": False}, {"a": True, "b": True}, {"a": False}]


def test_a_stopped_file_may_have_been_sent_for_ever(
    google: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its results say so also when they are written again: nobody sends its rows any more."""
    monkeypatch.setattr("lib.run.chunks.CHUNK_ROWS", 1)
    google.use_destination("data_manager")

    def die(number: int) -> None:
        if number == 2:
            raise Dies

    google.api.before = die
    with pytest.raises(Dies):
        deliver(google, "daily.csv", sales("a", "b"))
    google.api.before = lambda number: None
    google.api.preflight = PermanentError("CUSTOMER_NOT_ENABLED")
    google.clock.seconds += 60 + 15 * 60
    deliver_again(google, "daily.csv")
    google.api.statuses = lambda ids: [RequestStatus(each, "SUCCESS", "1001", 1) for each in ids]
    google.clock.seconds += 3600
    sweep(google)
    assert results(google)["processing"]["status"] == "finished"
    assert "MAYBE_SENT" in [note["code"] for note in results(google)["notes"]]


@pytest.mark.parametrize("has_begun", [True, False])
def test_an_attempt_that_ended_may_have_sent_rows_too(google: World, has_begun: bool) -> None:
    """Every try of a request timed out, perhaps after Google had counted the rows."""
    outage = RetryableError("API_UNAVAILABLE")
    google.api.after = fails(outage)
    google.api.preflight = None if has_begun else outage
    with pytest.raises(RetryableError):
        deliver(google, "daily.csv", sales("a", "b"))
    google.api.after, google.api.preflight = passes, None
    google.clock.seconds += 601
    sweep(google)
    assert told(google)[-1] == {"a": has_begun, "b": has_begun}


@pytest.mark.parametrize(
    ("code", "maybe"), [("TRANSIENT_ERROR", True), ("TOO_RECENT_EVENT", False)]
)
def test_a_deferred_row_is_told_apart_by_its_reason(google: World, code: str, maybe: bool) -> None:
    """After a transient error, Google may have processed the row; if it is too recent, not."""
    google.api.deferred, google.api.deferred_code = {"a"}, code
    deliver(google, "daily.csv", sales("a", "b"))
    google.api.deferred.clear()
    google.clock.seconds += 7 * 3600
    sweep(google)
    assert told(google) == [{"a": False, "b": False}, {"a": maybe}]


def test_a_repeat_is_sent_again_with_the_row_that_it_repeats(google: World) -> None:
    """A repeat has the reasons of that row, and so the same time and the same `maybe_sent`."""
    google.api.deferred, google.api.deferred_code = {"a"}, "TRANSIENT_ERROR"
    deliver(google, "daily.csv", sales("a", "a"))
    assert [row["outcome"] for row in results(google)["rows"]] == ["deferred", "deferred"]
    google.api.deferred.clear()
    google.clock.seconds += 3600 + 60
    sweep(google)
    assert told(google)[-1] == {"a": True}
    assert results(google)["counts"]["deferred"] == 0
