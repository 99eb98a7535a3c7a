"""How fast requests are sent, and how transient errors are retried.

There is one `Pacer` per instance and API. All requests share it, also across the files that a warm
instance processes one after another, so what it learned about the quota is kept. Google's
`retry_delay` delays all requests, not only the one that was refused
(https://developers.google.com/google-ads/api/docs/best-practices/quotas).

A `Pace` decides the rate. `UnknownQuota` finds out what the API allows: Google documents that for
no account of Google Ads. `SharedQuota` is for the documented quota of a project, which several
instances of the function use without knowing each other.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeVar

from google.api_core.retry import exponential_sleep_generator

from lib.errors import RetryableError
from lib.model import retries
from lib.model.deadline import Deadline
from lib.model.log import Log

T = TypeVar("T")

FailureKind = Literal["transient", "quota", "daily_quota", "permanent"]


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """A failed request, classified: what to do next.

    transient    retry after a backoff; Google may have processed it (and then deduplicates it)
    quota        retry after `retry_delay_seconds` or later, and slow down
    daily_quota  the day's operations are used up: end the attempt and continue later
    permanent    a retry cannot help: the caller interprets the exception
    """

    kind: FailureKind
    code: str
    retry_delay_seconds: float = 0.0


class Pacer:
    """The window and the timing of one API's requests. Thread-safe."""

    def __init__(
        self,
        pace: Pace,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.pace = pace
        self._clock = clock
        self._sleep = sleep
        self._free = threading.Condition()
        self._in_flight = 0
        self._next_start = 0.0
        self._closed_until = 0.0

    def send(
        self,
        request: Callable[[float], T],
        classify: Callable[[Exception], RequestFailure],
        *,
        deadline: Deadline,
        timeout_seconds: float,
        log: Log,
    ) -> T:
        """Run `request(timeout_seconds)` within the window, and retry it while that can help.

        Raises what `request` raised if `classify` calls that permanent. Raises `RetryableError` if
        the daily quota or all tries are used up, or if the next try would start after `deadline`.
        """
        backoff = retries.API_REQUEST
        delays = exponential_sleep_generator(backoff.first, backoff.longest)
        tries = 0
        while True:
            started = self._enter(deadline)
            failure: RequestFailure | None = None
            try:
                left = deadline.last_answer - self._clock()
                return request(min(timeout_seconds, max(left, 1.0)))
            except Exception as error:
                failure = classify(error)
                if failure.kind == "permanent":
                    raise
            finally:
                pause = self._leave(started, failure)
            if failure.kind == "daily_quota":
                raise RetryableError("DAILY_QUOTA", failure.code)
            tries += failure.kind == "transient"
            # After a quota error, all requests wait, so this one waits with them in `_enter`.
            delay = next(delays) if failure.kind == "transient" else 0.0
            log.warning(
                "request_retry",
                code=failure.code,
                kind=failure.kind,
                tries=tries,
                delay_seconds=round(max(delay, pause), 3),
                window=int(self.pace.window),
            )
            if tries >= backoff.tries:
                raise RetryableError("API_UNAVAILABLE", failure.code)
            self._pause(delay, deadline, failure.code)

    def _pause(self, seconds: float, deadline: Deadline, code: str) -> None:
        """Sleep before a retry. In short steps, because a shutdown brings the deadline forward."""
        ends = self._clock() + seconds
        while ends < deadline.last_start:
            left = ends - self._clock()
            if left <= 0:
                return
            self._sleep(min(left, 1.0))
        raise RetryableError(deadline.code, f"while waiting to retry after {code}")

    def _enter(self, deadline: Deadline) -> float:
        """Wait until a request may start. Returns when it starts."""
        while True:
            with self._free:
                now = self._clock()
                if now < self._closed_until:
                    raise RetryableError("DAILY_QUOTA", "an earlier request was refused")
                last_start = deadline.last_start
                if now >= last_start:
                    raise RetryableError(
                        deadline.code, "while waiting for other requests to finish"
                    )
                if self._in_flight >= max(1, int(self.pace.window)):
                    self._free.wait(min(last_start - now, 1.0))
                    continue
                wait = self._next_start - now
                if wait <= 0:
                    self._in_flight += 1
                    self._next_start = now + self.pace.gap_seconds(now)
                    return now
                if now + wait >= last_start:
                    raise RetryableError(deadline.code, "while waiting for the quota")
            # In short steps, because a shutdown brings the deadline forward.
            self._sleep(min(wait, 1.0))

    def _leave(self, started: float, failure: RequestFailure | None) -> float:
        """Record the answer. Returns how long no request may start because of it."""
        pause = 0.0
        with self._free:
            now = self._clock()
            self._in_flight -= 1
            if failure is None:
                self.pace.accepted(started, now)
            elif failure.kind == "daily_quota":
                # Until then, every request would be refused too.
                self._closed_until = now + retries.DAILY_QUOTA_SECONDS
            elif failure.kind == "quota":
                pause = self.pace.refused(started, now, failure.retry_delay_seconds)
                self._next_start = max(self._next_start, now + pause)
            self._free.notify_all()
        return pause


class Pace(Protocol):
    """When requests may start. Times are seconds of any monotonic clock. Not thread-safe."""

    @property
    def window(self) -> float:
        """The number of requests that may be in flight."""
        ...

    def gap_seconds(self, now: float) -> float:
        """Return the time between a request that starts now and the next one."""
        ...

    def accepted(self, started: float, now: float) -> None:
        """Learn that the API accepted a request that started then."""
        ...

    def refused(self, started: float, now: float, retry_delay_seconds: float) -> float:
        """Learn that a request was refused because of the quota.

        `retry_delay_seconds` is Google's, or 0. Returns how long no request may start.
        """
        ...


def _jittered(retry_delay_seconds: float, rng: random.Random) -> float:
    # Otherwise all instances would retry at the same moment.
    return retry_delay_seconds * (1 + 0.25 * rng.random())


class UnknownQuota:
    """Additive increase, multiplicative decrease.

    - Requests in flight: a refusal halves the window, a window full of successes adds one. Beyond
      its start, the window grows only until the first refusal, and only while answers are slow:
      if they are fast, no request waits for a place in it.
    - Time between starts: a refusal also doubles the gap between two starts (Google limits the
      rate, and even one request at a time can be too fast). Every success reduces the gap by 1 %.
      So about 70 requests are sent before the gap that was too short is tried again.
    """

    FIRST_GAP_SECONDS = 0.05
    MAX_GAP_SECONDS = 30.0
    SLOW_SECONDS = 0.5
    MOST_GROWTH = 1.5
    """A window of 1 does not grow: its requests stay one after another."""

    def __init__(self, window: int, rng: random.Random) -> None:
        self._start = window
        self._is_limited = False
        self._rng = rng
        self._gap = 0.0
        self.window = float(window)

    def gap_seconds(self, now: float) -> float:
        return self._gap

    def accepted(self, started: float, now: float) -> None:
        may_grow = now - started >= self.SLOW_SECONDS and not self._is_limited
        most = self._start * (self.MOST_GROWTH if may_grow else 1)
        if self.window < most:
            self.window = min(most, self.window + 1 / self.window)
        gap = self._gap * 0.99
        self._gap = gap if gap > 0.01 else 0.0

    def refused(self, started: float, now: float, retry_delay_seconds: float) -> float:
        self._is_limited = True
        self.window = max(1.0, min(self._start, self.window) / 2)
        gap = max(self._gap * 2, self.FIRST_GAP_SECONDS)
        self._gap = min(gap, self.MAX_GAP_SECONDS)
        return _jittered(retry_delay_seconds, self._rng) or retries.QUOTA_SECONDS


class Quota(NamedTuple):
    """At most `requests` in any `seconds`, for all instances of a project together."""

    requests: int
    seconds: float


class SharedQuota:
    """Finds this instance's share of a known quota, without asking the other instances.

    A refusal says that the quota of the last minute is used up. So what this instance got in that
    minute is its share, and the shares of all instances add up to the quota:

        rate
         ▲ full ────┐                                    ╭──── nobody else is there
         │          │ refused: 85 % of the share         │
         │          └─────────────────────────╮   ╭──────╯ probe: steep, 60 to 75 s after the
         │                hold                ╰───╯ refused    last refusal
         └───────────────────────────────────────────────────▶ time

    Probes are equally steep for everybody, but a cut takes more from those who have more: the
    shares become equal. Refusals in a row make longer pauses, not lower rates. Halving the rate at
    each of them is what made instances collapse: while a minute's quota is used up, every try is
    refused. `benchmarks/quota_share.py` simulates 2, 4 and 8 instances; the constants are chosen
    by it.
    """

    CUT = 0.85
    PROBE_AFTER = 5 / 4
    """Full speed this many quota periods after the last refusal."""
    PROBE_POWER = 14
    """The rate follows time to this power: flat at first, then steep."""
    LEAST_SHARE = 1 / 20
    """An instance that joins has no history, and must not wait a minute for its first requests."""
    GAPS_OF_A_PAUSE = 3
    LONGEST_FIRST_PAUSE = 1 / 12
    """In quota periods."""
    LONGEST_PAUSE = 1 / 3
    """In quota periods, after several refusals in a row."""

    def __init__(self, quota: Quota, window: int, rng: random.Random) -> None:
        self.window = float(window)
        self._quota = quota
        self._rng = rng
        self._full = quota.requests / quota.seconds
        self._base = self._full
        self._cut_at = 0.0
        self._refused_in_a_row = 0
        self._accepted: deque[float] = deque()

    def gap_seconds(self, now: float) -> float:
        """See `Pace`. The jitter keeps instances from probing at the same moment."""
        gap = 1 / self._rate(now)
        if self._base == self._full:
            return gap
        return gap * (0.9 + 0.2 * self._rng.random())

    def accepted(self, started: float, now: float) -> None:
        self._refused_in_a_row = 0
        self._accepted.append(now)
        self._forget(now)

    def refused(self, started: float, now: float, retry_delay_seconds: float) -> float:
        self._forget(now)
        if started >= self._cut_at:
            # Requests that were in flight at the last cut say nothing about the rate after it.
            share = max(len(self._accepted) / self._quota.seconds, self._full * self.LEAST_SHARE)
            self._base = self.CUT * share
            self._cut_at = now
        period = self._quota.seconds
        pause = min(self.GAPS_OF_A_PAUSE / self._rate(now), period * self.LONGEST_FIRST_PAUSE)
        pause = min(pause * 2.0**self._refused_in_a_row, period * self.LONGEST_PAUSE)
        self._refused_in_a_row = min(self._refused_in_a_row + 1, 16)
        pause *= 0.75 + 0.5 * self._rng.random()
        return max(pause, _jittered(retry_delay_seconds, self._rng))

    def _rate(self, now: float) -> float:
        """Return the requests per second."""
        progress = (now - self._cut_at) / (self._quota.seconds * self.PROBE_AFTER)
        return min(self._full, self._base + self._full * min(progress, 1.0) ** self.PROBE_POWER)

    def _forget(self, now: float) -> None:
        while self._accepted and self._accepted[0] <= now - self._quota.seconds:
            self._accepted.popleft()
