"""What is in memory at a time is bounded by content: chunks, requests, and problems of rows."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from lib.config.profile import Profile
from lib.destinations.base import RowResult, UploadResult
from lib.destinations.registry import capabilities_of
from lib.model.chunk_outcomes import ChunkOutcomes, RecordLines
from lib.model.outcomes import LONGEST_DETAIL, MAX_PROBLEMS, Problem, RowOutcome
from lib.model.records import Row
from lib.model.totals import Totals
from lib.rules.columns import RowProblems
from lib.run.chunks import CELL_CHARS, CHUNK_CHARS, CHUNK_ROWS, chunk_size_of, chunks_of
from lib.run.window import MAX_BYTES, MemoryBudget, Window
from lib.state.runs import ChunkSize
from tests.fakes import World, deliver, results, sales, world

CHUNK = ChunkOutcomes(0, (), Totals(), RecordLines(0, ()))


@pytest.fixture
def google() -> World:
    return world()


def records(rows: int, cells: int) -> list[Row]:
    row = ["ab"] * cells
    return [(line, row, None, 3 * cells) for line in range(2, rows + 2)]


def sizes(found: list[Row], limits: ChunkSize) -> list[int]:
    return [len(chunk.rows) for chunk in chunks_of(found, limits, len(found[0][1]))]


def test_short_cells_count_more_than_their_text() -> None:
    """A chunk of 1,000 columns has fewer rows than its text alone would allow."""
    limits = chunk_size_of(None)
    assert limits == ChunkSize(CHUNK_ROWS, CHUNK_CHARS, CELL_CHARS)
    rows = -(-CHUNK_CHARS // (1_000 * (3 + CELL_CHARS)))
    assert sizes(records(2 * rows + 1, 1_000), limits) == [rows, rows, 1]


@pytest.mark.parametrize(("columns", "length"), [(11, 200), (60, 600), (20, 1_200)])
def test_ordinary_rows_fill_a_request(columns: int, length: int) -> None:
    """A chunk of a shop's or a CRM's export fills a request, so no more requests are needed."""
    rows: list[Row] = [(n, ["x"] * columns, None, length) for n in range(2 * CHUNK_ROWS)]
    assert sizes(rows, chunk_size_of(None)) == [CHUNK_ROWS] * 2


@pytest.mark.parametrize(
    ("size", "request_bytes"), [(9, MAX_BYTES // 2 + 1), (1, 1)], ids=["bytes", "chunks"]
)
def test_two_chunks_take_up_all_the_room(size: int, request_bytes: int) -> None:
    """As long as they are in flight, no other chunk is prepared."""
    answered = threading.Event()

    def send() -> ChunkOutcomes:
        answered.wait(180)
        return CHUNK

    with Window(size, lambda chunk: None) as window:
        window.reserve_chunk()
        window.start(lambda: CHUNK, request_bytes)  # the first one goes alone
        for _ in range(2):
            window.reserve_chunk()
            window.start(send, request_bytes)
        waited = threading.Thread(target=window.reserve_chunk)
        waited.start()
        waited.join(0.05)
        assert waited.is_alive()
        answered.set()
        waited.join(180)
        assert not waited.is_alive()


def test_a_chunk_larger_than_the_room_is_sent() -> None:
    """The first chunk always has room, whatever its size."""
    room = MemoryBudget(1)
    room.reserve_chunk()
    room.add_requests(1 << 30)
    room.forget_chunk(1 << 30)
    room.reserve_chunk()


def test_a_row_keeps_a_bounded_number_of_problems() -> None:
    """A row of a thousand invalid cells lists the first of them."""
    problems = RowProblems()
    for column in range(1_000):
        problems.warn(0, "INVALID_EMAIL", f"email_{column}")
        problems.reject(0, "INVALID_EMAIL", f"email_{column}")
    assert len(problems.warnings[0]) == len(problems.errors[0]) == MAX_PROBLEMS
    long = RowOutcome(2, "failed", None, (Problem("A", "", "x" * 5_000),) * 50).bounded()
    assert [len(each.detail) for each in long.errors] == [LONGEST_DETAIL] * MAX_PROBLEMS
    short = RowOutcome(2, "failed", None, (Problem("A"),))
    assert short.bounded() == short


def test_what_google_says_about_a_row_is_bounded(
    google: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a thousand errors of one row, the results list the first."""
    many = RowResult("failed", tuple(Problem(f"CODE_{n}", "", "x" * 9_000) for n in range(1_000)))

    def send(self: object, *given: object) -> UploadResult:
        return UploadResult({0: many}, ("request-1",))

    monkeypatch.setattr(type(google.api), "send", send)
    assert deliver(google, "daily.csv", sales("a", "b")) == "completed"
    (row,) = results(google)["rows"]
    assert len(row["errors"]) == MAX_PROBLEMS
    assert all(len(json.dumps(each)) < LONGEST_DETAIL + 500 for each in row["errors"])


@pytest.mark.parametrize("destination", ["google_ads", "data_manager"])
def test_a_chunk_has_as_many_rows_as_a_request_may_have(destination: str) -> None:
    """Else a part of every request would be left empty."""
    assert capabilities_of(destination).max_request_rows <= CHUNK_ROWS


@pytest.mark.parametrize(
    ("via", "limits", "rows"),
    [
        (None, {"data_manager": 900}, 900),
        ("google_ads", {"data_manager": 900, "google_ads": 300}, 300),
        ("google_ads", {"data_manager": 300, "google_ads": 900}, 300),
        ("google_ads", {"data_manager": 9_000, "google_ads": 9_000}, CHUNK_ROWS),
    ],
)
def test_a_chunk_fits_into_a_request_of_each_api(
    via: str | None, limits: dict[str, int], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows of a chunk may be sent to either API of a profile."""
    monkeypatch.setattr(
        "lib.run.chunks.capabilities_of",
        lambda name: replace(capabilities_of(name), max_request_rows=limits[name]),
    )
    profile = Profile(destination="data_manager", customer_id="1234567890", adjustments_via=via)
    assert chunk_size_of(profile).rows == rows
