"""How fast requests go out, and what happens when one fails for a passing reason.

One `Pacer` per instance and API, shared by all requests (and by the runs that a warm instance
serves one after another), so what was learned of the quota isn't forgotten with the file.

- In flight: additive increase, multiplicative decrease. A quota error halves the window, a window
  full of successes adds one.
- Between starts: a quota error also doubles the gap between two starts (Google's buckets are rates,
  and one instance at a time may already be too fast), every success takes 1 % off it. So about
  70 requests go by before the gap that was too short is tried again: one refusal in 70.
- Google's own `retry_delay` holds back every request, not only the one that was refused
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

from lib.adapters.logging import Log
from lib.errors import RetryableError

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

    transient    send again after a backoff; it may have been carried out (Google's dedupe tells)
    quota        send again after `retry_delay_seconds`, and slow down
    daily_quota  the day's operations are used up: end the attempt, come back later
    permanent    sending it again can't help: the caller interprets the exception
    """

    kind: Kind
    code: str
    retry_delay_seconds: float = 0.0


class Pacer:
    """The window and the clock of one API. Thread-safe."""

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
        deadline: float,
        timeout_seconds: float,
        log: Log,
    ) -> T:
        """Carry out `request(timeout_seconds)` within the window, again while that can help.

        Raises what `request` raised when `classify` calls it permanent, and `RetryableError` when the
        day's quota is used up, when tries are, or when the next try would end after `deadline`.
        """
        delays = exponential_sleep_generator(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS)
        tries = 0
        while True:
            self._enter(deadline)
            failure: CallFailure | None = None
            try:
                return request(min(timeout_seconds, max(deadline - self._clock(), 1.0)))
            except Exception as error:
                failure = classify(error)
                if failure.kind == "permanent":
                    raise
            finally:
                self._leave(failure)
            tries += failure.kind == "transient"
            delay = max(next(delays) if failure.kind == "transient" else 0.0, 0.0)
            # Jitter on Google's delay too, or all instances come back at the same moment.
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
            if self._clock() + delay >= deadline:
                raise RetryableError(
                    "DEADLINE", f"while waiting to send again after {failure.code}"
                )
            self._sleep(delay)

    def _enter(self, deadline: float) -> None:
        with self._free:
            while True:
                now = self._clock()
                if now < self._closed_until:
                    raise RetryableError("DAILY_QUOTA", "used up a moment ago")
                if now >= deadline:
                    raise RetryableError("DEADLINE", "while waiting for a place in the window")
                wait = self._next_start - now
                if self._in_flight < max(1, int(self.window)):
                    if wait <= 0:
                        break
                    if now + wait >= deadline:
                        raise RetryableError("DEADLINE", "while waiting for the quota")
                else:
                    wait = deadline - now
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
                # Every request until then would be one more refusal.
                self._closed_until = self._clock() + CLOSED_SECONDS
            elif failure.kind == "quota":
                self.window = max(1.0, self.window / 2)
                gap = max(self.gap_seconds * 2, FIRST_GAP_SECONDS)
                self.gap_seconds = min(gap, MAX_GAP_SECONDS)
                pause = failure.retry_delay_seconds or FIRST_DELAY_SECONDS
                self._next_start = max(self._next_start, self._clock() + pause)
            self._free.notify_all()
