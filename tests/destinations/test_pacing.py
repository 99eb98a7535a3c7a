"""The pacing of requests, with a clock that moves only when a test moves it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from lib.adapters.logging import JsonLog
from lib.destinations.pacing import Pacer, RequestFailure, UnknownQuota
from lib.errors import RetryableError
from lib.model import retries
from lib.model.deadline import Deadline, Shutdown
from tests.fakes import Clock

QUOTA = RequestFailure("quota", "RESOURCE_TEMPORARILY_EXHAUSTED", 2.0)
TRANSIENT = RequestFailure("transient", "UNAVAILABLE")


class Wrong(Exception):
    """An exception of a request, which carries its own classification."""

    def __init__(self, failure: RequestFailure) -> None:
        super().__init__()
        self.failure = failure


def row_result(error: Exception) -> RequestFailure:
    assert isinstance(error, Wrong)
    return error.failure


class Api:
    """Fail as scripted, then succeed. `at` lists the call times, `timeouts` the timeouts."""

    def __init__(self, clock: Clock, *script: RequestFailure) -> None:
        self.clock = clock
        self.script = list(script)
        self.at: list[float] = []
        self.timeouts: list[float] = []

    def __call__(self, timeout: float) -> str:
        self.at.append(self.clock.seconds)
        self.timeouts.append(timeout)
        if self.script:
            raise Wrong(self.script.pop(0))
        return "answer"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacer(clock: Clock) -> Pacer:
    pacer = Pacer(UnknownQuota(8, random.Random(1)), clock=clock.monotonic, sleep=clock.sleep)

    def wait(timeout: float | None = None) -> bool:
        clock.seconds += timeout or 0
        return True

    pacer._free.wait = wait  # type: ignore[method-assign]
    return pacer


Call = Callable[[Api, float], str]


@pytest.fixture
def call(pacer: Pacer) -> Call:
    def calling(api: Api, deadline: float = 500.0) -> str:
        both = Deadline(deadline, deadline)
        return pacer.send(api, row_result, deadline=both, timeout_seconds=120, log=JsonLog())

    return calling


def test_a_good_answer_takes_one_request(clock: Clock, call: Call) -> None:
    """A successful request does not wait and gets the timeout that was asked for."""
    api = Api(clock)
    assert call(api, 500.0) == "answer"
    assert (api.at, api.timeouts) == ([0.0], [120])


def test_the_window_shrinks_by_half_and_grows_by_one(
    clock: Clock, pacer: Pacer, call: Call
) -> None:
    """The window has additive increase and multiplicative decrease, between 1 and the maximum."""
    call(Api(clock, QUOTA, QUOTA, QUOTA), 500.0)
    assert pacer.pace.window == pytest.approx(1 + 1)
    for _ in range(3):
        before = pacer.pace.window
        for _ in range(int(before)):
            call(Api(clock), 1e6)
        assert before + 0.6 <= pacer.pace.window <= before + 1
    for _ in range(200):
        call(Api(clock), 1e6)
    assert pacer.pace.window == 8
    call(Api(clock, *[QUOTA] * 10), 1e6)
    assert pacer.pace.window >= 1


def test_all_requests_wait_for_googles_delay(clock: Clock, call: Call) -> None:
    """All requests wait for the delay, not only the refused one, and the jitter only adds to it."""
    refused = Api(clock, QUOTA)
    call(refused, 500.0)
    assert 2.0 <= refused.at[1] - refused.at[0] <= 2.0 * 1.25 + 1
    pacer = Pacer(UnknownQuota(8, random.Random(1)), clock=clock.monotonic, sleep=clock.sleep)
    pacer._enter(Deadline(500.0, 500.0))
    pacer._leave(clock.seconds, QUOTA)
    assert pacer._next_start >= clock.seconds + 2.0


def test_the_gap_between_starts_follows_the_quota(clock: Clock, pacer: Pacer, call: Call) -> None:
    """A refusal doubles the gap, every success makes it 1 % smaller, and finally it is zero."""
    call(Api(clock, QUOTA, QUOTA), 1e6)
    assert pacer.pace.gap_seconds(clock.seconds) == pytest.approx(0.1 * 0.99)
    for _ in range(400):
        call(Api(clock), 1e6)
    assert pacer.pace.gap_seconds(clock.seconds) == 0


def test_transient_failures_are_retried_with_growing_waits(clock: Clock, call: Call) -> None:
    """After the last try, the attempt ends, and a redelivery continues."""
    api = Api(clock, *[TRANSIENT] * (retries.API_REQUEST.tries - 1))
    assert call(api, 1e6) == "answer"
    with pytest.raises(RetryableError) as ended:
        call(Api(clock, *[TRANSIENT] * retries.API_REQUEST.tries), 1e6)
    assert ended.value.code == "API_UNAVAILABLE"


@pytest.mark.parametrize("failure", [TRANSIENT, QUOTA])
@pytest.mark.parametrize("deadline", [0.3, 5.0, 47.0])
def test_nothing_waits_longer_than_the_deadline(
    clock: Clock, call: Call, failure: RequestFailure, deadline: float
) -> None:
    """No wait before or between requests and no request timeout goes beyond the deadline."""
    api = Api(clock, *[failure] * 1000)
    with pytest.raises(RetryableError) as ended:
        call(api, deadline)
    assert ended.value.code in ("DEADLINE", "API_UNAVAILABLE")
    assert clock.seconds <= deadline
    assert all(
        timeout <= max(1.0, deadline - at) for at, timeout in zip(api.at, api.timeouts, strict=True)
    )


def test_a_request_in_flight_may_finish_after_the_last_start(clock: Clock, pacer: Pacer) -> None:
    """No request starts after the last start, and one in flight has until the last answer."""
    api = Api(clock)
    deadline = Deadline(500.0, 532.0)
    clock.seconds = 499.0
    pacer.send(api, row_result, deadline=deadline, timeout_seconds=120, log=JsonLog())
    assert api.timeouts == [33.0]
    clock.seconds = 501.0
    with pytest.raises(RetryableError, match="DEADLINE"):
        pacer.send(api, row_result, deadline=deadline, timeout_seconds=120, log=JsonLog())


def test_a_shutdown_ends_the_wait_for_a_retry(clock: Clock, pacer: Pacer) -> None:
    """After the platform has announced the end, no retry starts, and no wait goes on."""
    shutdown = Shutdown()
    late = RequestFailure("quota", "RESOURCE_EXHAUSTED", 60.0)

    def refused(timeout: float) -> str:
        shutdown.begin(clock.seconds + 3)
        raise Wrong(late)

    with pytest.raises(RetryableError, match="SHUTDOWN"):
        pacer.send(
            refused,
            row_result,
            deadline=Deadline(500.0, 532.0, shutdown),
            timeout_seconds=120,
            log=JsonLog(),
        )
    assert clock.seconds <= 4


def test_the_daily_quota_ends_the_attempt(clock: Clock, pacer: Pacer, call: Call) -> None:
    """After the daily quota is exhausted, no second request is sent."""
    api = Api(clock, RequestFailure("daily_quota", "RESOURCE_EXHAUSTED"))
    with pytest.raises(RetryableError) as ended:
        call(api, 500.0)
    assert ended.value.code == "DAILY_QUOTA"
    assert len(api.at) == 1
    assert pacer._in_flight == 0


def test_a_permanent_failure_is_passed_on(clock: Clock, pacer: Pacer, call: Call) -> None:
    """The caller gets the API's error, and the window does not shrink."""
    api = Api(clock, RequestFailure("permanent", "INVALID_CUSTOMER_ID"))
    with pytest.raises(Wrong):
        call(api, 500.0)
    assert (len(api.at), pacer.pace.window, pacer._in_flight) == (1, 8, 0)
