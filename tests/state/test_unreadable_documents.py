"""State that somebody has changed by hand: it is named and left as it is, never believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lib.errors import RetryableError, UnreadableState
from lib.run.attempt import Attempt
from lib.run.take import take_over
from lib.state.corrections import Correction, Corrections, order_key
from lib.state.markers import Markers
from lib.state.runs import UnreadableRun
from lib.state.store import ObjectMetadata
from tests.fakes import START, World, deliver, fails, passes, results, sales, saved, sweep, world

IN, OUT = "in-bucket", "out-bucket"
DEFERRED_FOR = 7 * 3600
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def google() -> World:
    """A file of three rows was sent: one waits."""
    google = world()
    google.api.too_recent = {"c"}
    deliver(google, "daily.csv", sales("a", "b", "c"))
    return google


def marker_name(google: World, number: int) -> str:
    return f"_state/chunks/{saved(google).key}/{number:06d}.json"


def change_document(google: World, name: str, change: Change) -> None:
    document = json.loads(google.store.objects[OUT, name][0])
    change(document)
    google.store.put(OUT, name, json.dumps(document).encode())


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.update(facts={}),
        lambda run: run["facts"].update(chunks=-1),
        lambda run: run.update(tries=-1),
        lambda run: run.update(state="done"),
        lambda run: run.update(due=None),
        lambda run: run["totals"]["rows"].update(uploaded=-2),
        lambda run: run["source"].update(name="other.csv"),
        lambda run: run["cut"].__setitem__(0, 0),
        lambda run: run["cut"].__setitem__(1, -1),
    ],
    ids=[
        *("no facts", "chunks", "tries", "done and due", "never due", "totals", "another file"),
        *("chunks without rows", "chunks without characters"),
    ],
)
def test_a_run_that_contradicts_itself(google: World, change: Change) -> None:
    """A run that the function cannot have saved is refused with its name, and not cleared."""
    name = f"_state/runs/{saved(google).key}.json"
    change_document(google, name, change)
    changed = google.store.objects[OUT, name]
    with pytest.raises(UnreadableState, match=name):
        saved(google)
    google.clock.seconds += DEFERRED_FOR
    sweep(google)
    assert google.store.objects[OUT, name] == changed


@pytest.mark.parametrize(
    "change",
    [
        lambda marker: marker.update(number=1),
        lambda marker: marker.update(listed=[]),
        lambda marker: marker["unlisted"]["rows"].update(uploaded=3),
        lambda marker: marker["unlisted"].update(corrections={"uploaded": 3}),
        lambda marker: marker["unlisted"].update(awaiting=3),
        lambda marker: marker["unlisted"].update(unmatched=1),
        lambda marker: marker["records"].__setitem__(1, [[2, 1 << 60]]),
    ],
    ids=["number", "no rows", "more rows", "corrections", "awaiting", "unmatched", "records"],
)
def test_a_marker_whose_counts_contradict_each_other(google: World, change: Change) -> None:
    """Each record has one outcome, and no part is more than the whole."""
    name = marker_name(google, 0)
    change_document(google, name, change)
    markers = Markers(google.context.documents, saved(google))
    with pytest.raises(UnreadableState, match=name):
        markers.read(0)


@pytest.mark.parametrize("is_read_to_its_end", [True, False])
def test_a_marker_beyond_the_last_chunk(google: World, is_read_to_its_end: bool) -> None:
    """The file has one chunk, so the marker of another one is in no count: the run waits until it
    is gone, whether or not the file had been read to its end before."""
    content, _ = google.store.objects[OUT, marker_name(google, 0)]
    if not is_read_to_its_end:
        google.api.before = fails(RetryableError("API_UNAVAILABLE"))
        with pytest.raises(RetryableError):
            deliver(google, "daily.csv", sales("c", "d", "e"))
        google.api.before = passes
    planted = marker_name(google, 7)
    google.store.put(OUT, planted, content.replace(b'"number":0', b'"number":7'))
    google.api.too_recent = set()
    google.clock.seconds += DEFERRED_FOR
    sweep(google)
    assert saved(google).cause == "STATE_UNREADABLE"
    google.store.delete(OUT, planted)
    google.clock.seconds += DEFERRED_FOR
    sweep(google)
    assert results(google)["counts"]["rows"] == 3
    assert saved(google).state == "done"


def test_a_marker_beyond_the_last_chunk_is_noticed_before_the_file_is_read(google: World) -> None:
    """An attempt that only asks for final statuses would publish what the planted marker says."""
    content, _ = google.store.objects[OUT, marker_name(google, 0)]
    planted = marker_name(google, 7)
    google.store.put(OUT, planted, content.replace(b'"number":0', b'"number":7'))
    google.clock.seconds += DEFERRED_FOR
    found = google.context.runs.read(saved(google).key)
    assert found is not None
    log, deadline = google.context.log, google.context.deadline(float("inf"))
    found = take_over(found, google.context)
    attempt = Attempt(found, None, google.context, deadline, log, lease_until=float("inf"))
    with pytest.raises(UnreadableState, match=planted):
        attempt.sum_up()


@pytest.mark.parametrize("change", [lambda totals: totals.update(awaiting=-1), dict.clear])
def test_a_listing_with_impossible_counts(google: World, change: Change) -> None:
    """A sweep and the overview learn that the run cannot be read, by its key."""
    name = f"_state/runs/{saved(google).key}.json"
    entry = json.loads(google.store.metadata[OUT, name].custom["run"])
    change(entry["totals"] if change is not dict.clear else entry)
    google.store.metadata[OUT, name] = ObjectMetadata(custom={"run": json.dumps(entry)})
    run = UnreadableRun(saved(google).key, "STATE_UNREADABLE", f"{OUT}/{name}", START)
    assert [*google.context.runs.entries()] == [run]


@pytest.mark.parametrize(
    "change",
    [
        lambda saved: saved.update(ranks=[]),
        lambda saved: saved.update(orders=["QUJD"]),
        lambda saved: saved.update(ranks=[-1]),
        lambda saved: saved.update(micros=[1 << 63]),
    ],
    ids=["no ranks", "a short key", "a negative rank", "too much money"],
)
def test_corrections_that_contradict_each_other(google: World, change: Change) -> None:
    """None of them counts, because a value could be that of another order."""
    documents, order = google.context.documents, order_key("1001", "a")
    saved_at, first = google.clock.utc(), Corrections("1234567890")
    first.save(documents, saved(google), 0, [Correction(order, 1, 5_000_000)], saved_at)
    (name,) = (each for each in google.store.names(OUT) if "/corrections/" in each)
    change_document(google, name, change)
    with pytest.raises(UnreadableState, match=name):
        Corrections("1234567890").refresh(documents)


def test_corrections_that_somebody_has_renamed(google: World) -> None:
    """Those beside them are not lost for the instance: each refresh says that one is unreadable,
    and once it is gone, the others count."""
    documents, order = google.context.documents, order_key("1001", "a")
    correction = Correction(order, 1, 5_000_000)
    first = Corrections("1234567890")
    first.save(documents, saved(google), 0, [correction], google.clock.utc())
    (name,) = (each for each in google.store.names(OUT) if "/corrections/" in each)
    renamed = "_state/corrections/1234567890/copy.json"
    google.store.put(OUT, renamed, google.store.objects[OUT, name][0])
    known = Corrections("1234567890")
    for _ in range(2):
        with pytest.raises(UnreadableState, match="does not begin with a time"):
            known.refresh(documents)
    google.store.delete(OUT, renamed)
    known.refresh(documents)
    newest = known.newest(order)
    assert newest is not None
    assert newest.micros == 5_000_000
