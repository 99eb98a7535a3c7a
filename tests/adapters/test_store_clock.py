"""Instances with wrong clocks agree on the time of Cloud Storage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from lib.adapters.storage import GoogleStore, WatchedConnections
from lib.adapters.store_clock import TOLERANCE, StoreClock
from sandbox.storage import Storage, storage_client
from tests.adapters.conftest import BUCKET

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Instance:
    """The clocks of an instance, which tests set."""

    def __init__(self, wall: datetime) -> None:
        self.wall = wall
        self.seconds = 100.0
        self.clock = StoreClock(lambda: self.wall, lambda: self.seconds)

    def passes(self, seconds: float) -> None:
        self.wall += seconds * SECOND
        self.seconds += seconds

    def answer(self, time: datetime, took: float = 0.1) -> None:
        """Storage answers at this time, to a call that took this long."""
        sent = self.clock.reading()
        self.passes(took)
        self.clock.observe(format_datetime(time, usegmt=True), sent)


def test_without_an_answer_the_clock_of_the_instance_counts() -> None:
    """There is nothing better yet."""
    assert Instance(NOON).clock.now() == NOON


@pytest.mark.parametrize("off", [-3600, -90, -3, 4, 90, 3600])
def test_a_wrong_clock_is_corrected(off: float) -> None:
    """The time is that of the answer, and then passes."""
    instance = Instance(NOON + off * SECOND)
    instance.answer(NOON)
    assert abs(instance.clock.now() - NOON) <= SECOND
    instance.passes(30)
    assert abs(instance.clock.now() - NOON - 30 * SECOND) <= SECOND


@pytest.mark.parametrize("off", [-1, -0.3, 0.7, 1.9])
def test_a_right_clock_is_used_as_it_is(off: float) -> None:
    """The header has whole seconds only, so a small difference means nothing."""
    instance = Instance(NOON + off * SECOND)
    instance.answer(NOON)
    assert instance.clock.now() == instance.wall


@pytest.mark.parametrize("off", [number / 7 for number in range(-70, 71)])
@pytest.mark.parametrize("took", [0.05, 3.0])
def test_the_error_is_bounded(off: float, took: float) -> None:
    """It is never more than 2 seconds and the time that the call took."""
    for fraction in (0.0, 0.5, 0.999):
        true = NOON + fraction * SECOND
        instance = Instance(true + (off - took) * SECOND)
        # Storage may write the header at any time between the call and its answer.
        for written in (true - took * SECOND, true):
            instance.answer(written.replace(microsecond=0), took)
            assert abs(instance.clock.now() - true) <= SECOND + TOLERANCE + took * SECOND
            true += took * SECOND


def test_an_instance_that_was_frozen_knows_what_has_passed() -> None:
    """The monotonic clock has stopped with the instance."""
    instance = Instance(NOON + 3600 * SECOND)
    instance.answer(NOON)
    before = instance.clock.now()
    instance.wall += 300 * SECOND
    assert instance.clock.now() == before + 300 * SECOND


def test_an_answer_that_an_instance_reads_after_a_freeze_is_no_evidence() -> None:
    """Its time is old, and the clock of the instance is right."""
    instance = Instance(NOON)
    sent = instance.clock.reading()
    instance.wall += 300 * SECOND
    instance.clock.observe(format_datetime(NOON, usegmt=True), sent)
    assert instance.clock.now() == NOON + 300 * SECOND


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    """Until the next answer, the monotonic clock counts."""
    instance = Instance(NOON)
    instance.answer(NOON)
    before = instance.clock.now()
    instance.passes(5)
    instance.wall -= 3600 * SECOND
    assert instance.clock.now() == before + 5 * SECOND
    instance.answer(NOON + 5 * SECOND)
    assert abs(instance.clock.now() - NOON - 5 * SECOND) <= SECOND


def test_a_clock_that_is_put_right_is_used_again() -> None:
    """The next answer agrees with it."""
    instance = Instance(NOON - 3600 * SECOND)
    instance.answer(NOON)
    instance.wall += 3600 * SECOND
    instance.answer(NOON)
    assert instance.clock.now() == instance.wall


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_an_answer_without_a_time_is_not_used(date: str | None) -> None:
    """An error of something between the function and Cloud Storage may have none."""
    instance = Instance(NOON)
    instance.clock.observe(date, instance.clock.reading())
    assert instance.clock.now() == NOON


def test_every_call_tells_the_time(storage: Storage) -> None:
    """An object that does not exist tells it too, so the first call of a run is enough."""
    instance = Instance(NOON - 90_000 * SECOND)
    client = storage_client(storage.url)
    client._http.mount("http://", WatchedConnections(instance.clock))
    assert GoogleStore(lambda: client).read(BUCKET, "none") is None
    assert abs(instance.clock.now() - datetime.now(UTC)) < 5 * SECOND
    client.close()
