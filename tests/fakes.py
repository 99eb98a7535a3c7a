"""Fakes for tests in one process: storage, an advertising API, a clock.

They are small classes with visible state, passed in at the ports (`lib.run.context.RunContext`), so
nothing is patched.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any, Literal, NamedTuple, TypeVar

import pytest

from lib.adapters.logging import JsonLog
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import AcceptedRequest, MaybeSent, RowResult, UploadResult
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError, RetryableError
from lib.model import retries
from lib.model.account import Account, Action
from lib.model.capabilities import Capabilities
from lib.model.deadline import Deadline
from lib.model.fields import RecordKind
from lib.model.log import Log, SilentLog
from lib.model.outcomes import Outcome, Problem
from lib.model.records import Adjustment, Conversion, Record
from lib.model.sent_requests import RequestStatus, UploadDiagnostics
from lib.run import advance, chunks
from lib.run.context import RunContext
from lib.run.deliver import deliver as deliver_object
from lib.source.workbook import read_sheet
from lib.state.runs import run_key
from lib.state.store import (
    INTERNAL,
    Label,
    LabelledObject,
    OpenedObject,
    Readable,
    StoredObject,
)
from lib.sweep.sweep import sweep_once
from tests.results_schema import check_results

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

Statuses = Callable[[Sequence[str]], Sequence[RequestStatus]]

T = TypeVar("T")

Fault = Callable[[str, str], None]
"""(operation, object name) → None; it raises to make the operation fail."""


class Clock:
    """A clock that moves only when the test or a `sleep` moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def passes(operation: str, name: str) -> None:
    """Let every operation succeed."""


