"""Fakes for tests in one process: storage, an advertising API, a clock.

They are small classes with visible state, passed in at the ports (`lib.run.context.RunContext`), so
nothing is patched.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, NamedTuple

import pytest

from lib.adapters.logging import JsonLog
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import AcceptedRequest, MaybeSent, RowResult, UploadResult
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError, RetryableError
from lib.model.account import Account, ConversionAction
from lib.model.capabilities import Capabilities
from lib.model.deadline import Deadline
from lib.model.fields import RecordKind
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.records import Adjustment, Record
from lib.model.sent_requests import RequestStatus, UploadDiagnostics
from lib.run.context import RunContext
from lib.run.deliver import deliver as deliver_object
from lib.source.workbook import read_sheet
from lib.state.runs import Run, RunEntry, run_key
from lib.state.store import (
    INTERNAL,
    ListedObject,
    ObjectMetadata,
    OpenedObject,
    Readable,
    StoredObject,
)
from lib.sweep.sweep import sweep_once
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOLD_AT = f"{START - timedelta(days=2):%Y-%m-%d %H:%M:%S}+00:00"

Statuses = Callable[[Sequence[str]], Sequence[RequestStatus]]

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


def passes(*_: object) -> None:
    """Let every operation or request succeed."""


def fails(error: BaseException) -> Callable[..., Any]:
    """Let every operation or request fail."""

    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


class Dies(BaseException):
    """The process is killed."""


@dataclass(slots=True)
class MemoryStore:
    """`lib.state.store.Store` in a dictionary.

    `before` is called before an operation, `after` between the operation and its answer: if `after`
    raises, the answer is lost. Both may use the store, also by way of other threads. The next write
    of an object in `refuse` is refused (None) although its precondition holds. The next write of an
    object in `lose` takes place, but its answer gets lost: the storage client sends it again, and
    the second write is refused. `calls` lists (operation, name). If the store is `versioned`,
    replaced and deleted versions can be read. As in Cloud Storage, the
    metadata of an object have at most 8 KiB.
    """

    clock: Clock = field(default_factory=Clock)
    objects: dict[tuple[str, str], tuple[bytes, int]] = field(default_factory=dict)
    times: dict[tuple[str, str], datetime] = field(default_factory=dict)
    metadata: dict[tuple[str, str], ObjectMetadata] = field(default_factory=dict)
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
        metadata: ObjectMetadata = INTERNAL,
    ) -> int | None:
        self._began("write", name)
        if sum(len(each.encode()) for pair in metadata.custom.items() for each in pair) > 8192:
            raise RetryableError("STORAGE_UNAVAILABLE", "BadRequest")
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
            self.metadata[bucket, name] = metadata
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
        metadata: ObjectMetadata = INTERNAL,
    ) -> int | None:
        data = b"".join(pieces)
        match = if_generation_match
        written = self.write(bucket, name, data, if_generation_match=match, metadata=metadata)
        if name.endswith(".json") and written is not None:
            # Only results documents are streamed as JSON, so no test can write an invalid one.
            check_results(json.loads(data))
        return written

    def list_with_metadata(self, bucket: str, prefix: str = "") -> Iterator[ListedObject]:
        for each in self.list(bucket, prefix):
            metadata = self.metadata.get((bucket, each.name), INTERNAL)
            assert each.created is not None
            yield ListedObject(each.name, metadata.custom, each.created)

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
    new value, `sent` every record. Records of orders in `deferred` are deferred with
    `deferred_code`, whatever they are. Order IDs in `too_recent` are answered with
    `too_recent_code`, those in `too_old` with
    EXPIRED_EVENT. `before` and `after` are called around each batch with its number, starting at 1;
    if one of them raises, the attempt ends with that exception. `stop` refuses the account.
    `unread` is why the account cannot be read, and `changes` is how it differs from one in which
    all is well. Action 1001 is for sales, 1004 that of a tag.
    """

    capabilities: Capabilities = field(default_factory=lambda: capabilities_of("google_ads"))
    counted: list[str] = field(default_factory=list)
    adjusted: list[tuple[str, float | None]] = field(default_factory=list)
    sent: list[Record] = field(default_factory=list)
    deferred: set[str] = field(default_factory=set)
    deferred_code: str = "TOO_RECENT_EVENT"
    too_recent: set[str] = field(default_factory=set)
    too_recent_code: str = "TOO_RECENT_EVENT"
    too_old: set[str] = field(default_factory=set)
    before: Callable[[int], None] = passes
    after: Callable[[int], None] = passes
    stop: Problem | None = None
    preflight: PermanentError | RetryableError | None = None
    unread: str = ""
    is_unreachable: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)
    batches: int = 0
    diagnostics: Callable[[str], UploadDiagnostics | None] = lambda customer_id: None
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
        sale = ConversionAction(
            id="1001",
            name="Phone sale",
            enabled=True,
            accepts=frozenset({"conversion", "adjustment", "call"}),
            one_per_click=False,
            lookback_days=90,
        )
        of_tag = replace(
            sale,
            id="1004",
            name="Purchase",
            accepts=frozenset({"adjustment"}),
            is_of_tag=True,
        )
        return Account(
            customer_id,
            customer_id,
            time_zone="America/Chicago",
            currency_code="USD",
            verified=True,
            actions={each.id: each for each in (sale, of_tag)},
            **self.changes,
        )

    def upload_diagnostics(self, customer_id: str) -> UploadDiagnostics | None:
        return self.diagnostics(customer_id)

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        return self.statuses(request_ids)

    def encode(
        self, kind: RecordKind, records: Sequence[Record], customer_id: str, job_id: int
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
            self.sent += batch.records
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
    no_profiles: PermanentError | RetryableError | None = None
    profiles_changed_at: datetime | None = None

    @property
    def context(self) -> RunContext:
        return RunContext(
            store=self.store,
            settings=self.settings,
            profiles=self.read_profiles,
            connect=self.connect,
            utc_now=self.clock.utc,
            elapsed_seconds=self.clock.monotonic,
            new_token=lambda: f"attempt-{next(self.tokens)}",
            log=JsonLog(),
            read_sheet=read_sheet,
            profiles_changed_at=lambda: self.profiles_changed_at,
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
    Raises an `AttemptError` where `main` would answer with its code.
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


def sales(*orders: str, **cells: str) -> bytes:
    """Return a file with a sale for each of these orders."""
    return csv_bytes(
        core_row(number, order_id=order, conversion_date_time=SOLD_AT, **cells)
        for number, order in enumerate(orders, 1)
    )


def results(world: World, name: str = "daily.csv", number: int = -1) -> dict[str, Any]:
    """Return the results document of the newest generation of a file, or of an older one."""
    names = [each for each in world.store.names("out-bucket") if each.startswith(f"{name}.")]
    documents = [each for each in names if each.endswith(".results.json")]
    found: dict[str, Any] = json.loads(world.store.objects["out-bucket", documents[number]][0])
    return found


def saved(world: World, name: str = "daily.csv") -> Run:
    """Return the saved run of the live generation of a file."""
    found = world.context.runs.read(run_key(world.store.stored("in-bucket", name)))
    assert found is not None
    return found.run


def entries(world: World) -> list[RunEntry]:
    """Return what a listing shows of each run."""
    return [each for each in world.context.runs.entries() if isinstance(each, RunEntry)]


def logged(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    """Return the log lines of an event since the output was read last."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == event]
