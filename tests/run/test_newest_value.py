"""Sales, corrections, refunds, overlaps and crashes, invented at random, with both APIs at once.

The Data Manager API processes what it gets hours later and in any order. The newest value of each
order must finally count.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from lib.config.profile import Profile
from lib.destinations.base import AcceptedRequest, Destination, RowResult, UploadResult
from lib.destinations.registry import capabilities_of
from lib.errors import RetryableError
from lib.followup.sweep import sweep_once
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.records import Adjustment, Record
from lib.model.sent_requests import RequestStatus
from lib.run.context import RunContext
from lib.run.deliver import process_arrival
from lib.state.store import StoredObject
from tests.fakes import PROFILE, START, FakeApi, FakeBatch, MemoryStore, World, world
from tests.schedule import EVERY_CALL

SEEDS = range(100 if EVERY_CALL else 10)
COLUMNS = (
    "order_id,email,conversion_date_time,conversion_value,Status,adjustment_date_time,"
    "adjusted_value"
)
TEMPLATE = (
    "Order ID,Conversion Name,Adjustment Time,Adjustment Type,Adjusted Value,"
    "Adjusted Value Currency"
)
SOLD = {"rows": {"Status": ["Paid"]}}
RESTATED = {"rows": {"Status": ["Refunded"], "adjusted_value": ["*"]}, "send": "restatement"}
RETRACTED = {"rows": {"Status": ["Refunded"], "adjusted_value": [""]}, "send": "retraction"}
PROFILES = {
    "both": {
        "destination": "data_manager",
        "adjustments_via": "google_ads",
        "conversions": [SOLD, RESTATED, RETRACTED],
    },
    "later": {"destination": "data_manager", "conversions": [SOLD, RESTATED]},
    "template": {"destination": "google_ads", "action": "Phone sale"},
}
VALUES = {"sold": 100.0, "60": 60.0, "40": 40.0, "refunded": None}
"""What an order is worth after each step, oldest step first."""
STEPS = list(VALUES)


@dataclass(slots=True)
class Worth:
    """What Google Ads has of an order."""

    value: float | None
    restated: list[str] = field(default_factory=list)
    """The times that its adjustments had in the Google Ads API."""


@dataclass(slots=True)
class Event:
    """A request that waits until the Data Manager API processes it."""

    request_id: str
    sent_at: float
    values: list[tuple[str, float | None]]


@dataclass(slots=True)
class Google:
    """Both APIs. What is sent to one of them is `held` until `process`."""

    clock: Callable[[], float]
    orders: dict[str, Worth] = field(default_factory=dict)
    held: list[Event] = field(default_factory=list)
    late: FakeApi = field(init=False)
    ads: FakeApi = field(init=False)

    def connect(self, profile: Profile, log: Log) -> Destination[Any]:
        return self.late if profile.destination == "data_manager" else self.ads

    def __post_init__(self) -> None:
        self.late, self.ads = _LateApi(), _AdsApi()
        self.late.google = self.ads.google = self  # type: ignore[attr-defined]
        self.late.capabilities = capabilities_of("data_manager")
        self.late.statuses = self.statuses

    def statuses(self, ids: Any) -> list[RequestStatus]:
        held = {each.request_id for each in self.held}
        return [RequestStatus(each, "PROCESSING" if each in held else "SUCCESS") for each in ids]

    def process(self, event: Event) -> None:
        """Apply the values of a request: the one that is processed last counts."""
        self.held.remove(event)
        for order, value in event.values:
            worth = self.orders.setdefault(order, Worth(value))
            if worth.value is not None:
                worth.value = value

    def process_old(self, hours: float) -> None:
        """Process what was sent so long ago, in any order."""
        for each in [e for e in self.held if self.clock() - e.sent_at > hours * 3600]:
            self.process(each)


class _LateApi(FakeApi):
    __slots__ = ("google",)
    google: Google

    def send(self, batch: FakeBatch, deadline: Deadline) -> UploadResult:
        self.batches += 1
        number = f"late-{self.batches}"
        self.before(self.batches)
        values = [(_order(each), each.value) for each in batch.records]
        self.google.held.append(Event(number, self.google.clock(), values))
        self.after(self.batches)
        return UploadResult({}, (number,), None, (AcceptedRequest(number, range(len(batch))),))


class _AdsApi(FakeApi):
    __slots__ = ("google",)
    google: Google

    def send(self, batch: FakeBatch, deadline: Deadline) -> UploadResult:
        self.batches += 1
        self.before(self.batches)
        answers = {at: self._adjust(each) for at, each in enumerate(batch.records)}
        self.after(self.batches)
        return UploadResult(
            {at: each for at, each in answers.items() if each is not None}, (f"ads-{self.batches}",)
        )

    def _adjust(self, record: Record) -> RowResult | None:
        assert isinstance(record, Adjustment)
        worth = self.google.orders.get(_order(record))
        if worth is None:
            return RowResult("deferred", (Problem("CONVERSION_NOT_FOUND"),))
        if worth.value is None:
            return RowResult("duplicate", (Problem("CONVERSION_ALREADY_RETRACTED"),))
        if record.adjustment_type == "restatement":
            if record.time in worth.restated:
                return RowResult("duplicate", (Problem("RESTATEMENT_ALREADY_EXISTS"),))
            if any(each > record.time for each in worth.restated):
                return RowResult("skipped", (Problem("MORE_RECENT_RESTATEMENT_FOUND"),))
            worth.restated.append(record.time)
        worth.value = record.value
        return None


def _order(record: Record) -> str:
    assert record.order_id is not None
    return record.order_id


class _Store(MemoryStore):
    """A store that does something else before a listing, as another instance would."""

    __slots__ = ("pause",)
    pause: Callable[[], None]

    def list(self, bucket: str, prefix: str, *, versions: bool = False) -> Iterator[StoredObject]:
        self.pause()
        return super().list(bucket, prefix, versions=versions)


@dataclass(slots=True)
class Life:
    """One random life of some orders."""

    rng: random.Random
    world: World
    google: Google
    context: RunContext
    arrived: set[tuple[str, str]] = field(default_factory=set)
    """The steps of orders of which a row was delivered that can be sent."""
    depth: int = 0
    files: int = 0

    def deliver(self) -> None:
        """Drop a file with rows of some orders, perhaps die, and perhaps let another one in."""
        route = self.rng.choice(list(PROFILES))
        rows = [
            (order, step)
            for order in self.rng.sample("ABC", self.rng.randint(1, 3))
            # What is retracted stays so, whatever follows: only one order is refunded.
            for step in self.rng.sample(STEPS[: 4 if order == "C" else 3], self.rng.randint(1, 3))
        ]
        if route == "template":
            rows = [(order, step) for order, step in rows if step != "sold"]
        self.drop(route, rows)

    def drop(self, route: str, rows: list[tuple[str, str]]) -> None:
        if not rows:
            return
        self.files += 1
        name = f"{route}/{self.files}.csv"
        refuses = route == "later"
        self.arrived |= {(o, s) for o, s in rows if not (refuses and s == "refunded")}
        lines = map(_template_row if route == "template" else _sales_row, rows)
        header = TEMPLATE if route == "template" else COLUMNS
        source = self.world.store.put("in-bucket", name, "\n".join([header, *lines, ""]).encode())
        self.depth += 1
        for attempt in range(8):
            self.fail_at(self.rng.randint(1, 40) if attempt < 2 and self.rng.random() < 0.4 else 0)
            try:
                process_arrival(source, source.created, self.context)
                break
            except SystemExit:
                self.world.clock.seconds += 61
            except RetryableError:
                self.world.clock.seconds += 30
            finally:
                self.fail_at(0)
        self.depth -= 1

    def fail_at(self, nth: int) -> None:
        """Let the process die at its nth call."""
        left = nth

        def count(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise SystemExit

        for api in (self.google.late, self.google.ads):
            api.before = api.after = count
        self.world.store.after = count

    def pause(self) -> None:
        """Let another instance do a whole file now."""
        if 0 < self.depth < 3 and self.rng.random() < 0.05:
            before = self.world.store.after, self.google.late.before
            self.deliver()
            self.world.store.after = before[0]
            for api in (self.google.late, self.google.ads):
                api.before = api.after = before[1]

    def sweep(self) -> None:
        with suppress(RetryableError):
            sweep_once(self.context, 1500)

    def step(self) -> None:
        """Do one of the things that happen."""
        choice = self.rng.random()
        if choice < 0.45:
            self.deliver()
        elif choice < 0.7 and self.google.held:
            self.google.process(self.rng.choice(self.google.held))
        elif choice < 0.85:
            self.sweep()
        else:
            self.world.clock.seconds += self.rng.choice([60, 2_000, 6_000])
        self.google.process_old(12)


def _time(step: str) -> str:
    days = 5 - STEPS.index(step)
    return (START - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S+00:00")


def _sales_row(row: tuple[str, str]) -> str:
    order, step = row
    status, at = ("Paid", "") if step == "sold" else ("Refunded", _time(step))
    value = step if step.isdigit() else ""
    return f"{order},{order}@example.com,{_time('sold')},100,{status},{at},{value}"


def _template_row(row: tuple[str, str]) -> str:
    order, step = row
    kind, value = ("RESTATE", step) if step.isdigit() else ("RETRACT", "")
    return f"{order},Phone sale,{_time(step)},{kind},{value},{'USD' if value else ''}"


def play(seed: int) -> Life:
    """Invent a life, and let everything end that was begun."""
    rng, made = random.Random(seed), world(defer_hours=3, max_defer_hours=60)
    made.profiles.update({name: {**PROFILE, **profile} for name, profile in PROFILES.items()})
    google = Google(made.clock.monotonic)
    store = _Store(made.clock)
    made.store = store
    life = Life(rng, made, google, replace(made.context, connect=google.connect))
    store.pause = life.pause
    for order in "ABC":
        life.drop(rng.choice(["both", "later"]), [(order, "sold")])
    for _ in range(rng.randint(5, 25)):
        life.step()
    for _ in range(20):
        made.clock.seconds += 3 * 3600
        google.process_old(rng.choice([0, 2, 6]))
        life.sweep()
    return life


@pytest.mark.parametrize("first", SEEDS[::5])
def test_the_newest_value_counts(first: int) -> None:
    """Whatever came, in whatever order, by whichever API, and wherever an attempt died."""
    for seed in range(first, first + 5):
        life = play(seed)
        assert not life.google.held
        for order in "ABC":
            newest = max((step for each, step in life.arrived if each == order), key=STEPS.index)
            worth = life.google.orders[order].value
            assert worth == VALUES[newest], (seed, order, newest, worth)