@dataclass(slots=True)
class MemoryStore:
    """`lib.state.store.Store` in a dictionary.

    `before` is called before an operation, `after` between the operation and its answer: if `after`
    raises, the answer is lost. Both may use the store, also by way of other threads. The next write
    of an object in `refuse` is refused (None) although its precondition holds. The next write of an
    object in `lose` takes place, but its answer gets lost: the storage client sends it again, and
    the second write is refused. `calls` lists (operation, name). If the store is `versioned`,
    replaced and deleted versions can be read.
    """

    clock: Clock = field(default_factory=Clock)
    objects: dict[tuple[str, str], tuple[bytes, int]] = field(default_factory=dict)
    times: dict[tuple[str, str], datetime] = field(default_factory=dict)
    labels: dict[tuple[str, str], Label] = field(default_factory=dict)
    noncurrent: dict[tuple[str, str, int], tuple[bytes, StoredObject]] = field(default_factory=dict)
    before: Fault = passes
    after: Fault = passes
    refuse: list[str] = field(default_factory=list)
    lose: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    versioned: bool = False
    generations: Iterator[int] = field(default_factory=lambda: itertools.count(1000))

    def open_live(self, source: StoredObject) -> OpenedObject | None:
        self._began("read", source.name)
        with self.lock:
            data, live = self.objects.get((source.bucket, source.name), (b"", 0))
        self.after("read", source.name)
        if live != source.generation:
            return None
        return OpenedObject(self.stored(source.bucket, source.name), BytesIO(data))

    def open(self, source: StoredObject) -> Readable:
        self._began("read", source.name)
        with self.lock:
            found = self._version(source)
        self.after("read", source.name)
        return _Gone(source.generation) if found is None else BytesIO(found[0])

    def _version(self, source: StoredObject) -> tuple[bytes, StoredObject] | None:
        data, live = self.objects.get((source.bucket, source.name), (b"", 0))
        if live == source.generation:
            return data, self.stored(source.bucket, source.name)
        return self.noncurrent.get((source.bucket, source.name, source.generation))

    def _replace(self, bucket: str, name: str) -> None:
        """Keep the live version as a noncurrent one, if the store is versioned."""
        if self.versioned and (bucket, name) in self.objects:
            data, generation = self.objects[bucket, name]
            self.noncurrent[bucket, name, generation] = data, self.stored(bucket, name)

    def find(self, source: StoredObject) -> StoredObject | None:
        self._began("find", source.name)
        with self.lock:
            found = self._version(source)
        return found[1] if found is not None else None

    def find_live(self, bucket: str, name: str) -> StoredObject | None:
        self._began("find", name)
        with self.lock:
            return self.stored(bucket, name) if (bucket, name) in self.objects else None

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:
        self._began("read", name)
        with self.lock:
            found = self.objects.get((bucket, name))
        self.after("read", name)
        return found

    def write(
        self,
        bucket: str,
        name: str,
        data: bytes,
        *,
        if_generation_match: int,
        label: Label = INTERNAL,
    ) -> int | None:
        self._began("write", name)
        with self.lock:
            if name in self.refuse:
                self.refuse.remove(name)
                return None
            live = self.objects.get((bucket, name), (b"", 0))[1]
            if live != if_generation_match:
                return None
            self._replace(bucket, name)
            generation = next(self.generations)
            self.objects[bucket, name] = (data, generation)
            self.labels[bucket, name] = label
            self.times[bucket, name] = self.clock.utc()
        self.after("write", name)
        if name in self.lose:
            self.lose.remove(name)
            return None
        return generation

    def write_stream(
        self,
        bucket: str,
        name: str,
        pieces: Iterable[bytes],
        *,
        if_generation_match: int,
        label: Label = INTERNAL,
    ) -> int | None:
        data = b"".join(pieces)
        match = if_generation_match
        written = self.write(bucket, name, data, if_generation_match=match, label=label)
        if name.endswith(".json") and written is not None:
            # Only results documents are streamed as JSON, so no test can write an invalid one.
            check_results(json.loads(data))
        return written

    def list_labelled(self, bucket: str, prefix: str = "") -> Iterator[LabelledObject]:
        for each in self.list(bucket, prefix):
            label = self.labels.get((bucket, each.name), INTERNAL)
            yield LabelledObject(each.name, each.generation, label.metadata)

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        self._began("list", prefix)
        with self.lock:
            names = sorted(n for b, n in self.objects if b == bucket and n.startswith(prefix))
        for name in names:
            with self.lock:
                if (bucket, name) in self.objects:
                    found = self.stored(bucket, name)
                else:
                    continue
            yield found

    def delete(self, bucket: str, name: str) -> None:
        """Delete an object, as a person would."""
        self._began("delete", name)
        with self.lock:
            self._replace(bucket, name)
            self.objects.pop((bucket, name), None)
        self.after("delete", name)

    def put(self, bucket: str, name: str, data: bytes) -> StoredObject:
        """Upload an object as its owner would; an existing one of that name is replaced."""
        with self.lock:
            self._replace(bucket, name)
            self.objects[bucket, name] = (data, next(self.generations))
            self.times[bucket, name] = self.clock.utc()
            return self.stored(bucket, name)

    def stored(self, bucket: str, name: str) -> StoredObject:
        data, generation = self.objects[bucket, name]
        md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        time = self.times[bucket, name]
        return StoredObject(bucket, name, generation, len(data), md5, time)

    def names(self, bucket: str) -> list[str]:
        return sorted(name for b, name in self.objects if b == bucket)

    def _began(self, operation: str, name: str) -> None:
        self.calls.append((operation, name))
        self.before(operation, name)


class _Gone:
    """A generation that no longer exists; the first read raises, as in the real store."""

    def __init__(self, generation: int) -> None:
        self._generation = generation

    def read(self, size: int = -1, /) -> bytes:
        raise PermanentError("SOURCE_GONE", f"generation {self._generation}")


class FakeRequest(NamedTuple):
    """The records of a chunk, of whatever kind, as they are."""

    job_id: int
    records: Sequence[Record]
    content: bytes = b""


