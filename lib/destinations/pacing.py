"""How fast requests are sent, and how transient errors are retried.

There is one `Pacer` per instance and API. All requests share it, also across the files that a warm
instance processes one after another, so what it learned about the quota is kept.

- Requests in flight: additive increase, multiplicative decrease. A quota error halves the window, a
  window full of successes adds one.
- Time between starts: a quota error also doubles the gap between two starts (Google limits the
  rate, and even one request at a time can be too fast). Every success reduces the gap by 1 %. So
  about 70 requests are sent before the gap that was too short is tried again: one refusal in 70.
- Google's `retry_delay` delays all requests, not only the one that was refused
  (https://developers.google.com/google-ads/api/docs/best-practices/quotas).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from google.api_core.retry import exponential_sleep_generator

from lib.errors import RetryableError
from lib.model.deadline import Deadline
from lib.model.log import Log

T = TypeVar("T")

Kind = Literal["transient", "quota", "daily_quota", "permanent"]

MAX_TRANSIENT_TRIES = 8
FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 30.0
FIRST_GAP_SECONDS = 0.05
MAX_GAP_SECONDS = 30.0
CLOSED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A failed call, classified: what to do next.

    transient    retry after a backoff; Google may have processed it (and then deduplicates it)
    quota        retry after `retry_delay_seconds`, and slow down
    daily_quota  the day's operations are used up: end the attempt and continue later
    permanent    a retry cannot help: the caller interprets the exception
    """

    kind: Kind
    code: str
    retry_delay_seconds: float = 0.0


class Pacer:
    """The window and the timing of one API's requests. Thread-safe."""

    def __init__(
        self,
        window: int,
        *,
        minimum_gap_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._maximum = window
        self._minimum_gap = minimum_gap_seconds
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.Random()
        self._free = threading.Condition()
        self._in_flight = 0
        self._next_start = 0.0
        self._closed_until = 0.0
        self.window = float(window)
        self.gap_seconds = minimum_gap_seconds

    def call(
        self,
        request: Callable[[float], T],
        classify: Callable[[Exception], CallFailure],
        *,
        deadline: Deadline,
        timeout_seconds: float,
        log: Log,
    ) -> T:
        """Call `request(timeout_seconds)` within the window, and retry it while that can help.

        Raises what `request` raised if `classify` calls that permanent. Raises `RetryableError` if
        the daily quota or all tries are used up, or if the next try would start after `deadline`.
        """
        delays = exponential_sleep_generator(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS)
        tries = 0
        while True:
            self._enter(deadline)
            failure: CallFailure | None = None
            try:
                left = deadline.last_answer - self._clock()
                return request(min(timeout_seconds, max(left, 1.0)))
            except Exception as error:
                failure = classify(error)
                if failure.kind == "permanent":
                    raise
            finally:
                self._leave(failure)
            tries += failure.kind == "transient"
            delay = max(next(delays) if failure.kind == "transient" else 0.0, 0.0)
            # Jitter on Google's delay too, or all instances would retry at the same moment.
            delay = max(delay, failure.retry_delay_seconds * (1 + 0.25 * self._rng.random()))
            if failure.kind == "daily_quota":
                raise RetryableError("DAILY_QUOTA", failure.code)
            log.warning(
                "request_retry",
                code=failure.code,
                kind=failure.kind,
                tries=tries,
                delay_seconds=round(delay, 3),
                window=int(self.window),
            )
            if tries >= MAX_TRANSIENT_TRIES:
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

    def _enter(self, deadline: Deadline) -> None:
        with self._free:
            while True:
                now = self._clock()
                if now < self._closed_until:
                    raise RetryableError("DAILY_QUOTA", "an earlier request was refused")
                last_start = deadline.last_start
                if now >= last_start:
                    raise RetryableError(
                        deadline.code, "while waiting for other requests to finish"
                    )
                wait = self._next_start - now
                if self._in_flight < max(1, int(self.window)):
                    if wait <= 0:
                        break
                    if now + wait >= last_start:
                        raise RetryableError(deadline.code, "while waiting for the quota")
                else:
                    wait = last_start - now
                self._free.wait(min(wait, 1.0))
            self._in_flight += 1
            self._next_start = self._clock() + self.gap_seconds

    def _leave(self, failure: CallFailure | None) -> None:
        with self._free:
            self._in_flight -= 1
            if failure is None:
                self.window = min(self._maximum, self.window + 1 / self.window)
                gap = self.gap_seconds * 0.99
                self.gap_seconds = max(self._minimum_gap, gap if gap > 0.01 else 0.0)
            elif failure.kind == "daily_quota":
                # Until then, every request would be refused too.
                self._closed_until = self._clock() + CLOSED_SECONDS
            elif failure.kind == "quota":
                self.window = max(1.0, self.window / 2)
                gap = max(self.gap_seconds * 2, FIRST_GAP_SECONDS)
                self.gap_seconds = min(gap, MAX_GAP_SECONDS)
                pause = failure.retry_delay_seconds or FIRST_DELAY_SECONDS
                self._next_start = max(self._next_start, self._clock() + pause)
            self._free.notify_all()
