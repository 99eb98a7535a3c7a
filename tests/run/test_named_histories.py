"""Histories that have a name: what happened to a file, and what its results say in the end.

`test_any_history` looks for what nobody has thought of. These are the ones that somebody has.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from lib.catalogue.codes import lookup
from lib.errors import LeaseHeld, LeaseLost, PermanentError, RetryableError
from lib.model.outcomes import Problem
from lib.model.retries import MAX_TRIES, wait_after_try
from lib.model.sent_requests import JobCounts, RequestStatus, UploadDiagnostics
from lib.results.sentences import NOBODY_NOW
from lib.run.attempt import Attempt
from lib.run.sending import with_sent_chunks
from lib.run.take import take_over
from lib.state.runs import run_key
from lib.state.store import OpenedObject, Readable, StoredObject
from tests.fakes import (
    SOLD_AT,
    START,
    Dies,
    MemoryStore,
    World,
    deliver,
    deliver_again,
    entries,
    fails,
    logged,
    passes,
    results,
    sales,
    saved,
    sweep,
    world,
)
from tests.histories.files import SALES_ENTRIES, SALES_PROFILE, SalesRow, sales_file
from tests.results.test_report import words
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

IN, OUT = "in-bucket", "out-bucket"
HOUR = 3600
AFTER_DEATH = 61 + wait_after_try(MAX_TRIES).total_seconds()
"""A lease, and the longest wait after an attempt that died, in seconds."""


def outcomes(google: World, name: str = "daily.csv", number: int = -1) -> dict[str, int]:
    """Return how many rows have each outcome."""
    counts = results(google, name, number)["counts"]
    return {each: n for each, n in counts.items() if n and each not in ("rows", "warnings")}


@pytest.fixture
def google() -> World:
    return world()


def test_a_small_file_costs_six_calls_to_storage(google: World) -> None:
    """Run, file, marker, report, document, run."""
    deliver(google, "daily.csv", sales("a", "b"))
    assert [operation for operation, _ in google.store.calls] == [
        *("write", "read", "write", "write", "write", "write"),
    ]
    assert saved(google).state == "done"


def test_a_second_delivery_of_a_done_run_does_nothing(google: World) -> None:
    """The event is acknowledged, and nothing is sent or written again."""
    deliver(google, "daily.csv", sales("a"))
    before = dict(google.store.objects)
    assert deliver_again(google, "daily.csv") == "skipped"
    assert google.store.objects == before
    assert google.api.counted == ["a"]


def test_a_young_lease_is_respected(google: World) -> None:
    """A delivery that meets a working attempt is retried, not acknowledged."""
    google.api.before = fails(Dies())
    with pytest.raises(Dies):
        deliver(google, "daily.csv", sales("a"))
    with pytest.raises(LeaseHeld):
        deliver_again(google, "daily.csv")
    google.api.before = passes
    google.clock.seconds += 61
    with pytest.raises(LeaseHeld):  # the file may have killed it: a quarter of an hour passes
        deliver_again(google, "daily.csv")
    google.clock.seconds += 900
    assert deliver_again(google, "daily.csv") == "completed"


def test_a_broken_upload_that_ends_within_a_value(google: World) -> None:
    """`1` of `1270.00` is held, and never sent, because the whole file comes a minute later."""
    columns = [c for c in CORE_COLUMNS if c != "conversion_value"] + ["conversion_value"]
    rows = [
        core_row(n, order_id=o, conversion_date_time=SOLD_AT, conversion_value="1270.00")
        for n, o in enumerate("ab", 1)
    ]
    whole = csv_bytes(rows, columns)
    deliver(google, "daily.csv", whole.rstrip(b"\r\n")[: -len("270.00")])
    assert outcomes(google) == {"uploaded": 1, "deferred": 1}
    google.clock.seconds += 60
    deliver(google, "daily.csv", whole)
    google.clock.seconds += 601
    sweep(google)
    assert outcomes(google, number=0) == {"uploaded": 1, "not_attempted": 1}
    assert outcomes(google, number=1) == {"uploaded": 1, "duplicate": 1}
    assert results(google, number=1)["money"]["uploaded"]["sums"]["USD"]["micros"] == 1_270_000_000


def test_a_file_that_no_attempt_survives_ends(google: World) -> None:
    """NO_PROGRESS says so, the object is not opened again, and the last attempt lives."""
    deaths = 0

    def die(operation: str, name: str) -> None:
        nonlocal deaths
        if operation == "read" and name == "daily.csv":
            deaths += 1
            raise Dies

    source = google.store.put(IN, "daily.csv", sales("a"))
    google.api.before = fails(Dies())
    for _ in range(MAX_TRIES):
        with pytest.raises(Dies):
            deliver_again(google, source.name)
        google.clock.seconds += AFTER_DEATH
    google.store.before = die
    google.clock.seconds += AFTER_DEATH
    sweep(google)
    assert deaths == 0
    document = results(google)
    assert document["file_error"]["code"] == "NO_PROGRESS"
    assert "MAYBE_SENT" in [note["code"] for note in document["notes"]]
    assert saved(google).state == "done"


@pytest.mark.parametrize(("state_bucket", "is_read"), [("", False), ("state-bucket", True)])
def test_a_folder_with_the_name_of_the_state(state_bucket: str, is_read: bool) -> None:
    """Results of its files would be written among the state, unless that has its own bucket."""
    google = world(state_bucket=state_bucket)
    google.profiles["_state"] = google.profiles["default"]
    assert (deliver(google, "_state/daily.csv", sales("a")) == "completed") == is_read


def test_a_stale_file_keeps_the_reason_of_its_stop(google: World) -> None:
    """What was wrong first is told, also a week later."""
    google.profiles.clear()
    google.store.lose.append("daily.csv.1000.results.html")
    with pytest.raises(RetryableError):
        deliver(google, "daily.csv", sales("a"))
    google.clock.seconds += 8 * 24 * HOUR
    sweep(google)
    assert results(google)["file_error"]["code"] == "UNKNOWN_PROFILE"


def test_a_file_that_was_read_wrongly_names_the_chunks_that_were_sent(
    google: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their values may be wrong. The rows of the last chunk are not attempted."""

    class ReadWrongly:
        def __init__(self, stream: Readable) -> None:
            self.stream = stream

        def read(self, size: int, /) -> bytes:
            if content := self.stream.read(size):
                return content
            raise PermanentError("CHECKSUM_MISMATCH", "read twice")

    right = type(google.store).open_live

    def read_wrongly(store: MemoryStore, source: StoredObject) -> OpenedObject:
        opened = right(store, source)
        return opened._replace(stream=ReadWrongly(opened.stream))

    monkeypatch.setattr(type(google.store), "open_live", read_wrongly)
    monkeypatch.setattr("lib.run.chunks.CHUNK_ROWS", 1_000)
    deliver(google, "daily.csv", sales(*map(str, range(5_000))))
    assert outcomes(google)["uploaded"] == 4_000
    assert 0 < outcomes(google)["not_attempted"] < 1_000
    told = results(google)["file_error"]["detail"]
    assert told == "read twice; chunks sent before: 0 to 3 (4,000 rows uploaded)"