@dataclass(slots=True)
class FakeApi:
    """An advertising API (`lib.destinations.base.Destination`) that deduplicates by order ID.

    `counted` holds the order ID of every counted conversion, `adjusted` each adjustment with its
    new value. Records of orders in `deferred` are deferred with `deferred_code`, whatever they are.
    Order IDs in `too_recent` are answered with `too_recent_code`, those in `too_old` with
    EXPIRED_EVENT. `before` and `after` are called around each batch with its number, starting at 1;
    if one of them raises, the attempt ends with that exception. `stop` refuses the account.
    `unread` is why the account cannot be read. Action 1001 is for sales, 1004 that of a tag.
    """

    capabilities: Capabilities = field(default_factory=lambda: capabilities_of("google_ads"))
    sunset: date | None = None
    counted: list[str] = field(default_factory=list)
    adjusted: list[tuple[str, float | None]] = field(default_factory=list)
    deferred: set[str] = field(default_factory=set)
    deferred_code: str = "TOO_RECENT_EVENT"
    too_recent: set[str] = field(default_factory=set)
    too_recent_code: str = "TOO_RECENT_EVENT"
    too_old: set[str] = field(default_factory=set)
    before: Callable[[int], None] = lambda number: None
    after: Callable[[int], None] = lambda number: None
    stop: Problem | None = None
    preflight: PermanentError | RetryableError | None = None
    unread: str = ""
    is_unreachable: bool = False
    batches: int = 0
    diagnostics: Callable[[str], Sequence[UploadDiagnostics]] = lambda customer_id: ()
    statuses: Statuses = lambda ids: [RequestStatus(each, "PROCESSING") for each in ids]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        if self.preflight is not None:
            raise self.preflight
        if self.unread:
            unread = Problem(self.unread)
            return Account(
                customer_id, customer_id, unread=unread, is_unreachable=self.is_unreachable
            )
        sale = Action(
            id="1001",
            name="Phone sale",
            enabled=True,
            accepts=frozenset({"conversion", "adjustment"}),
            one_per_click=False,
            lookback_days=90,
        )
        of_tag = replace(
            sale,
            id="1004",
            name="Purchase",
            accepts=frozenset({"adjustment"}),
            needs_order_id=True,
        )
        return Account(
            customer_id,
            customer_id,
            time_zone="America/Chicago",
            currency_code="USD",
            verified=True,
            actions={each.id: each for each in (sale, of_tag)},
        )

    def upload_diagnostics(self, customer_id: str) -> Sequence[UploadDiagnostics]:
        return self.diagnostics(customer_id)

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        return self.statuses(request_ids)

    def encode(
        self, kind: RecordKind, records: Sequence[Record], job_id: int
    ) -> Sequence[FakeRequest]:
        return [FakeRequest(job_id, records)] if records else []

    def send(
        self, requests: Sequence[FakeRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        (batch,) = requests
        with self.lock:
            self.batches += 1
            number = self.batches
        self.before(number)
        row_results: dict[int, RowResult] = {}
        with self.lock:
            for position, record in enumerate(batch.records):
                order = record.order_id or ""
                if order in self.deferred:
                    row_results[position] = RowResult("deferred", (Problem(self.deferred_code),))
                    continue
                if isinstance(record, Adjustment) and order in self.too_old:
                    row_results[position] = RowResult("failed", (Problem("EXPIRED_EVENT"),))
                    continue
                if isinstance(record, Adjustment):
                    self.adjusted.append((order, record.value))
                    continue
                if self.stop is not None:
                    row_results[position] = RowResult("not_attempted", (self.stop,))
                elif order in self.counted:
                    problem = Problem("ORDER_ID_ALREADY_IN_USE", "order_id")
                    row_results[position] = RowResult("duplicate", (problem,))
                elif order in self.too_recent:
                    row_results[position] = RowResult("deferred", (Problem(self.too_recent_code),))
                elif order in self.too_old:
                    row_results[position] = RowResult("failed", (Problem("EXPIRED_EVENT"),))
                else:
                    self.counted.append(order)
        self.after(number)
        request_id = f"request-{number}"
        positions = [each for each in range(len(batch.records)) if each not in row_results]
        accepted = (AcceptedRequest(request_id, positions),)
        if not positions or self.capabilities.reports_later is None:
            accepted = ()
        return UploadResult(row_results, (request_id,), self.stop, accepted)


PROFILE = {
    "destination": "google_ads",
    "customer_id": "1234567890",
    "expect": "any time",
    "time_zone": "America/Chicago",
    "currency_code": "USD",
    "phone_region": "US",
}


@dataclass(slots=True)
class World:
    """The storage, API and clock of a test, wired as `main` wires the real ones."""

    store: MemoryStore
    api: FakeApi
    clock: Clock
    settings: Settings
    profiles: dict[str, Any] = field(default_factory=lambda: {"default": dict(PROFILE)})
    tokens: Iterator[int] = field(default_factory=itertools.count)
    no_profiles: RetryableError | None = None

    @property
    def context(self) -> RunContext:
        return RunContext(
            store=self.store,
            settings=self.settings,
            profiles=self.read_profiles,
            connect=self.connect,
            utc_now=self.clock.utc,
            monotonic=self.clock.monotonic,
            new_token=lambda: f"attempt-{next(self.tokens)}",
            log=JsonLog(),
            read_sheet=read_sheet,
        )

    def read_profiles(self) -> Mapping[str, Any]:
        if self.no_profiles is not None:
            raise self.no_profiles
        return self.profiles

    def connect(self, profile: Profile, log: Log) -> FakeApi:
        return self.api

    def use_destination(self, name: str) -> None:
        """Set the destination in the default profile, and give the API its capabilities."""
        self.profiles["default"]["destination"] = name
        self.api.capabilities = capabilities_of(name)


def world(**settings: Any) -> World:
    """Return an empty world. A lease lasts a minute, and one request is sent at a time."""
    clock = Clock()
    given = {"time_limit_seconds": 60.0, "deadline_margin_seconds": 0.0, "window": 1}
    given |= {"sweep_grace_minutes": 0}
    given |= {"read_diagnostics": False, **settings}
    checked = Settings(
        input_bucket="in-bucket", output_bucket="out-bucket", profiles="profiles.json", **given
    )
    return World(MemoryStore(clock), FakeApi(), clock, checked)


def deliver(world: World, name: str, data: bytes) -> str:
    """Put an object into the input bucket, and process its event as `main` does.

    Returns the result of the delivery: `ignored`, `skipped` or the status of the results document.
    Raises an `UploadError` where `main` would answer with its code.
    """
    world.store.put(world.settings.input_bucket, name, data)
    return deliver_again(world, name)


def deliver_again(world: World, name: str) -> str:
    """Process another event of an object that is in the input bucket."""
    source = world.store.stored(world.settings.input_bucket, name)
    return deliver_object(source, world.context)


def sweep(world: World) -> dict[str, Any]:
    """Run one sweep as `main` does. Return what it found and did."""
    return sweep_once(world.context, world.settings.sweep_time_limit_seconds)


# ── processes that something happens to, between storage and both APIs ───────────────────────


class Killed(BaseException):
    """The process is gone: none of its code may run any more."""


class Interruption(NamedTuple):
    """What happens to a process at its call with this number, from 1, to storage or to an API.

    `unavailable`: the call fails. `lost answer`: it takes place, and the process is not told. A
    process that is `frozen` continues after `meanwhile`, as if nothing had happened. `killed` and
    `frozen` come before the call, or after it `takes_place`.
    """

    call: int
    kind: Literal["killed", "frozen", "lost answer", "unavailable"]
    takes_place: bool = True
    meanwhile: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Process:
    """One process: when it began, in seconds of the clock, and what has happened to it.

    The moments are numbers of `Google.moments`; 0: it has not happened. `requests` have reached
    Google, `runs` are those of which it has begun to send rows.
    """

    clock: Clock
    began: float
    interruption: Interruption | None
    moments: Iterator[int]
    frozen_seconds: float = 0.0
    calls: int = 0
    interrupted_at: int = 0
    is_dead: bool = False
    has_ended: bool = False
    requests: list[Request] = field(default_factory=list)
    runs: set[int] = field(default_factory=set)

    def call(self, do: Callable[[], T]) -> T | None:
        """Make one call. Returns None if its answer gets lost."""
        self.calls += 1
        if self.is_dead:
            raise Killed
        given = self.interruption
        if given is None or self.calls != given.call:
            return do()
        self.interrupted_at = next(self.moments)
        if given.kind == "unavailable":
            raise RetryableError("STORAGE_UNAVAILABLE")
        done = do() if given.takes_place else None
        if given.kind == "killed":
            self.is_dead = True
            raise Killed
        if given.kind == "lost answer":
            return None
        moment = self.clock.seconds
        given.meanwhile()
        self.frozen_seconds += self.clock.seconds - moment
        return done if given.takes_place else do()


@dataclass(slots=True)
class ProcessStore:
    """Storage, as one process sees it."""

    store: MemoryStore
    process: Process

    def _read(self, do: Callable[[], T]) -> T:
        """Read something. If the answer gets lost, the storage client reads it again."""
        found = self.process.call(lambda: (do(),))
        return found[0] if found is not None else do()

    def find(self, source: StoredObject) -> StoredObject | None:
        return self._read(lambda: self.store.find(source))

    def find_live(self, bucket: str, name: str) -> StoredObject | None:
        return self._read(lambda: self.store.find_live(bucket, name))

    def open_live(self, source: StoredObject) -> OpenedObject | None:
        return self._read(lambda: self.store.open_live(source))

    def open(self, source: StoredObject) -> Readable:
        return self._read(lambda: self.store.open(source))

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:
        return self._read(lambda: self.store.read(bucket, name))

    def list(self, *given: Any, **named: Any) -> Iterator[StoredObject]:
        return self._read(lambda: iter([*self.store.list(*given, **named)]))

    def list_labelled(self, bucket: str, prefix: str = "") -> Iterator[LabelledObject]:
        return self._read(lambda: iter([*self.store.list_labelled(bucket, prefix)]))

    def write(self, bucket: str, name: str, data: bytes, **given: Any) -> int | None:
        return self.process.call(lambda: self.store.write(bucket, name, data, **given))

    def write_stream(
        self, bucket: str, name: str, pieces: Iterable[bytes], **given: Any
    ) -> int | None:
        data = b"".join(pieces)  # a stream can read other objects
        return self.process.call(lambda: self.store.write_stream(bucket, name, [data], **given))


STEPS = ("sold", "60", "40", "refunded")
"""What a file can say of a sale: that it was sold for 100, or its new value, oldest first."""


class SalesRow(NamedTuple):
    """A row of a file: the number of a sale, and one of `STEPS` by its position."""

    sale: int
    step: int = 0

    @property
    def sold_at(self) -> datetime:
        """The time of the sale, which no other sale has."""
        return START - timedelta(days=10, seconds=self.sale)

    @property
    def changed_at(self) -> datetime:
        """When it came to this step."""
        return START - timedelta(days=9 - self.step)

    @property
    def order_id(self) -> str:
        """Of three sales, the first has an order ID, the second a click ID, the third neither."""
        return f"order-{self.sale}" if self.sale % 3 == 0 else ""


SALES_PROFILE: dict[str, Any] = {
    "action": "1001",
    "columns": {
        **{name: name for name in ("order_id", "gclid", "email")},
        **{name: name for name in ("conversion_date_time", "conversion_value")},
    },
    "optional": ["gclid", "email"],
}
_CHANGES = {"adjustment_date_time": "Changed on", "adjusted_value": "New value"}
SALES_ENTRIES: list[dict[str, Any]] = [
    {"rows": {"Status": ["Sold"]}},
    {"rows": {"Status": ["Reduced"]}, "send": "restatement", "columns": _CHANGES},
    {"rows": {"Status": ["Refunded"]}, "send": "retraction", "columns": _CHANGES},
]
_SALES_COLUMNS = "order_id,gclid,email,conversion_date_time,conversion_value"


def sales_file(rows: Iterable[SalesRow], *, is_cut: bool = False) -> bytes:
    """Return a file with these rows. If it `is_cut`, its last line has no line end."""
    lines = [f"{_SALES_COLUMNS},Status,Changed on,New value"]
    for row in rows:
        click_id = "" if row.sale % 3 == 2 else f"Cj0KCQiAexample{row.sale:08d}"
        cells = [row.order_id, click_id, f"buyer.{row.sale}@example.com", str(row.sold_at), "100"]
        if row.step:
            value = STEPS[row.step] if STEPS[row.step].isdigit() else ""
            cells += ["Reduced" if value else "Refunded", str(row.changed_at), value]
        else:
            cells += ["Sold", "", ""]
        lines.append(",".join(cells))
    return ("\n".join(lines) + ("" if is_cut else "\n")).encode()


class Sent(NamedTuple):
    """A record as an API gets it. `sold_at` is None if a correction names only its order.

    `changed_at` is None for a sale, `value` for a retraction.
    """

    order_id: str
    sold_at: datetime | None
    changed_at: datetime | None
    value: float | None

    @property
    def key(self) -> str:
        """By what Google recognizes the conversion."""
        return self.order_id or str(self.sold_at)


@dataclass(slots=True)
class Request:
    """A request for the rows of a run. `answers` are what its process was told last of each row.

    `began_at`, `answered_at` and `processed_at` are numbers of `Google.moments`; 0: never. If the
    request `is_accepted`, the API says later what becomes of it: it `is_held` until it is
    processed, and `is_reported` once a process was told. `errors` are then those of its records.
    """

    process: Process
    run: int
    api: str
    records: Sequence[Sent]
    began_at: int
    answered_at: int = 0
    answered_call: int = 0
    answers: list[str] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    is_held: bool = False
    processed_at: int = 0
    is_accepted: bool = False
    is_reported: bool = False

    @property
    def is_saved(self) -> bool:
        """Whether its answer must be saved by now, because its process went on to another request
        before it was interrupted, or without being interrupted; or, at the API that needs nothing
        else saved, because its next call has taken place."""
        process, given = self.process, self.process.interruption
        if not process.interrupted_at or given is None:
            return self.answered_at > 0
        is_plain = self.api == "google_ads" and set(self.answers) <= {"uploaded"}
        if is_plain and 0 < self.answered_call < given.call - 1:
            return True
        until = process.interrupted_at
        if until < self.began_at:
            return self.answered_at > 0 and process.requests[-1] is not self
        return any(0 < self.answered_at < each.began_at < until for each in process.requests)


Verdict = Literal["", "refused", "too recent"]
_REASONS: Mapping[tuple[str, Verdict], str] = {
    ("google_ads", "refused"): "EXPIRED_EVENT",
    ("google_ads", "too recent"): "TOO_RECENT_EVENT",
    ("data_manager", "refused"): "PROCESSING_ERROR_REASON_EXPIRED_CLICK",
    ("data_manager", "too recent"): "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK",
}


@dataclass(slots=True)
class Google:
    """What Google has of each conversion, behind both of its APIs.

    The Google Ads API answers at once. The Data Manager API accepts a request, and reports the
    final status after `process`: a sale that is sent again overwrites its value. `counted` has the
    time of each sale that counts, as often as it does, `values` what each is worth by `Sent.key`
    (None: it was retracted), and `applied` the corrections. `judge` says what Google thinks of a
    sale, `check` sees each request before it is answered. What is `refused` is a request, or the
    account even before that.
    """

    check: Callable[[Request], None] = lambda request: None
    judge: Callable[[Sent], Verdict] = lambda sent: ""
    refused: Literal["", "requests", "account"] = ""
    counted: list[datetime] = field(default_factory=list)
    values: dict[str, float | None] = field(default_factory=dict)
    applied: list[Sent] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    moments: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def process(self, requests: Iterable[Request] | None = None) -> None:
        """Process requests that the Data Manager API has accepted, all if none are given."""
        for request in self.requests if requests is None else requests:
            if request.is_held:
                request.is_held = False
                request.processed_at = next(self.moments)
                for position, sent in enumerate(request.records):
                    if verdict := self.judge(sent):
                        request.errors[position] = _REASONS["data_manager", verdict]
                    else:
                        self._take(sent)

    def answer(self, sent: Sent) -> RowResult:
        """Return the Google Ads API's answer for a record."""
        if self.refused:
            return RowResult("not_attempted", (_ACCOUNT_REFUSED,))
        if sent.changed_at is None and sent.key in self.values:
            return RowResult("duplicate", (Problem("ORDER_ID_ALREADY_IN_USE", "order_id"),))
        if sent.changed_at is not None:
            if sent.key not in self.values:
                return RowResult("deferred", (Problem("CONVERSION_NOT_FOUND"),))
            if self.values[sent.key] is None:
                return RowResult("duplicate", (Problem("CONVERSION_ALREADY_RETRACTED"),))
            newest = max((a.changed_at for a in self.applied if a.key == sent.key), default=None)
            if newest is not None and newest >= sent.changed_at and sent.value is not None:
                if newest == sent.changed_at:
                    return RowResult("duplicate", (Problem("RESTATEMENT_ALREADY_EXISTS"),))
                return RowResult("skipped", (Problem("MORE_RECENT_RESTATEMENT_FOUND"),))
        elif verdict := self.judge(sent):
            outcome: Outcome = "failed" if verdict == "refused" else "deferred"
            return RowResult(outcome, (Problem(_REASONS["google_ads", verdict]),))
        self._take(sent)
        return RowResult("uploaded")

    def _take(self, sent: Sent) -> None:
        if sent.key not in self.values and sent.sold_at is not None:
            self.counted.append(sent.sold_at)
        if self.values.get(sent.key, 0) is not None:
            self.values[sent.key] = sent.value
        if sent.changed_at is not None:
            self.applied.append(sent)


_ACCOUNT_REFUSED = Problem("CUSTOMER_NOT_ENABLED")


class GoogleApi(FakeApi):
    """One of Google's APIs, as one process sees it."""

    __slots__ = ("google", "process")

    def __init__(self, name: str, google: Google, process: Process) -> None:
        super().__init__(capabilities=capabilities_of(name))
        self.google = google
        self.process = process

    def _call(self, do: Callable[[], T]) -> T:
        answer = self.process.call(do)
        if answer is None:
            raise RetryableError("API_UNAVAILABLE")
        return answer

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        if self.google.refused == "account":
            self.preflight = PermanentError(_ACCOUNT_REFUSED.code)
        return self._call(
            lambda: FakeApi.account(self, customer_id, custom_variables=custom_variables)
        )

    def send(
        self, requests: Sequence[FakeRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        (batch,) = requests
        records = [*map(_sent, batch.records)]
        request = Request(
            self.process,
            batch.job_id,
            self.capabilities.name,
            records,
            next(self.google.moments),
        )
        self.google.check(request)
        self.process.runs.add(batch.job_id)
        result = self._call(lambda: self._answer(request))
        request.answered_at = next(self.google.moments)
        request.answered_call = self.process.calls
        request.answers = [
            result.row_results[at].outcome if at in result.row_results else "uploaded"
            for at in range(len(records))
        ]
        return result

    def _answer(self, request: Request) -> UploadResult:
        google, positions = self.google, range(len(request.records))
        google.requests.append(request)
        self.process.requests.append(request)
        request_id, stop = str(len(google.requests)), _ACCOUNT_REFUSED if google.refused else None
        if self.capabilities.reports_later is None or google.refused:
            answers = {at: google.answer(sent) for at, sent in enumerate(request.records)}
            plain = {at: each for at, each in answers.items() if each.outcome != "uploaded"}
            return UploadResult(plain, (request_id,), stop)
        request.is_held = request.is_accepted = True
        return UploadResult({}, (request_id,), None, (AcceptedRequest(request_id, positions),))

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        return self._call(lambda: [self._status(each) for each in request_ids])

    def _status(self, request_id: str) -> RequestStatus:
        request = self.google.requests[int(request_id) - 1]
        if request.is_held:
            return RequestStatus(request_id, "PROCESSING")
        request.is_reported = True
        records: dict[str, tuple[int, ...]] = {}
        for position, reason in request.errors.items():
            is_refused = reason == _REASONS["data_manager", "refused"]
            request.answers[position] = "failed" if is_refused else "deferred"
            records[reason] = (*records.get(reason, ()), position)
        status = "PARTIAL_SUCCESS" if records else "SUCCESS"
        if len(request.errors) == len(request.records):
            status = "FAILED"
        counts = {reason: len(positions) for reason, positions in records.items()}
        number = len(request.records)
        return RequestStatus(request_id, status, "1001", number, counts, error_records=records)


def _sent(record: Record) -> Sent:
    if not isinstance(record, Adjustment):
        assert isinstance(record, Conversion)
        return Sent(record.order_id or "", datetime.fromisoformat(record.time), None, record.value)
    sold = record.original.time if record.original is not None else record.conversion_time
    return Sent(
        record.order_id or "",
        datetime.fromisoformat(sold) if sold else None,
        datetime.fromisoformat(record.time),
        record.value,
    )


class OneThread:
    """An executor that does the work when it is submitted, so that all calls have an order."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> OneThread:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: Callable[..., T], *given: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(work(*given))
        except BaseException as error:
            future.set_exception(error)
        return future

    def map(self, work: Callable[..., T], *given: Iterable[Any]) -> Iterator[T]:
        return iter([work(*each) for each in zip(*given, strict=True)])

    def shutdown(self) -> None:
        pass


class _Errors(SilentLog):
    """A log that keeps the software errors, which a sweep survives."""

    def __init__(self) -> None:
        self.found: list[Exception] = []

    def unexpected(self, error: Exception) -> None:
        self.found.append(error)


@dataclass(slots=True)
class Platform:
    """Starts processes for events and sweeps, in a world with both of Google's APIs."""

    world: World
    google: Google = field(default_factory=Google)
    processes: list[Process] = field(default_factory=list)
    log: _Errors = field(default_factory=_Errors)

    @property
    def errors(self) -> list[Exception]:
        """The software errors that processes have survived."""
        return self.log.found

    def upload(self, name: str, data: bytes) -> StoredObject:
        """Put a file into the input bucket. Its event is delivered by `deliver` only."""
        return self.world.store.put(self.world.settings.input_bucket, name, data)

    def deliver(self, source: StoredObject, interruption: Interruption | None = None) -> bool:
        """Deliver an event of this generation. Return whether it is acknowledged."""
        with self._process(interruption) as context:
            deliver_object(source, context)
            return True
        return False

    def sweep(self, interruption: Interruption | None = None) -> bool:
        """Sweep. Return whether nothing is left to try again."""
        with self._process(interruption) as context:
            return sweep_once(context, 1500)["again"] == 0
        return False

    @contextmanager
    def _process(self, interruption: Interruption | None) -> Iterator[RunContext]:
        clock = self.world.clock
        process = Process(clock, clock.seconds, interruption, self.google.moments)
        self.processes.append(process)

        def connect(profile: Profile, log: Log) -> GoogleApi:
            return GoogleApi(profile.destination, self.google, process)

        with suppress(Killed, RetryableError):
            yield replace(
                self.world.context,
                store=ProcessStore(self.world.store, process),
                connect=connect,
                # The monotonic clock of a frozen process stands still.
                monotonic=lambda: clock.seconds - process.frozen_seconds,
                log=self.log,
            )
        process.has_ended = not process.is_dead

    def results(self, source: StoredObject) -> dict[str, Any] | None:
        """Return the results document of a generation, if it is written."""
        bucket, name = self.world.settings.output_bucket, f"{source.name}.{source.generation}"
        found = self.world.store.objects.get((bucket, f"{name}.results.json"))
        return json.loads(found[0]) if found is not None else None

    def due(self, source: StoredObject) -> datetime | None:
        """Return when the sweep continues this run. None: nothing remains to be done, or it has
        not begun."""
        saved = self.world.context.runs.read(run_key(source))
        return saved.run.due if saved is not None else None

    def run_of(self, source: StoredObject) -> int:
        """Return what `Request.run` is for the rows of this generation."""
        return max(1, int(run_key(source)[:8], 16) & 0x7FFF_FFFF)


@contextmanager
def platform(
    destination: str, adjustments_via: str = "", chunk_rows: int = 2
) -> Iterator[Platform]:
    """Return a platform for files of `sales_file`, without files.

    A process does one thing after the other, in chunks of so few rows. Nothing is ever too old, and
    no number of attempts is too high. Each row is listed in the results.
    """
    made = world(list_all_rows=True, max_defer_hours=9999)
    made.store.versioned = True
    profile = made.profiles["default"]
    entries = SALES_ENTRIES if "google_ads" in (destination, adjustments_via) else SALES_ENTRIES[:2]
    profile |= {**SALES_PROFILE, "destination": destination, "conversions": entries}
    profile |= {"adjustments_via": adjustments_via} if adjustments_via else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_ROWS", chunk_rows)
        patch.setattr(retries, "MOST_TRIES", 999)
        patch.setattr(advance, "STALE_AFTER", timedelta(days=999))
        for name, module in [*sys.modules.items()]:
            if name.startswith("lib.") and hasattr(module, "ThreadPoolExecutor"):
                patch.setattr(module, "ThreadPoolExecutor", OneThread)
        yield Platform(made)
