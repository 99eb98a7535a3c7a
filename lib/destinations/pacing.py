"""How fast requests are sent, and how failed ones are retried.

There is one `Pacer` per instance and API. All requests share it, also across the files that a warm
instance processes one after another. A delay that Google asks for holds back all requests, not only
the one that was refused
(https://developers.google.com/google-ads/api/docs/best-practices/quotas).

Instances know nothing of each other. Each one sends at full speed until Google refuses a request
because of the quota. Then it waits, and tries with one request now and then, until Google accepts
one again.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from lib.errors import RetryableError
from lib.model import retries
from lib.model.deadline import Deadline
from lib.model.log import Log

T = TypeVar("T")

FailureKind = Literal["transient", "quota", "daily_quota", "permanent"]

MAX_JITTER_SECONDS: Final = 1.0
"""The most that is added to Google's own delay, so that instances do not return together."""

PROBE_SECONDS: Final = 2.0
"""The time between two requests as long as the last answer was a refusal because of the quota."""

_STEP_SECONDS: Final = 1.0
"""The longest single sleep: a shutdown brings the deadline forward."""


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """A failed request, classified: what to do next.

    transient    retry after a backoff; Google may have processed it (and then deduplicates it)
    quota        retry after `retry_delay_seconds` or later; all other requests wait too
    daily_quota  the day's operations are used up: end the attempt and continue later
    permanent    a retry cannot help: the caller interprets the exception
    """

    kind: FailureKind
    code: str
    retry_delay_seconds: float = 0.0


class Pacer:
    """Starts the requests of one API: at most `window` at once, `gap_seconds` apart. Thread-safe.

    A project with 300 requests a minute has a gap of 0.2 seconds.
    """

    def __init__(
        self,
        window: int,
        gap_seconds: float = 0.0,
        *,
        random_part: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._window = window
        self._gap = gap_seconds
        self._random_part = random_part
        self._clock = clock
        self._sleep = sleep
        self._free = threading.Condition()
        self._in_flight = 0
        self._next_start = 0.0
        self._closed_until = 0.0
        # Quota refusals in a row. Those of requests that were in flight together count once.
        self._refusals = 0
        self._refused_at = 0.0

    def send(
        self,
        request: Callable[[float], T],
        classify: Callable[[Exception], RequestFailure],
        *,
        deadline: Deadline,
        timeout_seconds: float,
        log: Log,
    ) -> T:
        """Run `request(timeout_seconds)`, and retry it while that can help.

        Raises what `request` raised if `classify` calls that permanent. Raises `RetryableError` if
        the daily quota or all tries are used up, or if the next try would start after `deadline`.
        """
        backoff = retries.API_REQUEST
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
            delay = 0.0  # after a quota error, this request waits in `_enter`, as all others do
            if failure.kind == "transient":
                tries += 1
                delay = backoff.seconds_after(tries) * self._random_part()
            log.warning(
                "request_retry",
                code=failure.code,
                kind=failure.kind,
                tries=tries,
                delay_seconds=round(max(delay, pause), 3),
            )
            if tries >= backoff.tries:
                raise RetryableError("API_UNAVAILABLE", failure.code)
            self._wait_to_retry(delay, deadline, failure.code)

    def _wait_to_retry(self, seconds: float, deadline: Deadline, code: str) -> None:
        ends = self._clock() + seconds
        while ends < deadline.last_start:
            left = ends - self._clock()
            if left <= 0:
                return
            self._sleep(min(left, _STEP_SECONDS))
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
                if self._in_flight >= self._window:
                    self._free.wait(min(last_start - now, _STEP_SECONDS))
                    continue
                wait = self._next_start - now
                if wait <= 0:
                    self._in_flight += 1
                    self._next_start = now + (PROBE_SECONDS if self._refusals else self._gap)
                    return now
                if now + wait >= last_start:
                    raise RetryableError(deadline.code, "while waiting for the quota")
            self._sleep(min(wait, _STEP_SECONDS))

    def _leave(self, started: float, failure: RequestFailure | None) -> float:
        """Record the answer. Returns the seconds for which no request may start because of it."""
        pause = 0.0
        with self._free:
            now = self._clock()
            self._in_flight -= 1
            is_newer = started >= self._refused_at
            if failure is None or failure.kind == "permanent":
                if self._refusals and is_newer:
                    self._refusals = 0
                    self._next_start = now + self._gap
            elif failure.kind == "daily_quota":
                # Until then, every request would be refused too.
                self._closed_until = now + retries.DAILY_QUOTA_SECONDS
            elif failure.kind == "quota":
                if is_newer:
                    self._refusals += 1
                    self._refused_at = now
                pause = self._pause_after_refusal(failure.retry_delay_seconds)
                self._next_start = max(self._next_start, now + pause)
            self._free.notify_all()
        return pause

    def _pause_after_refusal(self, retry_delay_seconds: float) -> float:
        if retry_delay_seconds:
            return retry_delay_seconds + MAX_JITTER_SECONDS * self._random_part()
        return retries.QUOTA.seconds_after(self._refusals) * (0.5 + 0.5 * self._random_part())
