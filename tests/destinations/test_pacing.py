"""The pacing of requests, with a clock that moves only when a test moves it."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from benchmarks.quota_share import simulate
from lib.adapters.logging import JsonLog
from lib.destinations.pacing import MAX_JITTER_SECONDS, Pacer, RequestFailure
from lib.errors import RetryableError
from lib.model import deadline, retries
from lib.model.deadline import Deadline, Shutdown
from tests.fakes import Clock

QUOTA = RequestFailure("quota", "RESOURCE_TEMPORARILY_EXHAUSTED", 2.0)
TRANSIENT = RequestFailure("transient", "UNAVAILABLE")
FAR = Deadline(1e6, 1e6)


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
    return Pacer(8, random_part=lambda: 1.0, clock=clock.monotonic, sleep=clock.sleep)


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


def test_requests_start_with_a_gap(clock: Clock) -> None:
    """An instance alone never exceeds the known quota of a project."""
    pacer = Pacer(8, 0.2, clock=clock.monotonic, sleep=clock.sleep)
    api = Api(clock)
    for _ in range(4):
        pacer.send(api, row_result, deadline=FAR, timeout_seconds=120, log=JsonLog())
    assert api.at == pytest.approx([0.0, 0.2, 0.4, 0.6])


def test_all_requests_wait_for_googles_delay(clock: Clock, pacer: Pacer, call: Call) -> None:
    """Not only the refused one. The jitter only adds to the delay."""
    refused = Api(clock, QUOTA)
    call(refused)
    pause = QUOTA.retry_delay_seconds + MAX_JITTER_SECONDS
    assert refused.at == [0.0, pause]
    pacer._enter(0.0, FAR, "")
    pacer._leave(QUOTA)
    other = Api(clock)
    call(other)
    assert other.at == [2 * pause]


def test_without_a_delay_of_googles_the_waits_double(clock: Clock, call: Call) -> None:
    """Up to a limit: a longer wait would leave a quota unused that has become free."""
    api = Api(clock, *[RequestFailure("quota", "RESOURCE_EXHAUSTED")] * 8)
    call(api)
    waits = [later - earlier for earlier, later in pairwise(api.at)]
    quota = retries.QUOTA
    assert waits == [quota.seconds_after(refusals) for refusals in range(1, 9)]
    api = Api(clock)
    call(api)
    call(api)
    assert api.at[1] == api.at[0]  # full speed again


def test_requests_in_flight_together_count_as_one_refusal(clock: Clock, pacer: Pacer) -> None:
    """Eight refusals of one moment do not double the wait eight times."""
    for _ in range(8):
        pacer._enter(0.0, FAR, "")
    clock.seconds += 0.4
    pauses = [pacer._leave(RequestFailure("quota", "RESOURCE_EXHAUSTED")) for _ in range(8)]
    assert pauses == [retries.QUOTA.first] * 8


@pytest.mark.parametrize("retry_info", [False, True])
def test_four_instances_share_a_quota(retry_info: bool) -> None:
    """The simulation of `make bench`, shorter: they use it, and none gets less than half."""
    share = simulate([(0.0, 300.0)] * 4, retry_info=retry_info, seed=7)(120.0, 300.0)
    assert share.used >= 0.85
    assert share.fairness >= 0.5


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
    assert ended.value.code == ("API_UNAVAILABLE" if failure is TRANSIENT else "DEADLINE")
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


def test_a_request_that_is_cut_short_is_no_outage(clock: Clock, pacer: Pacer) -> None:
    """It began in time and was not answered: the attempt was over, whatever the API would say."""

    def unanswered(timeout: float) -> str:
        clock.seconds += timeout
        raise Wrong(TRANSIENT)

    clock.seconds = 499.0
    with pytest.raises(RetryableError, match="DEADLINE"):
        pacer.send(
            unanswered,
            row_result,
            deadline=Deadline(500.0, 532.0),
            timeout_seconds=120,
            log=JsonLog(),
        )


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
    """The caller gets the API's error, after one request."""
    api = Api(clock, RequestFailure("permanent", "INVALID_CUSTOMER_ID"))
    with pytest.raises(Wrong):
        call(api, 500.0)
    assert (len(api.at), pacer._in_flight) == (1, 0)


def test_a_process_that_was_frozen_before_a_retry_sends_nothing(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another attempt may have the file by then, even if the monotonic clock stood still."""
    frozen = Clock()
    monkeypatch.setattr(time, "monotonic", frozen.monotonic)
    monkeypatch.setattr(time, "time", lambda: deadline._WALL_CLOCK_AHEAD + clock.seconds)
    clock.seconds = frozen.seconds = 1000.0

    def freeze(seconds: float) -> None:
        clock.seconds += 3600

    api = Api(clock, TRANSIENT)
    pacer = Pacer(8, random_part=lambda: 1.0, sleep=freeze)
    both = Deadline(1500.0, 1500.0)
    with pytest.raises(RetryableError, match="API_UNAVAILABLE"):
        pacer.send(api, row_result, deadline=both, timeout_seconds=120, log=JsonLog())
    assert len(api.at) == 1
