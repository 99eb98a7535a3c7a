"""The window and the clock of an API, on a clock that only moves when told to."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from lib.adapters.logging import Log
from lib.destinations.pacing import MAX_TRANSIENT_TRIES, CallFailure, Pacer
from lib.errors import RetryableError
from tests.fakes import Clock

QUOTA = CallFailure("quota", "RESOURCE_TEMPORARILY_EXHAUSTED", 2.0)
TRANSIENT = CallFailure("transient", "UNAVAILABLE")


class Wrong(Exception):
    """What a request raises; it carries how it is to be understood."""

    def __init__(self, trouble: CallFailure) -> None:
        super().__init__()
        self.trouble = trouble


def row_result(error: Exception) -> CallFailure:
    assert isinstance(error, Wrong)
    return error.trouble


class Api:
    """Answers as scripted, then well. `at` lists when it was asked, `timeouts` with how long."""

    def __init__(self, clock: Clock, *script: CallFailure) -> None:
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
    pacer = Pacer(8, clock=clock.monotonic, sleep=clock.sleep, rng=random.Random(1))

    def wait(timeout: float | None = None) -> bool:
        clock.seconds += timeout or 0
        return True

    pacer._free.wait = wait  # type: ignore[method-assign]
    return pacer


Call = Callable[[Api, float], str]


@pytest.fixture
def call(pacer: Pacer) -> Call:
    def calling(api: Api, deadline: float = 500.0) -> str:
        return pacer.call(api, row_result, deadline=deadline, timeout_seconds=120, log=Log())

    return calling


def test_a_good_answer_takes_one_request(clock: Clock, call: Call) -> None:
    """No wait, and the timeout is the one that was asked for."""
    api = Api(clock)
    assert call(api, 500.0) == "answer"
    assert (api.at, api.timeouts) == ([0.0], [120])


def test_the_window_shrinks_by_half_and_grows_by_one(
    clock: Clock, pacer: Pacer, call: Call
) -> None:
    """Additive increase, multiplicative decrease, between 1 and the maximum."""
    call(Api(clock, QUOTA, QUOTA, QUOTA), 500.0)
    assert pacer.window == pytest.approx(1 + 1)
    for _ in range(3):
        before = pacer.window
        for _ in range(int(before)):
            call(Api(clock), 1e6)
        assert before + 0.6 <= pacer.window <= before + 1
    for _ in range(200):
        call(Api(clock), 1e6)
    assert pacer.window == 8
    call(Api(clock, *[QUOTA] * 10), 1e6)
    assert pacer.window >= 1


def test_googles_delay_is_kept_by_all_requests(clock: Clock, call: Call) -> None:
    """Not only by the one that was refused; the jitter only adds to it."""
    refused = Api(clock, QUOTA)
    call(refused, 500.0)
    assert 2.0 <= refused.at[1] - refused.at[0] <= 2.0 * 1.25 + 1
    pacer = Pacer(8, clock=clock.monotonic, sleep=clock.sleep)
    pacer._enter(500.0)
    pacer._leave(QUOTA)
    assert pacer._next_start >= clock.seconds + 2.0


def test_the_gap_between_starts_follows_the_quota(clock: Clock, pacer: Pacer, call: Call) -> None:
    """Doubled by a refusal, 1 % smaller with every success, and gone in the end."""
    call(Api(clock, QUOTA, QUOTA), 1e6)
    assert pacer.gap_seconds == pytest.approx(0.1 * 0.99)
    for _ in range(400):
        call(Api(clock), 1e6)
    assert pacer.gap_seconds == 0


def test_transient_failures_are_tried_again_with_growing_waits(clock: Clock, call: Call) -> None:
    """Up to a number of tries; then the attempt ends, and a redelivery goes on."""
    api = Api(clock, *[TRANSIENT] * (MAX_TRANSIENT_TRIES - 1))
    assert call(api, 1e6) == "answer"
    with pytest.raises(RetryableError) as ended:
        call(Api(clock, *[TRANSIENT] * MAX_TRANSIENT_TRIES), 1e6)
    assert ended.value.code == "API_UNAVAILABLE"


@pytest.mark.parametrize("trouble", [TRANSIENT, QUOTA])
@pytest.mark.parametrize("deadline", [0.3, 5.0, 47.0])
def test_nothing_waits_longer_than_the_deadline(
    clock: Clock, call: Call, trouble: CallFailure, deadline: float
) -> None:
    """Neither before a request nor between two; a request's timeout ends there too."""
    api = Api(clock, *[trouble] * 1000)
    with pytest.raises(RetryableError) as ended:
        call(api, deadline)
    assert ended.value.code in ("DEADLINE", "API_UNAVAILABLE")
    assert clock.seconds <= deadline
    assert all(
        timeout <= max(1.0, deadline - at) for at, timeout in zip(api.at, api.timeouts, strict=True)
    )


def test_the_days_quota_ends_the_attempt(clock: Clock, pacer: Pacer, call: Call) -> None:
    """One request, no second one."""
    api = Api(clock, CallFailure("daily_quota", "RESOURCE_EXHAUSTED"))
    with pytest.raises(RetryableError) as ended:
        call(api, 500.0)
    assert ended.value.code == "DAILY_QUOTA"
    assert len(api.at) == 1
    assert pacer._in_flight == 0


def test_a_refusal_for_good_is_handed_on(clock: Clock, pacer: Pacer, call: Call) -> None:
    """The caller reads what the API said; the window isn't blamed."""
    api = Api(clock, CallFailure("permanent", "INVALID_CUSTOMER_ID"))
    with pytest.raises(Wrong):
        call(api, 500.0)
    assert (len(api.at), pacer.window, pacer._in_flight) == (1, 8, 0)
