"""Runs with fakes, for situations that are hard to create with real processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lib.errors import LeaseHeld, LeaseLost, PermanentError, RetryableError
from lib.followup.sweep import sweep_once
from lib.model.outcomes import Problem, RecordLines, Tally, chunk_outcomes
from lib.model.records import Row
from lib.run.chunks import CHUNK_ROWS, chunks_of
from lib.run.deliver import process_arrival, process_object
from lib.source.errors import SourceError
from lib.state.run import ChunkLimits, name_key, run_key
from lib.state.store import StoredObject
from tests.fakes import START, World, world
from tests.rows import core_row, csv_bytes
from tests.workbooks import workbook

DAY = timedelta(hours=20)
OUT = "out-bucket"


def orders(first: int, last: int, **cells: str) -> list[dict[str, str]]:
    time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    return [core_row(n, conversion_date_time=time, **cells) for n in range(first, last + 1)]


LIMITS = ChunkLimits(10, 1000, 0)


def put(google: World, rows: int, name: str = "export.csv") -> StoredObject:
    return google.store.put("in-bucket", name, csv_bytes(orders(1, rows)))


def deliver(google: World, source: StoredObject, age: timedelta = timedelta(0)) -> str:
    when = google.clock.utc() - age
    return process_object(source, when, google.context, time_limit_seconds=540, max_age=DAY)


def document(google: World, source: StoredObject) -> dict[str, Any]:
    name = f"{source.name}.{source.generation}.results.json"
    found: dict[str, Any] = json.loads(google.store.objects[OUT, name][0])
    return found


def claim_name(source: StoredObject) -> str:
    return f"_state/claims/{name_key(source)}/0.json"


def chunk_name(source: StoredObject, number: int) -> str:
    return f"_state/runs/{run_key(source)}/chunks/{number:06d}.json"


def dies(*numbers: int) -> Callable[[int], None]:
    """Return a hook that kills the attempt at these batches."""

    def at(batch: int) -> None:
        if batch in numbers:
            raise KeyboardInterrupt

    return at


@pytest.fixture
def google() -> World:
    return world()


def test_a_finished_file_is_skipped(google: World) -> None:
    """A file leaves its claim, a marker for each chunk and its results."""
    source = put(google, 3)
    assert deliver(google, source) == "completed"
    assert google.store.names(OUT) == [
        claim_name(source),
        chunk_name(source, 0),
        f"export.csv.{source.generation}.results.html",
        f"export.csv.{source.generation}.results.json",
    ]
    assert deliver(google, source) == "skipped"
    assert google.api.batches == 1


def test_the_report_shows_the_rows_of_every_chunk(google: World) -> None:
    """A problem of any chunk is in the report for people, although its marker keeps the rows."""
    rows = [
        *orders(1, 1, ad_user_data="perhaps"),
        *orders(2, 2_000),
        *orders(2_001, 2_001, currency_code="XXQ"),
        *orders(2_002, 4_002),
    ]
    source = google.store.put("in-bucket", "export.csv", csv_bytes(rows))
    assert deliver(google, source) == "completed"
    report = google.store.objects[OUT, f"export.csv.{source.generation}.results.html"][0].decode()
    codes = {row["errors"][0]["code"] for row in document(google, source)["rows"]}
    assert len(codes) == 2
    assert all(code in report for code in codes)


def test_a_name_that_is_not_accepted_is_refused_without_opening_the_object(google: World) -> None:
    """The results name the problem, the run is finished, and nothing was read or sent."""

    def closed(operation: str, name: str) -> None:
        assert (operation, name) != ("read", source.name)

    google.store.before = closed
    source = put(google, 3, "export.csv.zip")
    assert deliver(google, source) == "stopped"
    found = document(google, source)
    assert found["file_error"]["code"] == "FILE_NAME_NOT_ACCEPTED"
    assert "an archive; unpack it" in found["file_error"]["detail"]
    assert (found["counts"]["rows"], google.api.batches) == (0, 0)
    assert deliver(google, source) == "skipped"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (
            [
                "Order ID,Conversion Name,Adjustment Type,Adjusted Value",
                *["SO-1,Sale,RETRACT,"] * 2,
            ],
            "COLUMN_MISSING",
        ),
        (["Klick,date", *["Cj0KCQiAexample0001abcdef,2026-11-20"] * 2], "NO_HEADER"),
    ],
)
def test_a_file_without_usable_conversions_sends_nothing(
    google: World, lines: list[str], code: str
) -> None:
    """Each row is not attempted, the file error says why, and no request leaves."""
    source = google.store.put("in-bucket", "export.csv", "\n".join([*lines, ""]).encode())
    assert deliver(google, source) == "stopped"
    found = document(google, source)
    assert found["file_error"]["code"] == code
    assert (found["counts"]["not_attempted"], google.api.batches) == (2, 0)


def test_the_sweep_finds_a_name_that_is_not_accepted(google: World) -> None:
    """A lost event of a wrong name is reported by the sweep, once; a companion never."""
    source = put(google, 3, "export")
    google.store.put("in-bucket", "export.csv.ok", b"")
    first, second = (sweep_once(google.context, 1500) for _ in range(2))
    assert (first["objects"], first["finished"], second["unfinished"]) == (1, 1, 0)
    assert document(google, source)["file_error"]["code"] == "FILE_NAME_NOT_ACCEPTED"


def test_a_wrong_name_is_reported_before_a_wrong_profile(google: World) -> None:
    """A file with a wrong name in a folder without a profile is first told to change its name."""
    source = put(google, 3, "nobody/export.xlsb")
    assert deliver(google, source, age=timedelta(hours=30)) == "stopped"
    assert document(google, source)["file_error"]["code"] == "FILE_NAME_NOT_ACCEPTED"


def test_a_new_generation_is_another_run(google: World) -> None:
    """An overwritten file is processed as a new run, and its repeated rows are duplicates."""
    deliver(google, put(google, 3))
    second = google.store.put("in-bucket", "export.csv", csv_bytes(orders(2, 4)))
    deliver(google, second)
    counts = document(google, second)["counts"]
    assert (counts["uploaded"], counts["duplicate"]) == (1, 2)


def test_finished_chunks_are_not_sent_again(google: World) -> None:
    """A takeover continues after the last marker."""
    source = put(google, 2 * CHUNK_ROWS + 1)
    google.api.before = dies(3)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    with pytest.raises(LeaseHeld):
        deliver(google, source)
    google.clock.seconds += 61
    assert deliver(google, source) == "completed"
    assert google.api.batches == 4
    found = document(google, source)
    assert (found["attempts"], found["counts"]["uploaded"]) == (2, 2 * CHUNK_ROWS + 1)


def test_a_workbook_continues_after_its_last_marker(google: World) -> None:
    """A takeover reads the same rows, so the chunks of a workbook are the same too."""
    rows = orders(1, 2 * CHUNK_ROWS + 1)
    content = workbook([list(rows[0]), *(list(row.values()) for row in rows)])
    source = google.store.put("in-bucket", "export.xlsx", content)
    google.api.before = dies(3)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.clock.seconds += 61
    assert deliver(google, source) == "completed"
    assert google.api.batches == 4
    assert document(google, source)["counts"]["uploaded"] == 2 * CHUNK_ROWS + 1
    assert len(set(google.api.counted)) == 2 * CHUNK_ROWS + 1


def test_the_source_was_overwritten_between_two_attempts(google: World) -> None:
    """The rows that were sent are reported, and the file error names why the rest is missing."""
    source = put(google, 2 * CHUNK_ROWS + 1)
    google.api.before = dies(2, 3)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.store.put("in-bucket", "export.csv", b"")
    google.clock.seconds += 61
    assert deliver(google, source) == "stopped"
    found = document(google, source)
    assert found["file_error"]["code"] == "SOURCE_GONE"
    assert found["counts"]["uploaded"] == found["counts"]["rows"] == CHUNK_ROWS


def test_the_object_was_deleted_before_its_event_came(google: World) -> None:
    """The run ends with a document and a 2xx, and nothing is sent."""
    source = put(google, 3)
    google.store.delete("in-bucket", "export.csv")
    assert deliver(google, source) == "stopped"
    assert document(google, source)["file_error"]["code"] == "SOURCE_GONE"


@pytest.mark.parametrize("readable, sizes", [(25, [10, 10, 5]), (20, [10, 10]), (3, [3]), (0, [])])
@pytest.mark.parametrize("error", [SourceError("TRUNCATED", ""), PermanentError("SOURCE_GONE")])
def test_rows_before_an_unreadable_place_become_chunks(
    readable: int, sizes: list[int], error: Exception
) -> None:
    """Rows before an unreadable place are cut into chunks as usual, then the error is raised."""

    def records() -> Iterator[Row]:
        for line in range(readable):
            yield line, [], None, 1
        raise error

    chunks: list[int] = []
    read = (len(chunk.rows) for chunk in chunks_of(records(), LIMITS, 1))
    with pytest.raises(type(error)):
        chunks.extend(read)
    assert chunks == sizes


def test_unread_rows_do_not_change_the_chunks() -> None:
    """Rows that a reader does not read are skipped; none becomes part of the next chunk."""
    records = [(line, ["x"], None, 1) for line in range(25)]
    firsts = [chunk.rows[0][0] for chunk in chunks_of(iter(records), LIMITS, 1)]
    assert firsts == [0, 10, 20]


def test_a_stop_is_kept_after_the_account_was_corrected(google: World) -> None:
    """If the attempt that stopped the file crashes, the next one does not send the rest either."""
    source = put(google, 2 * CHUNK_ROWS + 1)
    google.api.preflight = PermanentError("CUSTOMER_NOT_FOUND", "customer 1234567890")

    def die(operation: str, name: str) -> None:
        if operation == "write" and name == chunk_name(source, 1):
            raise KeyboardInterrupt

    google.store.before = die
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.store.before = lambda operation, name: None
    google.api.preflight = None
    google.clock.seconds += 61
    assert deliver(google, source) == "stopped"
    found = document(google, source)
    assert found["file_error"]["code"] == "CUSTOMER_NOT_FOUND"
    assert found["counts"]["not_attempted"] == 2 * CHUNK_ROWS + 1
    assert google.api.batches == 0


def test_the_marker_of_a_replaced_attempt_is_kept(google: World) -> None:
    """The marker of a frozen attempt that resumes is not overwritten; no row has two outcomes."""
    source = put(google, CHUNK_ROWS + 1)
    google.api.before = dies(2)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.clock.seconds += 61

    def zombie(number: int) -> None:
        # While we send chunk 1, the replaced attempt resumes and writes its own marker.
        google.api.before = lambda number: None
        report = chunk_outcomes(
            1, [], Tally(1, {"uploaded": 1}), RecordLines(2001, ((2002, 2002),)), ("zombie",)
        )
        run = google.context.claims.of(source)
        assert run is not None
        google.context.ledger.write_chunk(replace(run, owner="zombie"), report)

    google.api.before = zombie
    with pytest.raises(LeaseLost):
        deliver(google, source)
    google.clock.seconds += 61
    assert deliver(google, source) == "completed"
    found = document(google, source)
    assert found["counts"]["uploaded"] == CHUNK_ROWS + 1
    assert "zombie" in found["request_ids"]


@pytest.mark.parametrize("moment", ["claim", "marker", "results", "finished"])
@pytest.mark.parametrize("fate", ["lose", "refuse"])
def test_a_write_whose_answer_got_lost_or_that_was_refused(
    google: World, moment: str, fate: str
) -> None:
    """A lost answer has no effect; a refusal without cause costs an attempt, but no row."""
    source = put(google, CHUNK_ROWS + 1)
    names = {
        "claim": claim_name(source),
        "marker": chunk_name(source, 1),
        "results": f"export.csv.{source.generation}.results.json",
    }
    if moment == "finished":
        results = names["results"]

        def arm(operation: str, name: str) -> None:
            if operation == "write" and name == results:
                getattr(google.store, fate).append(names["claim"])

        google.store.after = arm
    else:
        getattr(google.store, fate).append(names[moment])
    try:
        deliver(google, source)
        attempts = 1
    except RetryableError:
        assert fate == "refuse"
        google.clock.seconds += 61
        deliver(google, source)
        attempts = 2
    assert deliver(google, source) == "skipped"
    found = document(google, source)
    assert found["counts"]["uploaded"] + found["counts"]["duplicate"] == CHUNK_ROWS + 1
    assert len(google.api.counted) == CHUNK_ROWS + 1
    if fate == "lose":
        assert attempts == 1


def test_results_written_but_the_claim_is_still_running(google: World) -> None:
    """The document is the commit point, so the next delivery only marks the run as finished."""
    source = put(google, 3)

    def die(operation: str, name: str) -> None:
        if operation == "write" and name.endswith(".results.json"):
            raise KeyboardInterrupt

    google.store.after = die
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.store.after = lambda operation, name: None
    google.clock.seconds += 61
    before = document(google, source)
    assert deliver(google, source) == "skipped"
    assert document(google, source) == before
    assert google.api.batches == 1


def test_an_old_event_ends_as_stale(google: World) -> None:
    """An old event is stopped with one document, without any request to the API."""
    source = put(google, 3)
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    with pytest.raises(RetryableError):
        deliver(google, source)
    assert deliver(google, source, age=DAY + timedelta(hours=1)) == "stopped"
    found = document(google, source)
    assert found["file_error"]["code"] == "STALE"
    assert found["counts"]["not_attempted"] == 3


def test_a_file_that_waits_for_the_quota_is_not_stale(google: World) -> None:
    """A file that waits for the daily quota is stopped only after SWEEP_MAX_AGE_DAYS."""
    source = put(google, 3)
    google.api.preflight = RetryableError("DAILY_QUOTA")
    for age in (timedelta(0), DAY + timedelta(hours=1)):
        with pytest.raises(RetryableError):
            deliver(google, source, age=age)
    google.api.preflight = None
    assert deliver(google, source, age=2 * DAY) == "completed"
    late = put(google, 3, "late.csv")
    google.api.preflight = RetryableError("DAILY_QUOTA")
    with pytest.raises(RetryableError):
        deliver(google, late)
    assert deliver(google, late, age=timedelta(days=8)) == "stopped"


@pytest.mark.parametrize("poison", [{"customer_id": []}, {"no_such_key": 1}, None, "text"])
def test_an_unreadable_profile_in_the_claim(google: World, poison: Any) -> None:
    """A profile that another version saved and this one cannot read stops the file."""
    source = put(google, 3)
    google.api.before = dies(1)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    name = claim_name(source)
    claim = json.loads(google.store.objects[OUT, name][0])
    google.store.put(OUT, name, json.dumps({**claim, "profile": poison}).encode())
    google.clock.seconds += 61
    assert deliver(google, source) == "stopped"
    assert document(google, source)["file_error"]["code"] == "INVALID_PROFILE"


def test_a_file_that_triggers_a_bug_does_not_stop_the_sweep(google: World) -> None:
    """After a file that triggers a bug, the sweep still finishes the others."""
    google.store.put("in-bucket", "a.csv", csv_bytes(orders(1, 3)))
    second = put(google, 3, "b.csv")

    def broken(number: int) -> None:
        google.api.before = lambda number: None
        raise ZeroDivisionError

    google.api.before = broken
    report = sweep_once(google.context, 1500)
    assert (report["unfinished"], report["finished"], report["again"]) == (2, 1, 1)
    assert document(google, second)["counts"]["uploaded"] == 3


# ── deferred rows ────────────────────────────────────────────────────────────────────────────────


def deferred_run(google: World, rows: int = 5) -> StoredObject:
    source = put(google, rows)
    google.api.too_recent = {"order-2", "order-4"}
    assert deliver(google, source) == "waiting"
    return source


def hours_later(google: World, hours: float) -> dict[str, Any]:
    google.clock.seconds += hours * 3600
    return sweep_once(google.context, 1500)


def test_deferred_rows_are_merged_into_their_chunk(google: World) -> None:
    """Only deferred rows are sent again, and only when they are due."""
    source = deferred_run(google)
    assert hours_later(google, 5)["waiting"] == 0
    google.api.too_recent = {"order-4"}
    assert hours_later(google, 2)["waiting"] == 1
    found = document(google, source)
    assert found["status"] == "waiting"
    assert (found["counts"]["uploaded"], found["counts"]["deferred"]) == (4, 1)
    google.api.too_recent = set()
    hours_later(google, 7)
    found = document(google, source)
    assert found["status"] == "completed"
    assert (found["counts"]["uploaded"], found["rows"]) == (5, [])
    assert sorted(google.api.counted) == [f"order-{n}" for n in range(1, 6)]
    assert hours_later(google, 7)["waiting"] == 0


def test_rows_that_stay_too_recent_fail(google: World) -> None:
    """Rows that stay too recent fail after `max_defer_hours`, and the run is finished."""
    source = deferred_run(google)
    for _ in range(8):
        hours_later(google, 7)
    found = document(google, source)
    assert (found["status"], found["counts"]["failed"]) == ("completed", 2)
    assert not [name for name in google.store.names(OUT) if "/waiting/" in name]


def test_the_source_of_deferred_rows_is_gone(google: World) -> None:
    """Deferred rows whose source is gone fail with this reason."""
    source = deferred_run(google)
    google.store.delete("in-bucket", "export.csv")
    hours_later(google, 7)
    found = document(google, source)
    assert found["counts"]["failed"] == 2
    assert {e["code"] for row in found["rows"] for e in row["errors"]} == {
        "TOO_RECENT_EVENT",
        "SOURCE_GONE",
    }


def test_an_account_that_refuses_now_leaves_the_rows_deferred(google: World) -> None:
    """Rows stay deferred while the account refuses, because somebody may be correcting it."""
    source = deferred_run(google)
    google.api.stop = Problem("USER_PERMISSION_DENIED")
    hours_later(google, 7)
    assert document(google, source)["counts"]["deferred"] == 2
    google.api.stop, google.api.too_recent = None, set()
    hours_later(google, 7)
    assert document(google, source)["counts"]["uploaded"] == 5


def test_a_listed_row_stays_listed(google: World) -> None:
    """With `list_all_rows`, an updated document lists as many rows as before."""
    google.settings = google.settings.model_copy(update={"list_all_rows": True})
    source = deferred_run(google)
    google.api.too_recent = set()
    hours_later(google, 7)
    found = document(google, source)
    assert [row["outcome"] for row in found["rows"]] == ["uploaded"] * 5


def test_rows_of_a_validated_file_stay_ok(google: World) -> None:
    """Deferred rows of a validate-only file become `ok`, never `uploaded`."""
    google.profiles["default"]["validate_only"] = True
    source = deferred_run(google)
    google.api.too_recent = set()
    hours_later(google, 7)
    counts = document(google, source)["counts"]
    assert (counts["ok"], counts["uploaded"]) == (5, 0)


@pytest.mark.parametrize("fate", ["lose", "refuse"])
def test_a_pending_run_that_was_not_written(google: World, fate: str) -> None:
    """A run gets the status `waiting` only if the sweep will find it."""
    source = put(google, 5)
    google.api.too_recent = {"order-2"}
    getattr(google.store, fate).append(f"_state/waiting/{run_key(source)}.json")
    if fate == "refuse":
        with pytest.raises(RetryableError):
            deliver(google, source)
    assert deliver(google, source) == "waiting"
    google.api.too_recent = set()
    hours_later(google, 7)
    assert document(google, source)["status"] == "completed"
    assert len(google.api.counted) == 5


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([1] * 25, [10, 10, 5]),  # the limit of rows
        ([600] * 5, [2, 2, 1]),  # the limit of characters
        ([5_000, 1, 1], [1, 2]),  # one row may exceed it
        ([999, 1, 1], [2, 1]),
    ],
)
def test_a_chunk_ends_at_rows_or_characters(lengths: list[int], sizes: list[int]) -> None:
    """Whichever limit comes first ends a chunk, and no row is lost."""
    records: list[Row] = [(line, ["x"], None, size) for line, size in enumerate(lengths)]
    chunks = list(chunks_of(records, LIMITS, 1))
    assert [len(chunk.rows) for chunk in chunks] == sizes
    assert [record for chunk in chunks for record in chunk.rows] == records
    assert [chunk.number for chunk in chunks] == list(range(len(sizes)))


def crash(google: World, source: StoredObject, at: str, *, before: bool = False) -> None:
    """Deliver an event, and kill the attempt at the write of this object."""

    def die(operation: str, name: str) -> None:
        if operation == "write" and at in name:
            raise KeyboardInterrupt

    hook = "before" if before else "after"
    setattr(google.store, hook, die)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    setattr(google.store, hook, lambda operation, name: None)


@pytest.mark.parametrize("at", ["/chunks/", "/waiting/", ".results.html", ".results.json"])
def test_an_answer_that_was_saved_is_not_sent_again(google: World, at: str) -> None:
    """From there on, a crash costs no request, and every row keeps its first outcome."""
    source = put(google, 5)
    google.api.too_recent = {"order-2"}
    crash(google, source, at)
    google.clock.seconds += 61
    assert deliver(google, source) == ("skipped" if at == ".results.json" else "waiting")
    found = document(google, source)
    assert (found["counts"]["uploaded"], found["counts"]["deferred"]) == (4, 1)
    assert f"{source.name}.{source.generation}.results.html" in google.store.names(OUT)
    assert google.api.batches == 1
    google.api.too_recent = set()
    hours_later(google, 7)
    assert document(google, source)["counts"]["uploaded"] == 5
    assert len(google.api.counted) == 5


@pytest.mark.parametrize("at", ["/waiting/", ".results.html", ".results.json"])
def test_the_sweep_ends_what_a_crash_left(google: World, at: str) -> None:
    """Even if the object is gone, the rows have the outcomes that were saved."""
    source = put(google, 5)
    google.api.too_recent = {"order-2"}
    crash(google, source, at)
    google.store.delete("in-bucket", source.name)
    hours_later(google, 7)
    counts = document(google, source)["counts"]
    assert (counts["rows"], counts["uploaded"], counts["failed"]) == (5, 4, 1)
    assert not [name for name in google.store.names(OUT) if "/waiting/" in name]


def test_an_attempt_that_was_overtaken_does_not_replace_the_follow_up(google: World) -> None:
    """One that was frozen before it saved its answer finds that of its successor."""
    source = put(google, 5)
    google.api.too_recent = {"order-2"}

    def successor(number: int) -> None:
        google.api.after = lambda number: None
        google.clock.seconds += 61
        assert deliver(google, source) == "waiting"

    google.api.after = successor
    with pytest.raises(LeaseLost):
        deliver(google, source)
    pending = google.context.pending_runs.get(run_key(source))
    assert pending is not None
    assert pending.run is not None
    with pytest.raises(LeaseLost):
        google.context.pending_runs.put(replace(pending, run=replace(pending.run, attempts=1)))


def test_the_calls_of_a_small_file(google: World) -> None:
    """Read, claim, marker, follow-up, report, results; or, without a follow-up, the claim again."""
    files = put(google, 3, "a.csv"), put(google, 3, "b.csv")
    google.api.too_recent = {"order-2"}
    counted = []
    for source in files:
        google.store.calls.clear()
        assert process_arrival(source, google.clock.utc(), google.context) != "ignored"
        google.api.too_recent = set()
        counted.append([name for _, name in google.store.calls])
    waiting, completed = counted
    results = [f"a.csv.{files[0].generation}.results.{kind}" for kind in ("html", "json")]
    assert waiting == [
        "a.csv",
        claim_name(files[0]),
        chunk_name(files[0], 0),
        f"_state/waiting/{run_key(files[0])}.json",
        *results,
    ]
    assert completed[:3] == ["b.csv", claim_name(files[1]), chunk_name(files[1], 0)]
    assert completed[5:] == [claim_name(files[1])]
