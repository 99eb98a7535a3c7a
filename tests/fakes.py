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
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

from lib.adapters.logging import JsonLog
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import AcceptedRequest, AccountLookup, RowResult, UploadResult
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError, RetryableError
from lib.followup.sweep import sweep_once
from lib.model.account import Account, Action
from lib.model.capabilities import Capabilities
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.records import Adjustment, Record
from lib.model.sent_requests import RequestStatus, UploadDiagnostics
from lib.run.context import RunContext
from lib.run.deliver import process_arrival
from lib.source.workbook import read_sheet
from lib.state.store import INTERNAL, Label, LabelledObject, Readable, StoredObject
from tests.results_schema import check_message, check_results

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

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


def passes(operation: str, name: str) -> None:
    """Let every operation succeed."""


@dataclass(slots=True)
class MemoryStore:
    """`lib.state.store.Store` in a dictionary.

    `before` is called before an operation, `after` between the operation and its answer: if `after`
    raises, the answer is lost. The next write of an object in `refuse` is refused (None) although
    its precondition holds. The next write of an object in `lose` takes place, but its answer gets
    lost: the storage client sends it again, and the second write is refused. `calls` lists
    (operation, name). If the store is `versioned`, replaced and deleted versions can be read.
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

    def open(self, source: StoredObject) -> Readable:
        with self.lock:
            self._began("read", source.name)
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
            version = replace(self.stored(bucket, name), is_live=False)
            self.noncurrent[bucket, name, generation] = data, version

    def find(self, source: StoredObject) -> StoredObject | None:
        with self.lock:
            self._began("find", source.name)
            found = self._version(source)
        return found[1] if found is not None else None

    def find_and_open(self, source: StoredObject) -> tuple[StoredObject, Readable] | None:
        with self.lock:
            self._began("find", source.name)
            found = self._version(source)
            self.after("read", source.name)
        return (found[1], BytesIO(found[0])) if found is not None else None

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:
        with self.lock:
            self._began("read", name)
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
        with self.lock:
            self._began("write", name)
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
        if name.endswith(".json"):
            # Only results documents are streamed as JSON, so no test can write an invalid one.
            check_results(json.loads(data))
        return self.write(bucket, name, data, if_generation_match=if_generation_match, label=label)

    def list_labelled(self, bucket: str) -> Iterator[LabelledObject]:
        for each in self.list(bucket, ""):
            label = self.labels.get((bucket, each.name), INTERNAL)
            yield LabelledObject(each.name, each.generation, label.metadata)

    def list(self, bucket: str, prefix: str, *, versions: bool = False) -> Iterator[StoredObject]:
        with self.lock:
            self._began("list", prefix)
            names = sorted(n for b, n in self.objects if b == bucket and n.startswith(prefix))
        for name in names:
            with self.lock:
                if (bucket, name) in self.objects:
                    found = self.stored(bucket, name)
                else:
                    continue
            yield found
        if versions:
            older = [(key, found) for key, (_, found) in self.noncurrent.items()]
            yield from (f for (b, n, _), f in older if b == bucket and n.startswith(prefix))

    def delete(self, bucket: str, name: str) -> None:
        with self.lock:
            self._began("delete", name)
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
        return StoredObject(bucket, name, generation, len(data), md5, time, time)

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


class FakeBatch:
    """A list of records, of whatever kind."""

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        self.records: list[Record] = []

    def add(self, record: Record, /) -> None:
        self.records.append(record)

    add_adjustment = add_call = add

    def __len__(self) -> int:
        return len(self.records)

    def close(self) -> int:
        return 0


@dataclass(slots=True)
class FakeApi:
    """An advertising API (`lib.destinations.base.Destination`) that deduplicates by order ID.

    `counted` holds the order ID of every counted conversion, `adjusted` each adjustment with its
    new value. Records of orders in `deferred` are deferred with `deferred_code`, whatever they are.
    Order IDs in `too_recent` are answered with `too_recent_code`, those in `too_old` with
    EXPIRED_EVENT. `before` and `after` are called around each batch with its number, starting at 1;
    if one of them raises, the attempt ends with that exception. `stop` refuses the account.
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
    queries: bool = True
    batches: int = 0
    diagnostics: Callable[[str], Sequence[UploadDiagnostics]] = lambda customer_id: ()
    statuses: Statuses = lambda ids: [RequestStatus(each, "PROCESSING") for each in ids]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        if self.preflight is not None:
            raise self.preflight
        if not self.queries:
            return Account(customer_id, customer_id)
        action = Action(
            id="1001",
            name="Phone sale",
            enabled=True,
            accepts=frozenset({"conversion", "adjustment"}),
            one_per_click=False,
            lookback_days=90,
        )
        return Account(
            customer_id,
            customer_id,
            time_zone="America/Chicago",
            currency_code="USD",
            verified=True,
            accepted_customer_data_terms=True,
            enhanced_conversions_on=True,
            actions={"1001": action},
        )

    def with_custom_variables(self, account: Account) -> Account:
        return account

    def upload_diagnostics(self, customer_id: str) -> Sequence[UploadDiagnostics]:
        return self.diagnostics(customer_id)

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        return self.statuses(request_ids)

    def batch(self, job_id: int, *, maybe_sent: bool, after: Any = None) -> FakeBatch:
        return FakeBatch(job_id)

    def send(self, batch: FakeBatch, deadline: Deadline) -> UploadResult:
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
        positions = [each for each in range(len(batch)) if each not in row_results]
        accepted = (AcceptedRequest(request_id, positions),)
        if not positions or self.capabilities.reports_later is None:
            accepted = ()
        return UploadResult(row_results, (request_id,), self.stop, accepted)


PROFILE = {
    "destination": "google_ads",
    "customer_id": "1234567890",
    "expect": "any time",
    "action": "1001",
    "value": "action_default",
    "time_zone": "America/Chicago",
    "currency_code": "USD",
    "phone_region": "US",
    "ad_user_data": "GRANTED",
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
    announced: list[Mapping[str, Any]] = field(default_factory=list)
    lookup: AccountLookup | None = None
    no_profiles: RetryableError | None = None
    unreleased: set[str] = field(default_factory=set)

    @property
    def context(self) -> RunContext:
        return RunContext(
            store=self.store,
            settings=self.settings,
            profiles=self.read_profiles,
            connect=self.connect,
            look_up=(lambda lookup: lambda cache: lookup)(self.lookup) if self.lookup else None,
            utc_now=self.clock.utc,
            monotonic=self.clock.monotonic,
            new_token=lambda: f"attempt-{next(self.tokens)}",
            log=JsonLog(),
            read_sheet=read_sheet,
            announce=self.announce,
            unreleased=self.unreleased,
        )

    def announce(self, message: Mapping[str, Any]) -> None:
        check_message(message)
        self.announced.append(message)

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
    """Return an empty world. Its lease is so long that the thread never has to renew it."""
    clock = Clock()
    given = {"lease_seconds": 60.0, "window": 1, "sweep_grace_minutes": 0}
    given |= {"read_diagnostics": False, **settings}
    checked = Settings(input_bucket="in-bucket", output_bucket="out-bucket", **given)
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
    return process_arrival(source, source.created, world.context)


def sweep(world: World) -> dict[str, Any]:
    """Run one sweep as `main` does. Return what it found and did."""
    return sweep_once(world.context, world.settings.sweep_time_limit_seconds)
