"""The platform: it delivers events, delivers them again, and sweeps. Its clock jumps.

    an event      comes at once, and while it is not acknowledged again after 10, 20, ... 600
                  seconds, for 24 hours; then it is lost
    a sweep       comes every ten minutes: here only when a run or a file is due, and once a day
    the clock     jumps to the next event, the next due time, or the next full day

So two weeks cost milliseconds, and all limits are the real ones.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import pytest

from lib.config.profile import Profile
from lib.errors import RetryableError
from lib.model.log import Log
from lib.results import overview
from lib.results.overview import render_overview
from lib.run import chunks
from lib.run.context import RunContext
from lib.run.deliver import deliver as deliver_object
from lib.state.runs import run_key
from lib.state.store import StoredObject
from lib.sweep.sweep import sweep_once
from tests.fakes import PROFILE, START, Clock, World, world
from tests.histories.files import profiles_for
from tests.histories.google import Google, GoogleApi
from tests.histories.processes import (
    Interruption,
    Killed,
    OneThread,
    Process,
    ProcessStore,
    Surroundings,
)

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
SWEEP_EVERY: Final = 600.0
GRACE: Final = 1800.0
"""How long the sweep leaves a file to its event (`SWEEP_GRACE_MINUTES`)."""
FIRST_BACKOFF, LONGEST_BACKOFF, EVENT_LIVES = 10.0, 600.0, DAY
PROCESSED_AFTER: Final = 12 * HOUR
"""The Data Manager API has processed a request after this time at the latest."""
MAX_A_DAY: Final = 5_000
LEASE_SECONDS: Final = 540.0
SWEEP_SECONDS: Final = 1500.0


class Line(NamedTuple):
    """A line of the log: when it came, and its event with its fields."""

    seconds: float
    event: str
    fields: dict[str, Any]


@dataclass(slots=True)
class Heard:
    """A log that keeps its lines, and the software errors, which a sweep survives."""

    clock: Clock
    lines: list[Line] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def bind(self, **fields: Any) -> Heard:
        return self

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append(Line(self.clock.seconds, event, fields))

    warning = alert = info

    def unexpected(self, error: Exception) -> None:
        self.errors.append(error)

    def problems(self, since: int = 0) -> list[Line]:
        """Return what was told of open problems since the line with this number."""
        return [line for line in self.lines[since:] if line.event == "open_problem"]


@dataclass(slots=True)
class Event:
    """An event that is not acknowledged yet. Times are in seconds of the clock."""

    source: StoredObject
    next_at: float
    until: float
    backoff: float = FIRST_BACKOFF


@dataclass(slots=True)
class Platform:
    """Starts processes for events and sweeps, in a world with both of Google's APIs.

    `revision` is that of the function. `after_process` is called when a process has ended, and
    `on_day` at each full day.
    """

    world: World
    google: Google = field(default_factory=Google)
    surroundings: Surroundings = field(default_factory=Surroundings)
    processes: list[Process] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    swept_at: float = -math.inf
    revision: int = 1
    log: Heard = field(init=False)
    after_process: Callable[[Process], None] = lambda process: None
    on_day: Callable[[], None] = lambda: None
    _documents: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    _days: int = 0

    def __post_init__(self) -> None:
        self.log = Heard(self.world.clock)

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def errors(self) -> list[Exception]:
        """The software errors that processes have survived."""
        return self.log.errors

    # ── what happens ─────────────────────────────────────────────────────────────────────────

    def upload(self, name: str, data: bytes) -> StoredObject:
        """Put a file into the input bucket. Its event is delivered by `deliver` only."""
        return self.world.store.put(self.world.settings.input_bucket, name, data)

    def drop(self, name: str, data: bytes) -> StoredObject:
        """Put a file into the input bucket. Its event comes as soon as time passes."""
        source, now = self.upload(name, data), self.clock.seconds
        self.events.append(Event(source, now, now + EVENT_LIVES))
        return source

    def delete(self, name: str) -> None:
        """Delete a file from the input bucket."""
        self.world.store.delete(self.world.settings.input_bucket, name)

    def deliver(
        self,
        source: StoredObject,
        interruption: Interruption | None = None,
        clock_ahead: float = 0.0,
    ) -> bool:
        """Deliver an event of this generation. Return whether it is acknowledged."""
        with self._process(interruption, clock_ahead=clock_ahead) as context:
            deliver_object(source, context)
            self.events = [each for each in self.events if each.source != source]
            return True
        return False

    def sweep(self, interruption: Interruption | None = None) -> bool:
        """Sweep. Return whether nothing is left to try again."""
        self.swept_at = self.clock.seconds
        with self._process(interruption, is_sweep=True) as context:
            return sweep_once(context, SWEEP_SECONDS)["again"] == 0
        return False

    @contextmanager
    def _process(
        self,
        interruption: Interruption | None,
        *,
        is_sweep: bool = False,
        clock_ahead: float = 0.0,
    ) -> Iterator[RunContext]:
        clock = self.clock
        process = Process(
            clock,
            clock.seconds,
            interruption,
            self.google.moments,
            self.surroundings,
            is_sweep,
            clock_ahead,
        )
        self.processes.append(process)

        def connect(profile: Profile, log: Log) -> GoogleApi:
            is_check = profile.validate_only
            return GoogleApi(profile.destination, self.google, process, validate_only=is_check)

        given = {"revision": f"revision-{self.revision}"}
        fields = {each.name for each in dataclasses.fields(RunContext)}
        context = replace(
            self.world.context,
            store=ProcessStore(self.world.store, process, LEASE_SECONDS),
            connect=connect,
            utc_now=lambda: clock.utc() + timedelta(seconds=process.clock_ahead),
            elapsed_seconds=process.monotonic,
            log=self.log,
            shutdown=process.shutdown,
            **{name: value for name, value in given.items() if name in fields},
        )
        with suppress(Killed, RetryableError):
            yield context
        process.has_ended = not process.is_dead
        process.ended = clock.seconds
        self.after_process(process)

    # ── time passes ──────────────────────────────────────────────────────────────────────────

    def wait(self, seconds: float) -> None:
        """Let time pass, with everything that the platform does meanwhile."""
        self.until(self.clock.seconds + seconds)

    def until(self, end: float) -> None:
        """Let time pass until then."""
        happened, day = 0, self._days
        while True:
            self._happen()
            happened, day = (happened + 1, day) if day == self._days else (0, self._days)
            assert happened < MAX_A_DAY, "something happens again and again"
            moment = min(self._next_moment(), end)
            if self.clock.seconds >= end:
                return
            self.clock.seconds = max(moment, self.clock.seconds)

    def wait_for_work(self, most_seconds: float) -> None:
        """Let time pass until something is done again, or the day ends."""
        moment = min(self._next_moment(), self.clock.seconds + most_seconds)
        self.until(max(moment, self.clock.seconds))

    def _happen(self) -> None:
        """Do everything that is due now."""
        clock = self.clock
        old = clock.seconds - PROCESSED_AFTER
        self.google.process([each for each in self.google.requests if each.sent <= old])
        for event in [each for each in self.events if each.next_at <= clock.seconds]:
            if event not in self.events:
                continue
            if not self.deliver(event.source):
                event.next_at = clock.seconds + event.backoff
                event.backoff = min(2 * event.backoff, LONGEST_BACKOFF)
            if event.next_at > event.until and event in self.events:
                self.events.remove(event)
        if self._sweep_time() <= clock.seconds:
            self.sweep()
        if clock.seconds >= self._next_day():
            self._days = int(clock.seconds // DAY)
            self.on_day()

    def _next_day(self) -> float:
        return (self._days + 1) * DAY

    def _next_moment(self) -> float:
        held = [r.sent + PROCESSED_AFTER for r in self.google.requests if r.is_held]
        events = [each.next_at for each in self.events]
        return min([*held, *events, self._sweep_time(), self._next_day()])

    def _sweep_time(self) -> float:
        """Return when the next sweep finds something to do."""
        due = min([*self._due_times(), *self._unstarted()], default=math.inf)
        return max(due, self.swept_at + SWEEP_EVERY)

    def _due_times(self) -> Iterator[float]:
        for name in self.run_names():
            if (due := self._due_of(name)) is not None:
                yield (due - START).total_seconds()

    def run_names(self) -> list[str]:
        """Return the keys of all saved runs."""
        prefix = f"{self.world.settings.state_prefix}runs/"
        bucket = self.world.settings.bucket_of_state
        names = [n for b, n in self.world.store.objects if b == bucket and n.startswith(prefix)]
        return [name.removeprefix(prefix).removesuffix(".json") for name in names]

    def _unstarted(self) -> Iterator[float]:
        bucket, store = self.world.settings.input_bucket, self.world.store
        known = {*self.run_names()}
        for owner, name in store.objects:
            if owner == bucket:
                source = store.stored(bucket, name)
                came = (store.times[bucket, name] - START).total_seconds()
                if run_key(source) not in known and self.clock.seconds - came <= 7 * DAY:
                    yield came + GRACE

    # ── what is to be seen ───────────────────────────────────────────────────────────────────

    def results(self, source: StoredObject) -> dict[str, Any] | None:
        """Return the results document of a generation, if it is written."""
        bucket, name = self.world.settings.output_bucket, f"{source.name}.{source.generation}"
        found = self.world.store.objects.get((bucket, f"{name}.results.json"))
        if found is None:
            return None
        data, generation = found
        if self._documents.get(name, (0, None))[0] != generation:
            self._documents[name] = generation, _with_unlisted_rows(json.loads(data))
        return self._documents[name][1]

    def key_of(self, source: StoredObject) -> str:
        """Return the key of a generation's run."""
        return run_key(source)

    def has_run(self, source: StoredObject) -> bool:
        return run_key(source) in self.run_names()

    def due(self, source: StoredObject) -> datetime | None:
        """Return when the sweep continues this run. None: nothing remains to be done, or it has
        not begun."""
        return self._due_of(run_key(source))

    def has_ended_regularly(self, source: StoredObject) -> bool:
        """Return whether the last attempt at this run has done all that was due."""
        saved = self.world.context.runs.read(run_key(source))
        return saved is not None and saved.run.state != "working" and not saved.run.cause

    def _due_of(self, key: str) -> datetime | None:
        saved = self.world.context.runs.read(key)
        return saved.run.due if saved is not None else None

    def run_of(self, source: StoredObject) -> int:
        """Return what `Request.run` is for the rows of this generation."""
        return max(1, int(run_key(source)[:8], 16) & 0x7FFF_FFFF)


