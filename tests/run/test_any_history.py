"""Any history of deliveries, sweeps, crashes, freezes and lost answers, on the storage in memory.

Hypothesis invents a history of one object name. A delivery or a sweep can be killed at any of its
calls to storage, before or after the call takes place. The answer of a write can get lost. Or the
process freezes there, and continues after other steps, as if nothing had happened. At the end, what
is left gets the time that it needs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.destinations.base import UploadResult
from lib.errors import RetryableError
from lib.followup.sweep import sweep_once
from lib.model.deadline import Deadline
from lib.model.outcomes import ChunkOutcomes
from lib.model.sent_requests import RequestStatus
from lib.run import chunks, finish
from lib.run.context import RunContext
from lib.run.deliver import process_arrival
from lib.state.run import Run, Terms, first_claim
from lib.state.store import LabelledObject, Readable, StoredObject
from tests.fakes import START, FakeApi, FakeBatch, MemoryStore, World, world
from tests.rows import core_row, csv_bytes

OUT = "out-bucket"
ROWS = 3
LINES = range(2, 2 + ROWS)
HOUR = 3600
WAITS = (5, 61, 601, 3 * HOUR, 7 * HOUR, 24 * HOUR)
T = TypeVar("T")


class Killed(BaseException):
    """The process is gone: none of its code may run any more."""


class Fault(NamedTuple):
    """What happens at the call to storage with this number, with the steps of a freeze."""

    call: int
    kind: Literal["lost answer", "killed", "frozen"]
    takes_place: bool = True
    meanwhile: tuple[Step, ...] = ()


class Step(NamedTuple):
    """`number` is that of the file, of the time in `WAITS`, or says which rows are too recent."""

    kind: Literal["deliver", "sweep", "upload", "copy", "wait", "defer"]
    number: int = 0
    fault: Fault | None = None


@dataclass
class Process:
    """Storage, as one process with a fault sees it."""

    store: MemoryStore
    fault: Fault
    play: Callable[[Sequence[Step]], None]
    calls: int = 0
    is_dead: bool = False

    def _call(self, do: Callable[[], T]) -> T:
        fault = self.fault
        self.calls += 1
        if self.is_dead:
            raise Killed
        if self.calls != fault.call:
            return do()
        done = do() if fault.takes_place else None
        self.is_dead = fault.kind == "killed"
        if self.is_dead:
            raise Killed
        if fault.kind == "frozen":
            self.play(fault.meanwhile)
        return done if done is not None else do()

    def find(self, source: StoredObject) -> StoredObject | None:
        return self._call(lambda: self.store.find(source))

    def find_and_open(self, source: StoredObject) -> tuple[StoredObject, Readable] | None:
        return self._call(lambda: self.store.find_and_open(source))

    def open(self, source: StoredObject) -> Readable:
        return self._call(lambda: self.store.open(source))

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:
        return self._call(lambda: (self.store.read(bucket, name),))[0]

    def write(self, bucket: str, name: str, data: bytes, **given: Any) -> int | None:
        written = self._call(lambda: (self.store.write(bucket, name, data, **given),))[0]
        is_lost = self.fault.kind == "lost answer" and self.calls == self.fault.call
        return None if is_lost else written

    def write_stream(
        self, bucket: str, name: str, pieces: Iterable[bytes], **given: Any
    ) -> int | None:
        return self.write(bucket, name, b"".join(pieces), **given)

    def list(self, *given: Any, **named: Any) -> Iterator[StoredObject]:
        return self._call(lambda: iter([*self.store.list(*given, **named)]))

    def list_labelled(self, bucket: str) -> Iterator[LabelledObject]:
        return self._call(lambda: iter([*self.store.list_labelled(bucket)]))

    def delete(self, bucket: str, name: str) -> None:
        self._call(lambda: (self.store.delete(bucket, name),))


def _passes(batch: FakeBatch) -> None:
    """Let every request pass."""


@dataclass
class CheckedApi(FakeApi):
    """An API whose requests are checked before it counts their rows."""

    check: Callable[[FakeBatch], None] = _passes

    def send(self, batch: FakeBatch, deadline: Deadline) -> UploadResult:
        self.check(batch)
        return FakeApi.send(self, batch, deadline)


def order_id(content: int, line: int) -> str:
    return f"order-{content * ROWS + line}"


@dataclass
class History:
    """What happens to the generations of one name. `contents` says which rows each of them has."""

    google: World
    files: list[StoredObject] = field(default_factory=list)
    contents: list[int] = field(default_factory=list)
    events: set[int] = field(default_factory=set)

    def play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.kind in ("upload", "copy"):
                self.upload(max(self.contents, default=-1) + (step.kind == "upload"))
            elif step.kind == "wait":
                self.google.clock.seconds += WAITS[step.number]
            elif step.kind == "defer":
                lines = {1: LINES, 2: LINES[1:2]}.get(step.number, ())
                self.google.api.too_recent = {order_id(c, n) for c in range(40) for n in lines}
            elif step.kind == "deliver":
                self.deliver(step.number % len(self.files), step.fault)
            else:
                self.sweep(step.fault)

    def upload(self, content: int) -> None:
        time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
        rows = [
            core_row(n, order_id=order_id(content, n), conversion_date_time=time) for n in LINES
        ]
        self.events.add(len(self.files))
        self.contents.append(content)
        self.files.append(self.google.store.put("in-bucket", "export.csv", csv_bytes(rows)))

    def deliver(self, number: int, fault: Fault | None = None) -> None:
        source = self.files[number]
        try:
            process_arrival(source, source.created, self.context(fault))
        except (Killed, RetryableError):
            return  # the event comes again
        self.events.discard(number)

    def sweep(self, fault: Fault | None = None) -> int:
        try:
            return int(sweep_once(self.context(fault), 1500)["again"])
        except (Killed, RetryableError):
            return 1

    def context(self, fault: Fault | None) -> RunContext:
        context = self.google.context
        if fault is None:
            return context
        process = Process(self.google.store, fault, self.play)
        return replace(context, store=process, unreleased=set())

    def end(self) -> None:
        """Deliver the events that are left, and do what is pending, without faults."""
        self.google.api.too_recent = set()
        for _ in range(10):
            self.google.clock.seconds += 61
            for number in sorted(self.events):
                self.deliver(number)
        assert not self.events
        for _ in range(10):
            self.google.clock.seconds += 7 * HOUR
            assert self.sweep() == 0
        assert not [name for name in self.google.store.names(OUT) if "/waiting/" in name]

    def check(self, batch: FakeBatch) -> None:
        """No row is sent again after its outcome was saved, unless it was deferred."""
        runs = (first_claim(each, "", START, 60, TERMS) for each in self.files)
        number, run = next((n, run) for n, run in enumerate(runs) if run.job_id == batch.job_id)
        final = {order_id(self.contents[number], line) for line in self.final_lines(run)}
        assert final.isdisjoint(record.order_id or "" for record in batch.records)

    def final_lines(self, run: Run) -> set[int]:
        ledger = self.google.context.ledger
        reports = [ledger.read_chunk(run, each) for each in ledger.finished_chunks(run)]
        pending = self.google.context.pending_runs.get(run.key)
        if pending is not None and pending.only is not None and not reports:
            reports = [pending.only]
        lines = {line for report in reports for line in _final_lines(report)}
        document = self.document(run.source)
        if document is not None and document["counts"]["rows"]:
            deferred = {row["line"] for row in document["rows"] if row["outcome"] == "deferred"}
            lines |= {*LINES} - deferred
        return lines

    def document(self, source: StoredObject) -> dict[str, Any] | None:
        name = f"{source.name}.{source.generation}.results.json"
        found = self.google.store.objects.get((OUT, name))
        return json.loads(found[0]) if found is not None else None


TERMS = Terms("", None, chunks.chunk_limits_of(None), 1, "")


def _final_lines(report: ChunkOutcomes) -> set[int]:
    first = LINES[0] + report.number * chunks.CHUNK_ROWS
    deferred = {row.line for row in report.listed if row.outcome == "deferred"}
    return {*range(first, first + report.tally.rows)} - deferred


def steps(depth: int) -> st.SearchStrategy[Step]:
    """Steps in which processes freeze, while others freeze, down to this depth."""
    calls = st.integers(1, 14)
    faults = st.one_of(
        st.builds(Fault, calls, st.just("killed"), st.booleans()),
        st.builds(Fault, calls, st.just("lost answer")),
    )
    if depth:
        meanwhile = st.lists(steps(depth - 1), min_size=1, max_size=4).map(tuple)
        faults |= st.builds(Fault, calls, st.just("frozen"), st.booleans(), meanwhile)
    return st.one_of(
        st.builds(Step, st.just("deliver"), st.integers(0, 3), st.none() | faults),
        st.builds(Step, st.just("sweep"), st.just(0), st.none() | faults),
        st.builds(Step, st.sampled_from(["upload", "copy"])),
        st.builds(Step, st.just("wait"), st.integers(0, len(WAITS) - 1)),
        st.builds(Step, st.just("defer"), st.integers(0, 2)),
    )


@pytest.mark.parametrize(
    ("chunk_rows", "most_kept_bytes", "destination"),
    [(2000, 65536, "google_ads"), (2000, 10, "data_manager"), (2, 65536, "google_ads")],
    ids=["outcomes with the follow-up", "one marker", "two chunks"],
)
@settings(
    max_examples=1000 if os.environ.get("EVERY_CALL") else 20,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
@given(history=st.lists(steps(2), max_size=12))
def test_any_history(
    chunk_rows: int, most_kept_bytes: int, destination: str, history: list[Step]
) -> None:
    """Every row gets one outcome, counts once, is sent until that is saved; no run is lost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_ROWS", chunk_rows)
        patch.setattr(finish, "MOST_KEPT_BYTES", most_kept_bytes)
        many = {"max_event_age_hours": 9999, "max_defer_hours": 9999, "sweep_max_age_days": 999}
        google = world(max_attempts_without_progress=999, **many)
        google.store.versioned = True
        played = History(google)
        google.api = CheckedApi(check=played.check)
        google.api.statuses = lambda ids: [RequestStatus(each, "SUCCESS") for each in ids]
        google.use_destination(destination)
        played.play([Step("upload"), *history])
        played.end()
    assert len(google.api.counted) == len(set(google.api.counted))
    assert set(google.api.counted) == {order_id(c, n) for c in played.contents for n in LINES}
    for source in played.files:
        found = played.document(source)
        assert found is not None
        counts = found["counts"]
        assert found["status"] in ("completed", "same_as")
        assert counts["uploaded"] + counts["duplicate"] == counts["rows"]
        assert counts["rows"] == (ROWS if found["status"] == "completed" else 0)
