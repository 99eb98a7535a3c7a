"""A file that ends every attempt stops, with results and an alert, and nothing waits behind it."""

from __future__ import annotations

import io
import json
import threading
from contextlib import suppress
from typing import Any, NoReturn

import pytest

from lib.errors import LeaseHeld, PermanentError, RetryableError
from lib.followup.sweep import sweep_once
from lib.model.deadline import Deadline
from lib.run import chunks
from lib.state.run import Run
from lib.state.store import Readable, StoredObject
from tests.fakes import Clock, FakeBatch, World, passes, world
from tests.rows import csv_bytes
from tests.run.test_deliver import deliver, document, orders, put

MOST = 5
"""MAX_ATTEMPTS_WITHOUT_PROGRESS by default."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)


@pytest.fixture
def google() -> World:
    return world()


def claim_of(google: World, source: StoredObject) -> Run:
    run = google.context.claims.of(source)
    assert run is not None
    return run


def die(google: World, source: StoredObject, times: int) -> None:
    """Deliver the event as often as this; each attempt is killed, and its lease expires."""
    for _ in range(times):
        with pytest.raises(KeyboardInterrupt):
            deliver(google, source)
        google.clock.seconds += 61


def kill(number: int) -> NoReturn:
    raise KeyboardInterrupt


def lose_storage(google: World, source: StoredObject, times: int) -> None:
    """Deliver the event as often as this; in each attempt, the API fails, and then storage.

    An attempt cannot even release its lease, which expires.
    """

    def down(operation: str, name: str) -> None:
        raise RetryableError("STORAGE_UNAVAILABLE", "")

    def fail(number: int) -> NoReturn:
        google.store.before = down
        raise RetryableError("API_UNAVAILABLE", "")

    google.api.before = fail
    for _ in range(times):
        with pytest.raises(RetryableError):
            deliver(google, source)
        google.store.before = passes
        google.clock.seconds += 61


def alerts(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    return [line for line in lines if line["severity"] == "ERROR"]


def test_a_file_that_kills_every_attempt_stops(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """After five deaths, the file has results that say what is unknown, and an alert."""
    source = put(google, 5)
    google.api.before = kill
    die(google, source, MOST)
    capsys.readouterr()
    assert deliver(google, source) == "stopped"
    found = document(google, source)
    assert (found["file_error"]["code"], found["attempts"]) == ("NO_PROGRESS", MOST + 1)
    assert [note["code"] for note in found["notes"]] == ["MAYBE_SENT"]
    assert (found["counts"]["rows"], google.api.batches) == (0, MOST)
    assert [(line["event"], line["code"]) for line in alerts(capsys)] == [
        ("run_stopped", "NO_PROGRESS")
    ]
    assert deliver(google, source) == "skipped"


def test_rows_of_finished_chunks_keep_their_outcomes(google: World) -> None:
    """The document has the rows that an attempt finished, and the file is not read again."""
    source = put(google, 5)
    google.api.before = lambda number: kill(number) if number > 1 else None
    die(google, source, MOST + 1)  # the first of them has finished a chunk

    def closed(operation: str, name: str) -> None:
        assert (operation, name) != ("read", source.name)

    google.store.before = closed
    assert deliver(google, source) == "stopped"
    found = document(google, source)
    assert found["file_error"]["code"] == "NO_PROGRESS"
    assert found["counts"]["rows"] == found["counts"]["uploaded"] == 2


def test_progress_starts_the_count_again(google: World) -> None:
    """A file whose attempts die, but each after another chunk, is finished."""
    source = put(google, 60)
    google.api.before = lambda number: kill(number) if number % 3 == 0 else None
    for _ in range(30):
        with suppress(KeyboardInterrupt):
            deliver(google, source)
        google.clock.seconds += 61
    found = document(google, source)
    assert (found["status"], found["counts"]["uploaded"]) == ("completed", 60)
    assert found["attempts"] > 2 * MOST


def test_an_attempt_that_dies_between_two_markers_leaves_no_thread(google: World) -> None:
    """Otherwise garbage collection waits for it, perhaps with a lock that the thread needs."""
    source = put(google, 20)
    for number in (5, 11):  # the first attempt sends ten chunks, and leaves a gap
        google.api.before = lambda found, number=number: kill(found) if found == number else None
        with pytest.raises(KeyboardInterrupt) as error:
            deliver(google, source)
        google.clock.seconds += 61
    assert error.tb is not None  # what the attempt has opened is not garbage yet
    assert not [each for each in threading.enumerate() if each.name.startswith("markers")]


@pytest.mark.parametrize("code", ["API_UNAVAILABLE", "DAILY_QUOTA", "SHUTDOWN", "DEADLINE"])
def test_causes_outside_the_file_do_not_count(google: World, code: str) -> None:
    """However often quota, an outage or the platform ends an attempt, the file is finished."""
    source = put(google, 5)

    def fail(number: int) -> None:
        raise RetryableError(code, "")

    google.api.before = fail
    for _ in range(3 * MOST):
        with pytest.raises(RetryableError):
            deliver(google, source)
    google.api.before = lambda number: None
    assert deliver(google, source) == "completed"
    assert document(google, source)["counts"]["uploaded"] == 5


def test_a_refused_preflight_and_a_held_lease_do_not_count(google: World) -> None:
    """Neither an API that cannot be asked, nor a delivery during another one, is a death."""
    source = put(google, 5)
    google.api.preflight = RetryableError("CREDENTIALS_UNAVAILABLE", "")
    for _ in range(2 * MOST):
        with pytest.raises(RetryableError):
            deliver(google, source)
    google.api.preflight = None
    google.api.before = kill
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    for _ in range(2 * MOST):
        with pytest.raises(LeaseHeld):
            deliver(google, source)
    google.clock.seconds += 61
    google.api.before = lambda number: None
    assert deliver(google, source) == "completed"


def test_an_outage_of_storage_is_no_death(google: World) -> None:
    """An attempt that cannot even release its lease does not count. Rows may have been sent."""
    source = put(google, 5)
    lose_storage(google, source, 2 * MOST)
    found = claim_of(google, source)
    assert (found.without_progress, bool(found.died)) == (0, True)
    google.api.before = lambda number: None
    assert deliver(google, source) == "completed"


def test_an_outage_counts_if_another_instance_continues(google: World) -> None:
    """Only the instance of the attempt knows why it ended."""
    source = put(google, 5)
    for _ in range(2):
        lose_storage(google, source, 1)
        google.unreleased.clear()
    assert claim_of(google, source).without_progress == 1


class Slow(io.BytesIO):
    """A stream whose every block takes a minute."""

    def __init__(self, content: bytes, clock: Clock) -> None:
        super().__init__(content)
        self._clock = clock

    def read(self, size: int | None = -1, /) -> bytes:
        self._clock.seconds += 60
        return super().read(size)


def slow(google: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read = google.store.open

    def open_slowly(self: object, source: StoredObject) -> Readable:
        return Slow(read(source).read(), google.clock)

    monkeypatch.setattr(type(google.store), "open", open_slowly)


def test_a_file_that_takes_all_the_time_to_read_stops(
    google: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blank lines make no chunk, but the attempt ends in time, and nothing was sent."""
    content = csv_bytes(orders(1, 1)) + b"\n" * (2 << 20) + csv_bytes(orders(2, 2))
    source = google.store.put("in-bucket", "export.csv", content)
    slow(google, monkeypatch)
    for _ in range(MOST):
        began = google.clock.seconds
        with pytest.raises(RetryableError, match="DEADLINE: while the file was read"):
            deliver(google, source)
        assert google.clock.seconds - began <= 540
    assert deliver(google, source) == "stopped"
    found = document(google, source)
    assert (found["file_error"]["code"], found["notes"]) == ("NO_PROGRESS", [])
    assert google.api.batches == 0