def _with_unlisted_rows(found: dict[str, Any]) -> dict[str, Any]:
    """Return a results document with the rows that it only counts."""
    listed = {row["line"]: row for row in found["rows"]}
    outcome = "ok" if found["validate_only"] else "uploaded"
    plain = {"outcome": outcome, "errors": [], "warnings": []}
    lines = sorted(listed.keys() | set(range(2, found["counts"]["rows"] + 2)))
    return found | {"rows": [listed.get(line, {"line": line, **plain}) for line in lines]}


@contextmanager
def platform(
    destination: str, adjustments_via: str = "", chunk_rows: int = 2, *, keeps_versions: bool = True
) -> Iterator[Platform]:
    """Return a platform for files of `sales_file`, without files, with the settings of a
    deployment. A process does one thing after the other, in chunks of so few rows.
    """
    made = world(
        time_limit_seconds=LEASE_SECONDS,
        deadline_margin_seconds=40.0,
        sweep_grace_minutes=30,
        sweep_time_limit_seconds=SWEEP_SECONDS,
    )
    made.store.versioned = keeps_versions
    made.profiles.clear()
    made.profiles.update(profiles_for(PROFILE, destination, adjustments_via))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_ROWS", chunk_rows)
        for name, module in [*sys.modules.items()]:
            if name.startswith("lib.") and hasattr(module, "ThreadPoolExecutor"):
                patch.setattr(module, "ThreadPoolExecutor", OneThread)
        patch.setattr(overview, "render_overview", _rendered_once_a_day(made.clock))
        yield Platform(made)


def _rendered_once_a_day(clock: Clock) -> Callable[..., str]:
    """Return what renders the overview, but the same page again until a day has passed: otherwise
    histories would spend a third of their time on pages that nobody reads."""
    rendered = ""
    until = -math.inf

    def render(*arguments: Any) -> str:
        nonlocal rendered, until
        if clock.seconds >= until:
            rendered = render_overview(*arguments)
            until = clock.seconds + DAY
        return rendered

    return render
