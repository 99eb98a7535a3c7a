"""A process, and what can happen to it between storage and both APIs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar

from lib.errors import RetryableError
from lib.model.deadline import Shutdown
from tests.fakes import Clock, MemoryStore

if TYPE_CHECKING:
    from tests.histories.google import Request

T = TypeVar("T")

SLOW_SECONDS: Final = 600.0
"""What a slow call takes: more than an attempt may."""
LONG_SECONDS: Final = 400.0
"""After so long, an attempt has run out of time."""


class Killed(BaseException):
    """The process is gone: none of its code may run any more."""


FaultKind = Literal["killed", "frozen", "lost answer", "unavailable", "slow", "SIGTERM"]


class Interruption(NamedTuple):
    """What happens to a process at its call with this number, from 1, to storage or to an API.

    unavailable   the call fails
    lost answer   it takes place, and the process is not told
    killed        before the call, or after it `takes_place`
    frozen        the same: the process continues after `meanwhile`, as if nothing had happened
    slow          the call takes ten minutes
    SIGTERM       the platform announces that the instance ends
    """

    call: int
    kind: FaultKind
    takes_place: bool = True
    meanwhile: Callable[[], None] = lambda: None


Deadly = Literal["", "start", "report", "document", "statuses"]
"""What kills each process: that it has taken a run, the writing of the report or of the results
document, or asking for statuses."""


@dataclass(slots=True)
class Surroundings:
    """What is wrong with the platform for a while, for every process.

    `deadly`: what kills each process, if it works on the file with the name `deadly_file` ("": on
    any). Objects whose names contain `unwritable` cannot be written ("": all can).
    `reading_seconds`: what opening an input file takes.
    """

    deadly: Deadly = ""
    deadly_file: str = ""
    unwritable: str = ""
    reading_seconds: float = 0.0


@dataclass(slots=True)
class Process:
    """One process: when it began, in seconds of the clock, and what has happened to it.

    The moments are numbers of `Google.moments`; 0: it has not happened. `requests` have reached
    Google, `runs` are those of which it sends rows: the end of the attempt, once saved, gives the
    lease back, also if the process is frozen in that very call. `taken` are the keys of the runs
    that it has saved, `works_on` is the last of them, since `works_since`. `took_long` are those
    for which an attempt ran out of time. Its wall clock is `clock_ahead` seconds ahead.
    """

    clock: Clock
    began: float
    interruption: Interruption | None
    moments: Iterator[int]
    surroundings: Surroundings
    is_sweep: bool = False
    clock_ahead: float = 0.0
    frozen_seconds: float = 0.0
    calls: int = 0
    interrupted_at: int = 0
    is_dead: bool = False
    has_ended: bool = False
    ended: float = 0.0
    taken: set[str] = field(default_factory=set)
    taken_too_late: set[str] = field(default_factory=set)
    """Runs that it has begun with after SIGTERM."""
    took_long: set[str] = field(default_factory=set)
    works_on: str = ""
    works_since: float = 0.0
    requests: list[Request] = field(default_factory=list)
    runs: set[int] = field(default_factory=set)
    shutdown: Shutdown = field(default_factory=Shutdown)
    saved: list[int] = field(default_factory=list)
    """When it has saved a marker, by the moments."""
    written_late: list[str] = field(default_factory=list)
    """Reports that it has written after it was frozen past its lease, before it began with them."""

    def monotonic(self) -> float:
        """The monotonic clock of a frozen process stands still."""
        return self.clock.seconds - self.frozen_seconds

    def take(self, run: str) -> None:
        """Note that the process has saved a run."""
        if self.shutdown.at < math.inf and run not in self.taken:
            self.taken_too_late.add(run)
        if run != self.works_on:
            self.leave()
            self.works_on, self.works_since = run, self.clock.seconds
        self.taken.add(run)

    def leave(self) -> None:
        """Note whether the run that it works on has taken long."""
        if self.clock.seconds - self.works_since > LONG_SECONDS:
            self.took_long.add(self.works_on)

    def die(self) -> None:
        self.is_dead = True
        raise Killed

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
        if given.kind == "SIGTERM":
            self.shutdown.begin(self.monotonic())
            return do()
        if given.kind == "lost answer":
            do()
            return None
        done = do() if given.takes_place else None
        if given.kind == "killed":
            self.die()
        moment = self.clock.seconds
        if given.kind == "slow":
            self.clock.seconds += SLOW_SECONDS
        else:
            given.meanwhile()
            self.frozen_seconds += self.clock.seconds - moment
        return done if given.takes_place else do()


RUNS: Final = "_state/runs/"
MARKERS: Final = "_state/chunks/"
REPORT: Final = ".results.html"
DOCUMENT: Final = ".results.json"


class ProcessStore:
    """Storage, as one process sees it: each method of the store is a call of the process."""

    def __init__(self, store: MemoryStore, process: Process, lease_seconds: float) -> None:
        self._store = store
        self._process = process
        self._lease_seconds = lease_seconds
        self._has_taken = False

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a method that reads. If its answer gets lost, the client reads again."""

        def read(*given: Any, **named: Any) -> Any:
            def do() -> tuple[Any]:
                found = getattr(self._store, method)(*given, **named)
                return (iter([*found]) if method.startswith("list") else found,)

            self._dies_if("start")
            answer = self._process.call(do)
            if method.startswith("open"):
                self._process.clock.seconds += self._process.surroundings.reading_seconds
            return (answer if answer is not None else do())[0]

        return read

    def write(self, bucket: str, name: str, data: bytes, **given: Any) -> int | None:
        self._before_writing(name)

        def do() -> int | None:
            generation = self._store.write(bucket, name, data, **given)
            if generation is not None and name.startswith(RUNS):
                is_work = b'"working"' in data
                self._has_taken = is_work and not self._has_taken
                if not is_work:
                    self._process.runs.clear()
                self._process.take(name.removeprefix(RUNS).removesuffix(".json"))
            return generation

        generation = self._process.call(do)
        if generation is not None and name.startswith(MARKERS):
            self._process.saved.append(next(self._process.moments))
        return generation

    def write_stream(
        self, bucket: str, name: str, pieces: Iterable[bytes], **given: Any
    ) -> int | None:
        data = b"".join(pieces)  # a stream can read other objects
        self._before_writing(name)
        return self._process.call(lambda: self._store.write_stream(bucket, name, [data], **given))

    def delete(self, bucket: str, name: str) -> None:
        self._process.call(lambda: self._store.delete(bucket, name))

    def _before_writing(self, name: str) -> None:
        process, given = self._process, self._process.interruption
        self._dies_if("start")
        self._dies_if("report", name.endswith(REPORT))
        self._dies_if("document", name.endswith(DOCUMENT))
        unwritable = process.surroundings.unwritable
        if unwritable and unwritable in name:
            process.calls += 1
            raise RetryableError("STORAGE_UNAVAILABLE")
        is_late = process.clock.seconds - process.began >= self._lease_seconds
        was_frozen = given is not None and given.kind == "frozen" and given.call <= process.calls
        if is_late and was_frozen and not process.is_sweep and name.endswith(REPORT):
            process.written_late.append(name)

    def _dies_if(self, deadly: Deadly, happens: bool = True) -> None:
        surroundings = self._process.surroundings
        if surroundings.deadly != deadly or not happens:
            return
        if surroundings.deadly_file and surroundings.deadly_file != self._process.works_on:
            return
        if deadly != "start" or self._has_taken:
            self._process.die()


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

    def shutdown(self, *_: object, **__: object) -> None:
        pass