def test_the_sweep_begins_with_the_files_that_have_not_died(google: World) -> None:
    """A file that kills every sweep is the last one of each, and does not come again and again."""
    poison = put(google, 5, "a.csv")
    healthy = []

    def kill_the_poison(number: int) -> None:
        if claim_of(google, poison).expires > google.clock.utc():
            raise KeyboardInterrupt

    google.api.before = kill_the_poison
    google.clock.seconds += 60
    with pytest.raises(KeyboardInterrupt):
        sweep_once(google.context, 1500)
    for number in range(MOST - 1):
        google.clock.seconds += 61
        healthy.append(put(google, 2, f"b{number}.csv"))
        with pytest.raises(KeyboardInterrupt):
            sweep_once(google.context, 1500)
        assert document(google, healthy[-1])["status"] == "completed"
    google.clock.seconds += 61
    sweep_once(google.context, 1500)
    assert document(google, poison)["file_error"]["code"] == "NO_PROGRESS"


def test_a_file_that_takes_long_does_not_take_the_time_of_all_sweeps(google: World) -> None:
    """Of the files in progress, the one with the fewest attempts is next."""
    long, other = put(google, 9, "a.csv"), put(google, 2, "b.csv")

    def take_time(number: int) -> None:
        google.clock.seconds += 1400

    google.api.before = take_time
    sweep_once(google.context, 1500)
    assert claim_of(google, long).status == "running"
    assert google.context.claims.of(other) is None
    sweep_once(google.context, 1500)
    assert document(google, other)["status"] == "completed"


