"""How an instance finds its share of a quota, with times as arguments."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quota_share import simulate
from lib.destinations.pacing import Quota, SharedQuota, UnknownQuota

QUOTA = Quota(300, 60.0)


def pace() -> SharedQuota:
    return SharedQuota(QUOTA, 8, random.Random(1))


def rate_at(shared: SharedQuota, now: float) -> float:
    return 1 / shared.gap_seconds(now)


def test_an_instance_alone_uses_the_whole_quota() -> None:
    """Without a refusal, requests start at the rate of the quota, and never faster."""
    shared = pace()
    for second in range(1000):
        shared.accepted(float(second), float(second))
        assert rate_at(shared, float(second)) == pytest.approx(5.0)


def test_a_refusal_sets_the_rate_to_what_the_instance_got() -> None:
    """60 of the last minute's 300 requests were ours, so our share is 1 per second, less a cut."""
    shared = pace()
    for request in range(100):
        shared.accepted(request * 1.0, request * 1.0)
    shared.refused(99.5, 100.0, 0.0)
    assert rate_at(shared, 100.0) == pytest.approx(0.85, rel=0.12)


@pytest.mark.parametrize("refusals", [1, 5, 50])
def test_refusals_in_a_row_make_longer_pauses_and_no_lower_rate(refusals: int) -> None:
    """While a minute's quota is used up, every try is refused: that says nothing about the rate."""
    shared = pace()
    for request in range(60):
        shared.accepted(40 + request * 1.0, 40 + request * 1.0)
    pauses = [shared.refused(100.0 + n, 100.5 + n, 0.0) for n in range(refusals)]
    assert rate_at(shared, 101.0 + refusals) >= 0.85 * 0.05 * 5 * 0.9
    assert max(pauses) <= 60 / 3 * 1.25
    assert pauses == sorted(pauses) or refusals > 2


def test_requests_in_flight_at_a_cut_do_not_cut_again() -> None:
    """Eight refusals of one moment count once."""
    shared = pace()
    for request in range(60):
        shared.accepted(40 + request * 1.0, 40 + request * 1.0)
    shared.refused(99.0, 100.0, 0.0)
    before = shared._base
    for _ in range(7):
        shared.refused(99.0, 100.1, 0.0)
    assert shared._base == before


@pytest.mark.parametrize("seconds, least, most", [(30, 0.7, 1.0), (60, 1.0, 2.0), (76, 5.0, 5.0)])
def test_the_rate_holds_and_then_probes(seconds: float, least: float, most: float) -> None:
    """About the same rate for a minute, full speed 75 seconds after the last refusal."""
    shared = pace()
    for request in range(60):
        shared.accepted(40 + request * 1.0, 40 + request * 1.0)
    shared.refused(99.5, 100.0, 0.0)
    assert least * 0.89 <= rate_at(shared, 100.0 + seconds) <= most * 1.12


def test_an_instance_that_joins_gets_a_first_share() -> None:
    """Without any history, it does not wait for a minute: a twentieth of the quota is assumed."""
    shared = pace()
    assert shared.refused(0.0, 0.4, 0.0) <= 60 / 12 * 1.25
    assert rate_at(shared, 0.5) >= 5 / 20 * 0.85 * 0.89


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100), st.floats(0, 90)), max_size=60))
def test_any_history_leaves_a_usable_pace(events: list[tuple[bool, float, float]]) -> None:
    """Gaps and pauses stay positive and bounded, whatever the API answers."""
    shared = pace()
    now = 0.0
    for is_accepted, wait, retry_delay in events:
        now += wait
        if is_accepted:
            shared.accepted(now, now)
        else:
            assert 0 < shared.refused(now, now, retry_delay) <= max(25.0, retry_delay * 1.25)
        assert 0.2 * 0.89 <= shared.gap_seconds(now) <= 20 / 5 / 0.85 * 1.12


@pytest.mark.parametrize("retry_info", [False, True])
def test_four_instances_share_a_quota(retry_info: bool) -> None:
    """The simulation of `make bench`, shorter: use, refusals and shares meet their targets."""
    share = simulate([(0.0, 420.0)] * 4, retry_info=retry_info, seed=7)(120.0, 420.0)
    assert share.used >= 0.85
    assert share.refused < 0.05
    assert share.fairness >= 0.5


def test_an_instance_that_joins_gets_its_part() -> None:
    """Three instances come to one that had the whole quota; soon, none has less than half."""
    share = simulate([(0.0, 800.0)] + [(200.0, 800.0)] * 3, retry_info=False)(440.0, 800.0)
    assert share.used >= 0.85
    assert share.fairness >= 0.5


def test_the_window_grows_while_answers_are_slow() -> None:
    """By half of its start, by one for a window full of answers. Fast answers leave it as it is."""
    unknown = UnknownQuota(8, random.Random(1))
    for seconds, answers, window in ((0.4, 200, 8), (1.0, 8, 8.94), (0.4, 9, 8.94), (1.0, 200, 12)):
        for _ in range(answers):
            unknown.accepted(0.0, seconds)
        assert unknown.window == pytest.approx(window, abs=0.02)


def test_the_window_does_not_grow_where_a_quota_was_met() -> None:
    """After the first refusal, it grows only up to its start again."""
    unknown = UnknownQuota(8, random.Random(1))
    for _ in range(200):
        unknown.accepted(0.0, 1.0)
    unknown.refused(0.0, 1.0, 0.0)
    assert unknown.window == 4
    for _ in range(500):
        unknown.accepted(0.0, 1.0)
    assert unknown.window == 8
