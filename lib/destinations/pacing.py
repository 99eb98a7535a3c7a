"""How fast requests are sent, and how failed ones are retried.

There is one `Pacer` per instance and quota. All requests share it, also across the files that a
warm instance processes one after another. A refusal because of the quota holds back all requests,
not only the one that was refused
(https://developers.google.com/google-ads/api/docs/best-practices/quotas).

Instances know nothing of each other. Each one sends with a fixed gap until Google refuses a
request. Then it waits for as long as Google asks, or else twice as long each time.
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
from lib.model.deadline import Deadline, elapsed_seconds
from lib.model.log import Log

T = TypeVar("T")

FailureKind = Literal["transient", "quota", "daily_quota", "permanent"]

Defect = Literal["UNAUTHENTICATED", "NO_ANSWER"]
"""Why a connection must not be used again. UNAUTHENTICATED: the server refuses its credentials.
NO_ANSWER: not one byte came back in time, so the network may have forgotten the connection."""

MAX_JITTER_SECONDS: Final = 1.0
"""The most that is added to Google's own delay, so that instances do not return together."""

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
    defect: Defect | None = None


Classify = Callable[[Exception], RequestFailure]


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
        clock: Callable[[], float] = elapsed_seconds,
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
        self._paused_until = 0.0
        self._refusals = 0
        """Refusals because of the quota, in a row."""

    def send(
        self,
        request: Callable[[float], T],
        classify: Classify,
        *,
        deadline: Deadline,
        timeout_seconds: float,
        log: Log,
    ) -> T:
        """Run `request(timeout_seconds)`, and retry it while that can help.

        Raises what `request` raised if `classify` calls that permanent. Raises `RetryableError` if
        the daily quota or all tries are used up, or if the next try would start after `deadline`:
        the API is then at fault if it has failed before, and else the time.
        """
        backoff = retries.API_REQUEST
        tries = 0
        not_before, waits_for = 0.0, "while waiting for other requests or for the quota"
        is_outage = False
        while True:
            self._enter(not_before, deadline, waits_for, is_outage=is_outage)
            failure: RequestFailure | None = None
            try:
                left = deadline.last_answer - self._clock()
                return request(min(timeout_seconds, max(left, 1.0)))
            except Exception as error:
                failure = classify(error)
                if failure.kind == "permanent":
                    raise
            finally:
                delay = self._leave(failure)
            if failure.kind == "daily_quota":
                raise RetryableError("DAILY_QUOTA", failure.code)
            if failure.kind == "transient":
                tries += 1
                # A request that fails later may only have had too little time.
                is_outage = is_outage or self._clock() < deadline.last_start
                delay = backoff.seconds_after(tries) * self._random_part()
            if tries >= backoff.tries:
                raise RetryableError("API_UNAVAILABLE", failure.code)
            log.warning(
                "request_retry",
                code=failure.code,
                kind=failure.kind,
                tries=tries,
                delay_seconds=round(delay, 3),
            )
            not_before = self._clock() + delay
            waits_for = f"while waiting to retry after {failure.code}"

    def _enter(
        self, not_before: float, deadline: Deadline, waits_for: str, *, is_outage: bool = False
    ) -> None:
        """Wait until a request may start: not before this moment, nor after the deadline."""
        while True:
            with self._free:
                now = self._clock()
                starts = max(now, not_before, self._next_start, self._paused_until)
                if starts >= deadline.last_start:
                    is_late = deadline.code == "DEADLINE"
                    code = "API_UNAVAILABLE" if is_outage and is_late else deadline.code
                    raise RetryableError(code, waits_for)
                if self._in_flight >= self._window:
                    self._free.wait(min(deadline.last_start - now, _STEP_SECONDS))
                    continue
                if starts <= now:
                    self._in_flight += 1
                    self._next_start = now + self._gap
                    return
            self._sleep(min(starts - now, _STEP_SECONDS))

    def _leave(self, failure: RequestFailure | None) -> float:
        """Record the answer. Returns the seconds for which no request may start because of it."""
        pause = 0.0
        with self._free:
            now = self._clock()
            self._in_flight -= 1
            # Answers during a pause are to requests that were in flight with the refused one. They
            # say nothing new: eight refusals of one moment count as one.
            is_news = now >= self._paused_until
            if failure is not None and failure.kind == "quota":
                if is_news:
                    self._refusals += 1
                pause = self._seconds_after_refusal(failure.retry_delay_seconds)
                self._paused_until = max(self._paused_until, now + pause)
            elif is_news and (failure is None or failure.kind == "permanent"):
                self._refusals = 0
            self._free.notify_all()
        return pause

    def _seconds_after_refusal(self, retry_delay_seconds: float) -> float:
        """Return how many seconds nobody may send: as long as Google asks and a little longer, or
        else twice as long after each refusal."""
        if retry_delay_seconds:
            return retry_delay_seconds + MAX_JITTER_SECONDS * self._random_part()
        return retries.QUOTA.seconds_after(self._refusals) * (0.5 + 0.5 * self._random_part())
