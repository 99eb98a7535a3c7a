"""Histories of sweeps: how long one takes, what it begins with, and what it leaves to the next."""

from __future__ import annotations

import itertools

import pytest

from tests.fakes import World
from tests.histories.files import NAMES, sales
from tests.histories.oracle import OVERVIEW, Oracle
from tests.histories.platform import HOUR, SWEEP_SECONDS
from tests.histories.playing import played
from tests.histories.processes import Interruption

EXPORT, *_ = NAMES
MINUTE = 60


def wait_for_google(history: Oracle, files: int) -> None:
    """Let files come while Google cannot be reached, until a sweep is due for all of them."""
    platform = history.platform
    platform.google.sending = "outage"
    for number in range(files):
        history.upload(f"waits-{number}.csv", sales(3 * number))
    platform.until(platform.clock.seconds)
    platform.events.clear()
    platform.google.sending = ""
    platform.clock.seconds += 11 * MINUTE


@pytest.mark.parametrize("seconds", [60, 200, 400, 450])
def test_a_sweep_ends_in_time(seconds: float) -> None:
    """However long each attempt takes, the last one ends when the sweep must."""
    with played("google_ads") as history:
        wait_for_google(history, 6)
        history.platform.google.seconds = seconds
        began = history.platform.clock.seconds
        history.platform.sweep()
        assert history.platform.clock.seconds - began <= SWEEP_SECONDS
        history.platform.google.seconds = 0
        history.look()
        assert not history.broken


def test_a_sweep_begins_with_nothing_after_sigterm() -> None:
    """Whenever the platform ends its instance, the next sweep goes on."""
    for call in itertools.count(1):
        with played("google_ads") as history:
            wait_for_google(history, 3)
            history.platform.sweep(Interruption(call, "SIGTERM"))
            swept = history.platform.processes[-1]
            history.look()
            assert not history.broken, call
        if not swept.interrupted_at:
            break


@pytest.mark.parametrize("has_run", [True, False])
def test_blocked_runs_starve_no_other_file(has_run: bool) -> None:
    """What waits for a permission comes after what can go on, also after files without a run."""
    with played("data_manager") as history:
        platform, google = history.platform, history.platform.google
        for number in range(40):
            history.upload(f"blocked-{number}.csv", sales(3 * number))
        google.statuses = "refused"
        platform.wait(2 * HOUR)
        google.sending = "outage" if has_run else ""
        history.upload(EXPORT, sales(1))
        if has_run:
            platform.deliver(history.files[-1].source)
        platform.events.clear()  # the sweep goes on, or begins, with this file
        google.sending, google.seconds = "", 40.0
        platform.wait(HOUR)
        newest = history.files[-1]
        assert any(each.run == newest.run for each in google.requests)
        google.seconds = 0.0


def test_a_sweep_lists_the_runs_once() -> None:
    """The overview shows what the sweep knows afterwards, without another listing."""
    with played("google_ads") as history:
        wait_for_google(history, 3)
        store = history.platform.world.store
        store.calls.clear()
        history.platform.sweep()
        listed = [name for operation, name in store.calls if operation == "list"]
        assert listed.count("_state/runs/") == 1


def test_the_overview_shows_what_the_sweep_has_done() -> None:
    """A sweep that finds nothing to do writes the same page a moment later."""
    with played("google_ads") as history:
        wait_for_google(history, 3)
        history.platform.sweep()
        first = overview(history.platform.world)
        history.platform.sweep()
        assert overview(history.platform.world) == first


def overview(google: World) -> bytes:
    return google.store.objects[google.settings.output_bucket, OVERVIEW][0]
