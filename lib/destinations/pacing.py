"""How fast requests are sent, and how transient errors are retried.

There is one `Pacer` per instance and API. All requests share it, also across the files that a warm
instance processes one after another, so what it learned about the quota is kept. `pace` decides the
rate. Google's `retry_delay` delays all requests, not only the one that was refused
(https://developers.google.com/google-ads/api/docs/best-practices/quotas).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from google.api_core.retry import exponential_sleep_generator

from lib.destinations.pace import Pace
from lib.errors import RetryableError
from lib.model import retries
from lib.model.deadline import Deadline
from lib.model.log import Log

T = TypeVar("T")

ErrorKind = Literal["transient", "quota", "daily_quota", "permanent"]


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A failed call, classified: what to do next.

    transient    retry after a backoff; Google may have processed it (and then deduplicates it)
    quota        retry after `retry_delay_seconds` or later, and slow down
    daily_quota  the day's operations are used up: end the attempt and continue later
    permanent    a retry cannot help: the caller interprets the exception
    """

    kind: ErrorKind
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
        backoff = retries.API_REQUEST
        delays = exponential_sleep_generator(backoff.first, backoff.longest)
        tries = 0
        while True:
            started = self._enter(deadline)
            failure: CallFailure | None = None
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

    def _leave(self, started: float, failure: CallFailure | None) -> float:
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
