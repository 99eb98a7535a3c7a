"""Several instances share one quota: the real pacer of each, on a simulated clock.

The quota is Data Manager's: 300 requests in any 60 seconds of a project. Each instance always has
more to send. The API answers after 0.4 seconds on average, with and without RetryInfo.
"""

from __future__ import annotations

import heapq
import math
import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.figures import Figure
from lib.destinations.data_manager.connector import REQUEST_GAP_SECONDS
from lib.destinations.pacing import Pacer, RequestFailure
from lib.errors import RetryableError
from lib.model.deadline import Deadline
from lib.model.log import SilentLog

INSTANCES = (2, 4, 8)
THREADS = 4
"""Requests that an instance can have in flight. At 0.4 s each, enough for the whole quota."""
PERIOD_SECONDS = 60.0
REQUESTS = round(PERIOD_SECONDS / REQUEST_GAP_SECONDS)
"""The quota: requests in any such period."""
SETTLED_SECONDS = 120.0
LATENCY_SECONDS = 0.4


class SimulatedTime:
    """A clock for threads. When all of them sleep, it jumps to the next one that wakes.

    So only one thread runs at a time, and the same seeds give the same figures.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._sleeping: list[tuple[float, int, threading.Event]] = []
        self._order = 0
        self._awake = 0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """The time in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Wait until this many simulated seconds have passed."""
        with self._lock:
            wakes = threading.Event()
            self._order += 1
            heapq.heappush(self._sleeping, (self.now + seconds, self._order, wakes))
            self._rest()
        wakes.wait()

    def run(self, threads: Sequence[Callable[[], None]]) -> None:
        """Run the functions in threads until all of them return."""

        def body(function: Callable[[], None]) -> None:
            self.sleep(0.0)
            function()
            with self._lock:
                self._rest()

        self._awake = len(threads)
        started = [threading.Thread(target=body, args=(each,), daemon=True) for each in threads]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()

    def _rest(self) -> None:
        self._awake -= 1
        if self._awake == 0 and self._sleeping:
            self.now, _, wakes = heapq.heappop(self._sleeping)
            self._awake = 1
            wakes.set()


class Refused(Exception):
    """A 429. `retry_delay_seconds` is that of RetryInfo, or 0."""

    def __init__(self, retry_delay_seconds: float) -> None:
        super().__init__()
        self.retry_delay_seconds = retry_delay_seconds


def classify(error: Exception) -> RequestFailure:
    """Tell the pacer about a refusal."""
    assert isinstance(error, Refused)
    return RequestFailure("quota", "RATE_LIMIT_EXCEEDED", error.retry_delay_seconds)


@dataclass(slots=True)
class Project:
    """The API: `accepted` and `refused` hold the instance and the time of each request."""

    time: SimulatedTime
    retry_info: bool
    rng: random.Random
    accepted: list[tuple[int, float]] = field(default_factory=list)
    refused: list[tuple[int, float]] = field(default_factory=list)
    window: deque[float] = field(default_factory=deque)

    def request(self, instance: int) -> None:
        """Count a request of the instance. Raises `Refused` if the quota is used up."""
        now = self.time.now
        while self.window and self.window[0] <= now - PERIOD_SECONDS:
            self.window.popleft()
        free_in = self.window[0] + PERIOD_SECONDS - now if self.window else 0.0
        is_full = len(self.window) >= REQUESTS
        if is_full:
            self.refused.append((instance, now))
        else:
            self.window.append(now)
            self.accepted.append((instance, now))
        self.time.sleep(LATENCY_SECONDS * self.rng.uniform(0.5, 1.5))
        if is_full:
            raise Refused(free_in if self.retry_info else 0.0)


@dataclass(frozen=True, slots=True)
class Share:
    """What instances got of the quota between two moments."""

    used: float
    refused: float
    fairness: float
    """The smallest part of an instance, in equal parts."""


def simulate(
    spans: Sequence[tuple[float, float]], *, retry_info: bool, seed: int = 0
) -> Callable[[float, float], Share]:
    """Run one instance per span (it joins and leaves then). Returns what they got, by time."""
    time = SimulatedTime()
    project = Project(time, retry_info, random.Random(seed))

    def worker(number: int, pacer: Pacer) -> Callable[[], None]:
        joins, leaves = spans[number]
        deadline = Deadline(leaves, math.inf)

        def work() -> None:
            time.sleep(joins + project.rng.uniform(0.0, 0.3))
            while True:
                try:
                    pacer.send(
                        lambda timeout: project.request(number),
                        classify,
                        deadline=deadline,
                        timeout_seconds=60,
                        log=SilentLog(),
                    )
                except RetryableError:
                    return

        return work

    workers = []
    for number in range(len(spans)):
        pacer = Pacer(
            THREADS,
            REQUEST_GAP_SECONDS,
            random_part=random.Random(seed * 100 + number).random,
            clock=time.monotonic,
            sleep=time.sleep,
        )
        workers += [worker(number, pacer) for _ in range(THREADS)]
    time.run(workers)

    def share(since: float, until: float) -> Share:
        there = [n for n, (joins, leaves) in enumerate(spans) if joins <= since and leaves >= until]
        got = [instance for instance, at in project.accepted if since <= at < until]
        refused = sum(since <= at < until for _, at in project.refused)
        full = REQUESTS * (until - since) / PERIOD_SECONDS
        least = min(got.count(instance) for instance in there)
        return Share(
            len(got) / full,
            refused / (len(got) + refused or 1),
            least * len(there) / (len(got) or 1),
        )

    return share


def measure(quick: bool) -> Iterator[Figure]:
    """The figures of the quota."""
    ends = 600.0 if quick else 1500.0
    steady: dict[str, Share] = {}
    for instances in INSTANCES:
        for retry_info in (False, True):
            share = simulate([(0.0, ends)] * instances, retry_info=retry_info)
            name = f"{instances} instances{' with RetryInfo' if retry_info else ''}"
            steady[name] = share(SETTLED_SECONDS, ends)
    notes = "; ".join(
        f"{name}: {each.used:.2f} used, {each.refused:.1%} refused, least {each.fairness:.2f}"
        for name, each in steady.items()
    )
    yield Figure("quota_share", min(each.used for each in steady.values()), notes)
    yield Figure("quota_refused", max(each.refused for each in steady.values()))
    yield Figure("quota_fairness", min(each.fairness for each in steady.values()))
    # Seven of eight instances leave after 300 seconds.
    share = simulate([(0.0, 500.0)] + [(0.0, 300.0)] * 7, retry_info=False)
    yield Figure("quota_recovery", _seconds_to_recover(share))


def _seconds_to_recover(share: Callable[[float, float], Share]) -> float:
    for seconds in range(200 - 20):
        if share(300.0 + seconds, 320.0 + seconds).used >= 0.85:
            return float(seconds)
    return math.inf