def test_the_chunks_that_were_sent_are_named_in_their_order(google: World) -> None:
    """Also if one of them was sent by a later attempt than the one behind it, and only if bytes may
    have been read wrongly."""
    deliver(google, "daily.csv", sales("a"))
    found = google.context.runs.read(saved(google).key)
    assert found is not None
    limits = google.context.deadline(0)
    attempt = Attempt(found, None, google.context, limits, google.context.log, lease_until=0)
    attempt.sums.sent = [0, 2, 1]
    told = with_sent_chunks(Problem("CHECKSUM_MISMATCH", "", "read twice"), attempt)
    assert told.detail == "read twice; chunks sent before: 0 to 2 (0 rows uploaded)"
    attempt.sums.sent = []
    told = with_sent_chunks(Problem("CHECKSUM_MISMATCH", "", "read twice"), attempt)
    assert told.detail == "read twice; no chunk was sent"
    another = Problem("CORRUPT_FILE", "", "cut off")
    assert with_sent_chunks(another, attempt) == another


def test_a_refused_account_stops_a_resend_at_once(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Deferred rows are not attempted, the results say why, and a line says so at once."""
    google.api.too_recent = {"b"}
    deliver(google, "daily.csv", sales("a", "b"))
    google.api.too_recent, google.api.stop = set(), Problem("CUSTOMER_NOT_ENABLED")
    google.clock.seconds += 7 * HOUR
    capsys.readouterr()
    sweep(google)
    assert outcomes(google) == {"uploaded": 1, "not_attempted": 1}
    assert results(google)["file_error"]["code"] == "CUSTOMER_NOT_ENABLED"
    (told,) = logged(capsys, "open_problem")
    assert (told["severity"], told["kind"]) == ("ERROR", "file_stopped")
    assert [entry.stop for entry in entries(google)] == ["CUSTOMER_NOT_ENABLED"]


def test_a_stop_is_told_by_the_attempt_that_writes_it(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first one could not write its results, the second one tells, and no later one."""

    def count_told() -> int:
        return capsys.readouterr().out.count('"kind": "file_stopped"')

    google.profiles.clear()
    google.store.lose.append("daily.csv.1000.results.html")
    with pytest.raises(RetryableError):
        deliver(google, "daily.csv", sales("a"))
    assert count_told() == 0
    google.clock.seconds += 601
    deliver_again(google, "daily.csv")
    assert count_told() == 1
    google.store.delete(OUT, "daily.csv.1000.results.json")
    deliver_again(google, "daily.csv")
    assert results(google)["file_error"]["code"] == "UNKNOWN_PROFILE"
    assert count_told() == 0


def test_a_wrong_action_of_all_rows_stops_the_file(google: World) -> None:
    """Its profile names one action, so no row can have another one."""
    columns = [each for each in CORE_COLUMNS if each != "conversion_action"]
    google.profiles["default"] |= {"action": "1001", "columns": {each: each for each in columns}}
    google.api.stop = Problem("INVALID_CONVERSION_ACTION_ID")
    deliver(google, "daily.csv", sales("a", "b"))
    assert outcomes(google) == {"not_attempted": 2}
    assert results(google)["file_error"]["code"] == "INVALID_CONVERSION_ACTION_ID"


def test_a_wrong_action_of_a_whole_chunk_is_heard_of(google: World) -> None:
    """Rows may have other actions, so the file goes on, and these rows are lost."""
    google.api.stop = Problem("INVALID_CONVERSION_ACTION_ID")
    deliver(google, "daily.csv", sales("a", "b"))
    assert outcomes(google) == {"failed": 2}
    assert results(google)["file_error"] is None
    assert [entry.totals.lost for entry in entries(google)] == [2]


def test_two_rows_of_a_chunk_are_due_at_different_times(google: World) -> None:
    """Each deferred row has its own time: an unknown sale waits a day, a recent click six hours."""
    google.api.too_recent, google.api.too_recent_code = {"a"}, "TOO_RECENT_EVENT"
    google.api.deferred, google.api.deferred_code = {"b"}, "CONVERSION_NOT_FOUND"
    deliver(google, "daily.csv", sales("a", "b"))
    google.api.too_recent, google.api.deferred = set(), set()
    google.clock.seconds += 7 * HOUR
    sweep(google)
    assert google.api.counted == ["a"]
    google.clock.seconds += 18 * HOUR
    sweep(google)
    assert google.api.counted == ["a", "b"]


@pytest.mark.parametrize("versioned", [False, True], ids=["gone", "its version is kept"])
def test_a_held_last_line_whose_object_was_deleted_is_not_attempted(
    google: World, versioned: bool
) -> None:
    """Nobody has to act: the row was never complete, and nobody wants it any more."""
    google.store.versioned = versioned
    deliver(google, "daily.csv", sales("a", "b").rstrip(b"\r\n"))
    google.store.delete(IN, "daily.csv")
    google.clock.seconds += 601
    sweep(google)
    assert outcomes(google) == {"uploaded": 1, "not_attempted": 1}
    assert results(google)["rows"][0]["errors"][0]["code"] == "SOURCE_GONE"


@pytest.mark.parametrize("end", ["\r\n", ""], ids=["whole", "held"])
@pytest.mark.parametrize(
    ("of_first", "found", "code"),
    [
        ("counted", {"uploaded": 1, "duplicate": 1}, "REPEATED_WITH_OTHER_VALUE"),
        ("too_recent", {"deferred": 2}, "TOO_RECENT_EVENT"),
        ("too_old", {"failed": 1, "rejected": 1}, "REPEATED_REFUSED_LINE"),
    ],
)
def test_a_held_last_line_repeats_a_row_like_any_other(
    google: World, of_first: str, found: dict[str, int], code: str, end: str
) -> None:
    """It is compared with the rows of its chunk, which were answered before, and shares what
    happened to the row that it repeats."""
    if of_first != "counted":
        getattr(google.api, of_first).add("a")
    same = {"order_id": "a", "conversion_date_time": SOLD_AT}
    rows = [core_row(n, conversion_value=value, **same) for n, value in enumerate("19", 1)]
    deliver(google, "daily.csv", csv_bytes(rows).rstrip(b"\r\n") + end.encode())
    google.clock.seconds += 601
    sweep(google)
    assert outcomes(google) == found
    assert code in results(google)["codes"]
    google.api.too_recent.clear()
    google.clock.seconds += 13 * HOUR
    sweep(google)
    google.clock.seconds += 13 * HOUR
    sweep(google)
    if of_first != "too_old":
        assert outcomes(google) == {"uploaded": 1, "duplicate": 1}
        assert google.api.counted == ["a"]


def test_a_held_last_line_is_read_like_its_column(google: World) -> None:
    """Its date means what the dates of the other rows say, although they are not sent with it."""
    google.profiles["default"]["date_order"] = "MDY"
    columns = [*(c for c in CORE_COLUMNS if c != "conversion_date_time"), "conversion_date_time"]
    dates = ["20/11/2026", "21/11/2026", "10/11/2026"]
    rows = [core_row(n, conversion_date_time=date) for n, date in enumerate(dates)]
    deliver(google, "daily.csv", csv_bytes(rows, columns).rstrip(b"\r\n"))
    google.clock.seconds += 601
    sweep(google)
    assert outcomes(google) == {"rejected": 3}
    assert google.api.sent == []


def test_a_copy_onto_itself_is_superseded(google: World) -> None:
    """Of two generations with the same content, the one that is not live sends nothing."""
    first = google.store.put(IN, "daily.csv", sales("a"))
    google.clock.seconds += 1
    second = google.store.put(IN, "daily.csv", sales("a"))
    assert _deliver(google, first) == "superseded"
    assert _deliver(google, second) == "completed"
    assert outcomes(google, number=0) == {}
    assert google.api.counted == ["a"]


def _deliver(google: World, source: StoredObject) -> str:
    from lib.run.deliver import deliver as deliver_object

    return deliver_object(source, google.context)


def test_bytes_without_a_common_checksum_are_not_known_to_be_the_same() -> None:
    """A composite object has no MD5. Files of one size are not one file."""
    first = StoredObject(IN, "daily.csv", 1, 9, md5="a")
    composite = replace(first, generation=2, md5="", crc32c="c")
    assert first.has_bytes_of(replace(first, generation=2))
    assert not first.has_bytes_of(composite)
    assert not composite.has_bytes_of(replace(composite, size=8))


def test_a_profile_that_is_edited_between_two_attempts(google: World) -> None:
    """The first attempt fixes the profile: all rows of a file are read alike."""
    google.api.before = fails(RetryableError("API_UNAVAILABLE"))
    with pytest.raises(RetryableError):
        deliver(google, "daily.csv", sales("a", currency_code=""))
    google.profiles["default"] = google.profiles["default"] | {"currency_code": "EUR"}
    google.api.before = passes
    google.clock.seconds += 601
    sweep(google)
    assert [*results(google)["money"]["uploaded"]["sums"]] == ["USD"]


def test_an_outage_is_tried_again_after_ten_minutes(google: World) -> None:
    """Neither at once, which would burn attempts, nor after a longer wait, as a death is."""
    google.api.before = fails(RetryableError("API_UNAVAILABLE"))
    with pytest.raises(RetryableError):
        deliver(google, "daily.csv", sales("a"))
    run = saved(google)
    assert (run.due, run.tries) == (google.context.utc_now() + timedelta(minutes=10), 0)


def test_results_that_were_deleted_come_back_with_the_next_event(google: World) -> None:
    """They are made of the markers, without sending anything."""
    deliver(google, "daily.csv", sales("a"))
    before = results(google)
    google.store.delete(OUT, "daily.csv.1000.results.json")
    google.store.delete(OUT, "daily.csv.1000.results.html")
    deliver_again(google, "daily.csv")
    after = results(google)
    assert after["counts"] == before["counts"]
    assert google.api.batches == 1


def test_a_deleted_marker_is_sent_again(google: World) -> None:
    """While the run waits, its rows have no outcome any more: Google knows those that it has."""
    google.api.too_recent = {"b"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.run.chunks.CHUNK_ROWS", 1)
        deliver(google, "daily.csv", sales("a", "b"))
        google.store.delete(OUT, f"_state/chunks/{saved(google).key}/000000.json")
        google.api.too_recent = set()
        google.clock.seconds += 7 * HOUR
        sweep(google)
    assert outcomes(google) == {"uploaded": 1, "duplicate": 1}
    assert google.api.counted == ["a", "b"]


def test_a_deleted_run_is_begun_again(google: World) -> None:
    """The sweep finds its file without a run. Google knows the rows that are sent again."""
    google.api.too_recent = {"b"}
    deliver(google, "daily.csv", sales("a", "b"))
    google.store.delete(OUT, f"_state/runs/{saved(google).key}.json")
    google.api.too_recent = set()
    for _ in range(3):
        google.clock.seconds += 7 * HOUR
        sweep(google)
    assert outcomes(google) == {"uploaded": 1, "duplicate": 1}
    assert google.api.counted == ["a", "b"]
    assert saved(google).state == "done"


def test_a_damaged_run_is_named_and_left_as_it_is(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """STATE_UNREADABLE is an alert with the run's name and none of its content. It is retried, and
    the sweep says that the file is unfinished."""
    google.api.too_recent = {"a"}
    deliver(google, "daily.csv", sales("a"))
    name = f"_state/runs/{saved(google).key}.json"
    damaged = b'{"format": 1, "secret": "buyer@example.com"}'
    google.store.put(OUT, name, damaged)
    google.store.metadata.pop((OUT, name))
    with pytest.raises(RetryableError, match="STATE_UNREADABLE"):
        deliver_again(google, "daily.csv")
    output = capsys.readouterr().out
    lines = [json.loads(line) for line in output.splitlines()]
    (alert,) = [line for line in lines if line["event"] == "settings_invalid"]
    assert (alert["severity"], alert["code"]) == ("ERROR", "STATE_UNREADABLE")
    assert name in alert["detail"]
    assert "buyer" not in output
    google.clock.seconds += 7 * HOUR
    assert sweep(google)["unreadable"] == 1
    assert google.store.objects[OUT, name][0] == damaged


def test_a_run_of_a_newer_version_is_left_alone(google: World) -> None:
    """A higher format is a retryable error."""
    deliver(google, "daily.csv", sales("a"))
    name = f"_state/runs/{saved(google).key}.json"
    content, _ = google.store.objects[OUT, name]
    google.store.put(OUT, name, content.replace(b'"format":1', b'"format":2', 1))
    with pytest.raises(RetryableError, match="NEWER_VERSION"):
        deliver_again(google, "daily.csv")


def test_a_row_is_only_validated(google: World) -> None:
    """With validate_only nothing waits: a deferral becomes `ok` with a warning."""
    google.profiles["default"]["validate_only"] = True
    google.api.too_recent = {"a"}
    deliver(google, "daily.csv", sales("a", "b"))
    assert outcomes(google) == {"ok": 2}
    assert results(google)["rows"][0]["warnings"][0]["code"] == "TOO_RECENT_EVENT"
    assert saved(google).state == "done"


def test_the_first_chunk_goes_alone(google: World) -> None:
    """A file that the account refuses costs one request, however many chunks it has."""
    google = world(window=8)
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    another = threading.Event()

    def wait_for_another(number: int) -> None:
        if number == 1:
            another.wait(0.2)
        else:
            another.set()

    google.api.before = wait_for_another
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.run.chunks.CHUNK_ROWS", 1)
        deliver(google, "daily.csv", sales(*"abcdef"))
    assert google.api.batches == 1
    assert outcomes(google) == {"not_attempted": 6}


def test_chunks_are_sent_beside_each_other() -> None:
    """The request of the second chunk is not answered yet when that of the third one begins."""
    google, third = world(window=2), threading.Event()

    def wait_for_the_third(number: int) -> None:
        if number == 3:
            third.set()
        assert number != 2 or third.wait(5), "the third request waits for the second one"

    google.api.before = wait_for_the_third
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.run.chunks.CHUNK_ROWS", 1)
        deliver(google, "daily.csv", sales(*"abc"))
    assert outcomes(google) == {"uploaded": 3}


def test_two_sweeps_and_four_deliveries_at_once() -> None:
    """One of them has the run, and the others leave it alone."""
    google = world(window=2)
    google.store.put(IN, "daily.csv", sales(*"abcdef"))
    google.clock.seconds += 60
    begin = threading.Barrier(6)

    def take_part(number: int) -> None:
        begin.wait()
        try:
            sweep(google) if number < 2 else deliver_again(google, "daily.csv")
        except RetryableError:
            return  # the event comes again

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(6) as pool:
        patch.setattr("lib.run.chunks.CHUNK_ROWS", 1)
        list(pool.map(take_part, range(6)))
    assert sorted(google.api.counted) == [*"abcdef"]
    assert google.api.batches == 6
    assert outcomes(google) == {"uploaded": 6}
    assert saved(google).state == "done"


def test_the_lost_answer_to_the_first_write_of_a_run(google: World) -> None:
    """The attempt finds its own token in the document, and goes on."""
    source = google.store.put(IN, "daily.csv", sales("a"))
    google.store.lose.append(f"_state/runs/{run_key(source)}.json")
    assert deliver_again(google, "daily.csv") == "completed"


def test_two_attempts_that_take_over_a_run_at_the_same_moment(google: World) -> None:
    """The second one does not take what the first one has saved for its own."""
    google.api.too_recent = {"a"}
    deliver(google, "daily.csv", sales("a"))
    google.clock.seconds += 7 * HOUR
    found = google.context.runs.read(saved(google).key)
    assert found is not None
    take_over(found, google.context)
    with pytest.raises(LeaseHeld):
        take_over(found, google.context)


@pytest.mark.parametrize("kind", ["html", "json"])
def test_results_that_another_attempt_writes_meanwhile_are_written_again(
    google: World, kind: str
) -> None:
    """It was frozen before this write, so what it says is older than what this attempt knows."""
    name = f"daily.csv.1000.results.{kind}"

    def overtake(operation: str, written: str) -> None:
        if (operation, written) == ("write", name):
            google.store.before = passes
            google.store.put(OUT, name, b"{}")

    google.store.before = overtake
    with pytest.raises(RetryableError):
        deliver(google, "daily.csv", sales("a"))
    google.clock.seconds += 601
    sweep(google)
    assert google.store.objects[OUT, name][0] != b"{}"


def test_the_lost_answer_to_a_second_marker_is_in_the_results(google: World) -> None:
    """The corrections were sent and saved in the second pass, so no row is deferred."""
    with_corrections(google, "google_ads")
    markers: list[str] = []

    def lose_the_second(operation: str, name: str) -> None:
        if operation == "write" and "/chunks/" in name:
            markers.append(name)
            google.store.lose += markers[1:2] if len(markers) == 2 else []

    google.store.after = lose_the_second
    deliver(google, "daily.csv", sales_file([SalesRow(0), SalesRow(3, 1)]))
    assert len(markers) == 2
    assert outcomes(google) == {"uploaded": 2}
    assert saved(google).state == "done"


def test_an_attempt_does_not_overwrite_its_successor(google: World) -> None:
    """Only if its own answer got lost, what is saved is what it wanted to save."""
    deliver(google, "daily.csv", sales("a"))
    runs = google.context.runs
    mine = runs.read(saved(google).key)
    assert mine is not None
    theirs = runs.save(mine, owner="another attempt")
    with pytest.raises(LeaseLost):
        runs.save(mine, state="waiting")
    assert runs.read(mine.run.key) == theirs
    google.store.lose.append(f"_state/runs/{mine.run.key}.json")
    assert runs.save(theirs, tries=1).run == saved(google)


# ── corrections ──────────────────────────────────────────────────────────────────────────────────


def with_corrections(google: World, destination: str) -> None:
    """Let the rows of a file be sales and, according to their status, corrections."""
    google.use_destination(destination)
    entries = SALES_ENTRIES if destination == "google_ads" else SALES_ENTRIES[:2]
    google.profiles["default"] |= {**SALES_PROFILE, "conversions": entries}


def test_corrections_follow_their_sales_in_the_same_attempt(google: World) -> None:
    """They wait until all sales of the file are answered, and not a day longer."""
    with_corrections(google, "google_ads")
    deliver(google, "daily.csv", sales_file([SalesRow(3, 3), SalesRow(0), SalesRow(3)]))
    assert google.api.counted == ["order-0", "order-3"]
    assert google.api.adjusted == [("order-3", None)]
    assert outcomes(google) == {"uploaded": 3}
    assert results(google)["corrections"] == {"uploaded": 1}
    assert saved(google).state == "done"


def test_a_refund_without_its_sale_fails_with_the_reason_of_google(google: World) -> None:
    """It is sent again for three days, beside sales that counted, and never awaits itself."""
    with_corrections(google, "google_ads")
    google.api.deferred, google.api.deferred_code = {"order-3"}, "CONVERSION_NOT_FOUND"
    deliver(google, "daily.csv", sales_file([SalesRow(0), SalesRow(3, 3)]))
    for _ in range(80):
        google.clock.seconds += HOUR
        sweep(google)
    failed, *_ = results(google)["rows"]
    assert (failed["outcome"], [e["code"] for e in failed["errors"]]) == (
        "failed",
        ["CONVERSION_NOT_FOUND", "DEFERRED_TOO_LONG"],
    )
    assert outcomes(google) == {"uploaded": 1, "failed": 1}
    assert saved(google).state == "done"


def test_a_correction_that_fails_later_is_still_no_sale(google: World) -> None:
    """Its final status changes its outcome, and corrections and sales are counted apart."""
    with_corrections(google, "data_manager")
    code = "PROCESSING_ERROR_REASON_EXPIRED_CLICK"

    def statuses(ids: Sequence[str]) -> list[RequestStatus]:
        failed = {"errors": {code: 1}, "error_records": {code: (0,)}}
        return [
            RequestStatus(each, "FAILED", "1001", 1, **failed)
            if each == "request-2"
            else RequestStatus(each, "SUCCESS", "1001", 1)
            for each in ids
        ]

    google.api.statuses = statuses
    deliver(google, "daily.csv", sales_file([SalesRow(0), SalesRow(0, 1)]))
    for _ in range(60):
        google.clock.seconds += HOUR
        sweep(google)
    assert outcomes(google) == {"uploaded": 1, "failed": 1}
    assert results(google)["corrections"] == {"failed": 1}


# ── what the API reports later ───────────────────────────────────────────────────────────────────


def test_a_row_that_google_would_not_recognize_is_not_sent_again(google: World) -> None:
    """If Google does not name the row that is too recent, the other one would count twice."""
    google.use_destination("data_manager")
    google.profiles["default"]["derive_order_id"] = False
    too_recent = {"PROCESSING_ERROR_REASON_TOO_RECENT_CLICK": 1}
    google.api.statuses = lambda ids: [
        RequestStatus(each, "PARTIAL_SUCCESS", "1001", 2, too_recent)
        if each == "request-1"
        else RequestStatus(each, "SUCCESS", "1001", 1)
        for each in ids
    ]
    person = core_row(2, order_id="", gclid="", conversion_date_time=SOLD_AT)
    with_order = core_row(1, order_id="a", conversion_date_time=SOLD_AT)
    deliver(google, "daily.csv", csv_bytes([with_order, person]))
    for hours in (1, 7, 7):
        google.clock.seconds += hours * HOUR
        sweep(google)
    by_line = {row["line"]: row for row in results(google)["rows"]}
    assert by_line[2]["outcome"] == "duplicate"  # it was sent again
    assert by_line[3]["outcome"] == "uploaded"
    assert [each["code"] for each in by_line[3]["warnings"]] == ["NOT_SENT_AGAIN"]
    assert google.api.counted == ["a", ""]


def test_statuses_are_asked_for_although_the_object_is_gone(google: World) -> None:
    """What Google says of sent rows does not need the file."""
    google.use_destination("data_manager")
    google.api.statuses = lambda ids: [RequestStatus(each, "SUCCESS", "1001", 1) for each in ids]
    deliver(google, "daily.csv", sales("order-a"))
    google.store.delete(IN, "daily.csv")
    google.clock.seconds += HOUR
    sweep(google)
    assert results(google)["processing"]["status"] == "finished"
    assert [entry.is_settled for entry in entries(google)] == [True]


def deliver_without_statuses(google: World) -> None:
    """Deliver a sale, of which Google then refuses to say what became of it."""
    google.use_destination("data_manager")
    google.api.statuses = fails(PermanentError("USER_PERMISSION_DENIED"))
    deliver(google, "daily.csv", sales("order-a"))


def test_report_and_overview_say_that_a_follow_up_is_blocked(google: World) -> None:
    """From when Google refuses to answer until somebody has mended the access."""

    def pages() -> list[str]:
        report = next(n for n in google.store.names(OUT) if n.endswith(".results.html"))
        names = report, "index.html"
        return [words(google.store.objects[OUT, name][0].decode()) for name in names]

    deliver_without_statuses(google)
    google.clock.seconds += HOUR
    sweep(google)
    (entry,) = entries(google)
    for page in pages():
        said = "still checking the only sale, but what Google says later cannot be read."
        assert f"Needs attention Google is {said}" in page
        assert lookup(entry.blocked).action in page
        assert NOBODY_NOW not in page
    google.api.statuses = lambda ids: [RequestStatus(each, "PROCESSING") for each in ids]
    google.clock.seconds += 60
    sweep(google)
    for page in pages():
        assert "Waiting Google is still checking the only sale." in page
        assert NOBODY_NOW in page


def test_an_outage_does_not_hide_that_a_follow_up_is_blocked(google: World) -> None:
    """Whether the access was mended is not known while Google cannot be reached."""
    deliver_without_statuses(google)
    google.clock.seconds += HOUR
    sweep(google)
    google.api.statuses = fails(RetryableError("API_UNAVAILABLE"))
    google.clock.seconds += 60
    sweep(google)
    assert [entry.blocked for entry in entries(google)] == ["USER_PERMISSION_DENIED"]


def test_nothing_blocks_a_run_that_has_ended_without_results(google: World) -> None:
    """Nobody asks for it any more, so a person who mends the access would wait in vain."""
    deliver_without_statuses(google)
    google.clock.seconds += HOUR
    sweep(google)

    def die(operation: str, name: str) -> None:
        if operation == "list" and "results" in name:
            raise Dies

    google.store.before = die
    for _ in range(MAX_TRIES + 1):
        google.clock.seconds += AFTER_DEATH
        with pytest.raises(Dies):
            sweep(google)
    google.clock.seconds += AFTER_DEATH
    sweep(google)
    (entry,) = entries(google)
    assert (entry.is_settled, entry.stop, entry.blocked) == (True, "NO_PROGRESS", "")


def test_job_diagnostics_that_count_nothing_are_heard(google: World) -> None:
    """0 successful and 6 failed rows of 6 uploaded ones are rows that do not count."""
    google = world(read_diagnostics=True)
    deliver(google, "daily.csv", sales(*"abcdef"))
    job = saved(google).job_id
    google.api.diagnostics = lambda customer: UploadDiagnostics(
        "NEEDS_ATTENTION", {job: JobCounts(0, 6, 0)}
    )
    google.clock.seconds += 2 * HOUR
    sweep(google)
    entry, *_ = entries(google)
    document = results(google)
    assert entry.totals.lost == 6
    assert document["processing"]["diagnostics"]["job"]["failed"] == 6
    assert document["unnamed"] == {"": 6}
    assert [note["code"] for note in document["notes"]] == ["NOT_COUNTED"]


def test_calls_are_not_in_the_job(google: World) -> None:
    """Google takes no job ID with them. What failed at once does not fail again in the job."""
    google = world(read_diagnostics=True)
    conversion = {"conversion_date_time": "time", "conversion_value": "value"}
    google.profiles["default"] |= {
        "action": "1001",
        "columns": conversion,
        "conversions": [
            {"rows": {"kind": ["sale"]}, "columns": {"order_id": "order", "gclid": "click"}},
            {
                "rows": {"kind": ["call"]},
                "send": "call",
                "columns": {"caller_id": "caller", "call_start_date_time": "began"},
            },
        ],
    }
    google.api.too_old = {"o-0", "o-1"}
    rows = [f"sale,o-{n},Cj0KCQiAexample{n:04d},{SOLD_AT},10,," for n in range(10)]
    began = SOLD_AT.replace("12:00", "11:00")
    rows.append(f"call,,,{SOLD_AT},10,+12125550101,{began}")
    header = "kind,order,click,time,value,caller,began"
    deliver(google, "daily.csv", "\n".join([header, *rows, ""]).encode())
    assert outcomes(google) == {"uploaded": 9, "failed": 2}
    google.api.diagnostics = lambda customer: UploadDiagnostics(
        "GOOD", {saved(google).job_id: JobCounts(8, 2, 0)}
    )
    google.clock.seconds += 2 * HOUR
    sweep(google)
    assert [entry.totals.lost for entry in entries(google)] == [2]


@pytest.mark.parametrize(
    ("content", "validate_only"),
    [
        pytest.param(
            csv_bytes([core_row(1, conversion_date_time="yesterday")]), False, id="all is rejected"
        ),
        pytest.param(sales("a"), True, id="only checked"),
    ],
)
def test_a_file_of_which_nothing_was_sent_has_no_diagnostics(
    content: bytes, validate_only: bool
) -> None:
    """Google knows no job of it, so nobody asks for them."""
    google = world(read_diagnostics=True)
    google.profiles["default"]["validate_only"] = validate_only
    google.api.diagnostics = lambda customer: pytest.fail("asked")
    deliver(google, "daily.csv", content)
    assert saved(google).state == "done"


def test_job_diagnostics_name_no_reason(google: World) -> None:
    """A warning that costs no row is not why the rows are lost that Google counts so."""
    google = world(read_diagnostics=True)
    old = f"{START - timedelta(days=75):%Y-%m-%d %H:%M:%S}+00:00"
    rows = (core_row(n, gclid="", conversion_date_time=old) for n in range(6))
    deliver(google, "daily.csv", csv_bytes(rows))
    google.api.diagnostics = lambda customer: UploadDiagnostics(
        "NEEDS_ATTENTION", {saved(google).job_id: JobCounts(0, 6, 0)}
    )
    google.clock.seconds += 2 * HOUR
    sweep(google)
    entry, *_ = entries(google)
    assert entry.looks == ("NOT_COUNTED", "OLD_WITHOUT_CLICK_ID")
    assert (entry.totals.lost, entry.totals.reason) == (6, "")


def test_diagnostics_stay_when_google_no_longer_lists_the_job() -> None:
    """Google lists the most recent jobs only, and forgets none of what it said before."""
    google = world(read_diagnostics=True)
    google.api.too_recent = {"f"}
    deliver(google, "daily.csv", sales(*"abcdef"))
    job = saved(google).job_id
    for jobs in ({job: JobCounts(4, 0, 1)}, {}):
        answer = UploadDiagnostics("GOOD", jobs)
        google.api.diagnostics = lambda customer, answer=answer: answer
        google.clock.seconds += 12 * HOUR
        sweep(google)
    assert results(google)["processing"]["diagnostics"]["job"]["successful"] == 4


@pytest.mark.parametrize("failed", [0, 2])
def test_rows_that_fail_at_once_do_not_fail_again_in_the_diagnostics(failed: int) -> None:
    """Google does not document whether they are among the failed rows of the job."""
    google = world(read_diagnostics=True)
    google.api.too_recent = {"a", "b"}
    deliver(google, "daily.csv", sales(*"abcdef"))
    google.api.diagnostics = lambda customer: UploadDiagnostics(
        "GOOD", {saved(google).job_id: JobCounts(4, failed, 0)}
    )
    google.clock.seconds += 2 * HOUR
    sweep(google)
    assert [entry.totals.lost for entry in entries(google)] == [0]
    google.api.too_recent = set()
    google.clock.seconds += 5 * HOUR
    sweep(google)
    assert outcomes(google) == {"uploaded": 6}
    assert [entry.totals.lost for entry in entries(google)] == [0]
