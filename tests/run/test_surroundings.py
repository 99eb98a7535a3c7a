"""What surrounds a run: a disk that cannot be written, and claims of other versions of the code."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
from typing import Any

import pytest

from lib.errors import DamagedState
from lib.sweep.sweep import sweep_once
from lib.run import chunks
from lib.state.runs import name_key, run_key
from lib.state.store import StoredObject
from tests.fakes import World, world
from tests.run.test_deliver import OUT, deliver, dies, document, put
from tests.workbooks import workbook


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 3)
    return world()


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
def test_a_disk_that_cannot_be_written_does_not_matter(
    google: World, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run writes no file, so a full or read-only disk stops nothing."""

    def checked(opens: Any, is_writing: Any) -> Any:
        def open_file(path: Any, *given: Any, **named: Any) -> Any:
            if is_writing(*given, **named):
                raise OSError(number, os.strerror(number))
            return opens(path, *given, **named)

        return open_file

    def mode_writes(mode: str = "r", *rest: Any, **named: Any) -> bool:
        return not set(mode).isdisjoint("wax+")

    def flags_write(flags: int, *rest: Any, **named: Any) -> bool:
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    sources = [put(google, 9, "a.csv")]
    content = workbook([["gclid", "conversion_date_time"], ["Cj0KCQiAexample0001", "2026-11-20"]])
    sources.append(google.store.put("in-bucket", "b.xlsx", content))
    monkeypatch.setattr(builtins, "open", checked(builtins.open, mode_writes))
    monkeypatch.setattr(io, "open", checked(io.open, mode_writes))
    monkeypatch.setattr(os, "open", checked(os.open, flags_write))
    assert [deliver(google, each) for each in sources] == ["completed", "completed"]


def claim_name(source: StoredObject) -> str:
    return f"_state/claims/{name_key(source)}/0.json"


def begun(google: World, **changes: Any) -> StoredObject:
    """A run that died after its second chunk. Its claim and markers are those of another version,
    with these values in the claim."""
    source = put(google, 9)
    google.api.before = dies(3)
    with pytest.raises(KeyboardInterrupt):
        deliver(google, source)
    google.api.before = lambda number: None
    google.clock.seconds += 61
    written = list(google.store.objects.items())
    assert any(name == claim_name(source) for (_, name), _ in written)
    for (bucket, name), (content, generation) in written:
        if name == claim_name(source) or name.startswith(f"_state/runs/{run_key(source)}"):
            found = json.loads(content) | {"of_another_version": [1]}
            if name == claim_name(source):
                found |= changes
            google.store.objects[bucket, name] = json.dumps(found).encode(), generation
    return source


@pytest.mark.parametrize(
    "changes", [{}, {"settings": "a digest of other settings"}], ids=["same", "other settings"]
)
def test_a_run_of_another_version_is_finished(google: World, changes: dict[str, Any]) -> None:
    """If its documents have the same format, unknown values are ignored: each row counts once."""
    source = begun(google, **changes)
    assert deliver(google, source) == "completed"
    found = document(google, source)
    assert (found["counts"]["rows"], found["attempts"]) == (9, 2)
    assert len(google.api.counted) == len(set(google.api.counted)) == 9


def delete_marker(google: World, source: StoredObject, place: int) -> None:
    """Delete one of the markers. Any two chunks of a run that died can have one."""
    prefix = f"_state/runs/{run_key(source)}/chunks/"
    markers = sorted(name for name in google.store.names(OUT) if name.startswith(prefix))
    del google.store.objects[OUT, markers[place]]


@pytest.mark.parametrize("place", [0, 1])
def test_a_chunk_whose_marker_was_deleted_is_sent_again(google: World, place: int) -> None:
    """Google recognizes its rows: each has one outcome, and counts once."""
    source = begun(google)
    delete_marker(google, source, place)
    assert deliver(google, source) == "completed"
    found = document(google, source)["counts"]
    assert (found["rows"], found["uploaded"], found["duplicate"]) == (9, 6, 3)
    assert len(google.api.counted) == len(set(google.api.counted)) == 9


@pytest.mark.parametrize("place", [0, 2])
def test_results_keep_the_rows_of_a_deleted_marker(
    google: World, place: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A follow-up does not replace them by results of fewer rows. Later, it alerts."""
    source = put(google, 9)
    google.api.too_recent = {"order-4"}
    assert deliver(google, source) == "waiting"
    before = document(google, source)
    delete_marker(google, source, place)
    google.api.too_recent = set()
    for hours in (6.1, 1):
        google.clock.seconds += hours * 3600
        sweep_once(google.context, 1500)
    assert document(google, source) == before
    assert capsys.readouterr().out.count('"run_late"') == 1


def test_a_claim_that_cannot_be_read_is_left_alone(google: World) -> None:
    """Nothing is sent, and the event comes again: somebody has changed the claim."""
    source = begun(google, chunk_limits="many")
    batches = google.api.batches
    with pytest.raises(DamagedState, match="chunk_limits"):
        deliver(google, source)
    assert google.api.batches == batches


@pytest.mark.parametrize("hours", [0.5, 2], ids=["young files", "late files"])
def test_a_claim_that_cannot_be_read_does_not_stop_the_sweep(google: World, hours: float) -> None:
    """The other files are finished, although the alerts about files without results read claims."""
    source = begun(google, chunk_limits="many")
    other = put(google, 2, "other.csv")
    google.clock.seconds += hours * 3600
    counts = sweep_once(google.context, 1500)
    assert (counts["finished"], counts["again"]) == (1, 1)
    assert document(google, other)["status"] == "completed"
    assert f"{source.name}.{source.generation}.results.json" not in google.store.names("out-bucket")