def test_deferred_rows_that_kill_the_sweep_fail(
    google: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They end as failed with NO_PROGRESS and an alert, and other files are revisited first."""
    source, other = put(google, 3, "a.csv"), put(google, 3, "b.csv")
    google.api.too_recent = {row["order_id"] for row in orders(1, 3)}
    for each in (source, other):
        assert deliver(google, each) == "waiting"
    google.clock.seconds += 6 * 3600
    google.api.too_recent = set()
    send = google.api.send

    def killed(batch: FakeBatch, deadline: Deadline) -> Any:
        if claim_of(google, source).expires > google.clock.utc():
            raise KeyboardInterrupt
        return send(batch, deadline)

    monkeypatch.setattr(type(google.api), "send", lambda self, *each: killed(*each))
    for _ in range(MOST + 1):  # the markers of the first attempt are progress once
        with pytest.raises(KeyboardInterrupt):
            sweep_once(google.context, 1500)
        google.clock.seconds += 61
    assert document(google, other)["status"] == "completed"
    capsys.readouterr()
    sweep_once(google.context, 1500)
    found = document(google, source)
    assert (found["status"], found["counts"]["failed"]) == ("completed", 3)
    assert {e["code"] for row in found["rows"] for e in row["errors"]} >= {"NO_PROGRESS"}
    assert [line["event"] for line in alerts(capsys)] == ["deferred_rows_failed"]


def test_a_bug_ends_with_results(google: World) -> None:
    """A file that raises an error of our own in every attempt stops too."""
    source = put(google, 5)

    def fail(number: int) -> None:
        raise ZeroDivisionError

    google.api.before = fail
    for _ in range(MOST):
        with pytest.raises(ZeroDivisionError):
            deliver(google, source)
        google.clock.seconds += 61
    assert deliver(google, source) == "stopped"
    assert document(google, source)["file_error"]["code"] == "NO_PROGRESS"


def test_a_permanent_error_is_not_hidden(google: World) -> None:
    """A file that is refused for another reason keeps that reason."""
    source = put(google, 5)
    google.api.preflight = PermanentError("USER_PERMISSION_DENIED", "")
    assert deliver(google, source) == "stopped"
    assert document(google, source)["file_error"]["code"] == "USER_PERMISSION_DENIED"
