"""Which runs a sweep advances, in which order, and for how long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from lib.errors import RetryableError
from lib.state.runs import run_key
from tests.fakes import START, World, deliver, sweep, world
from tests.rows import core_row, csv_bytes

IN = "in-bucket"


def sale(order: str) -> bytes:
    sold_at = f"{START - timedelta(days=2):%Y-%m-%d %H:%M:%S}+00:00"
    return csv_bytes([core_row(1, order_id=order, conversion_date_time=sold_at)])


def wait_for_google(google: World, names: Sequence[str]) -> None:
    """Deliver files, a second after each other, while the API cannot be reached."""
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    for name in names:
        with pytest.raises(RetryableError):
            deliver(google, f"{name}.csv", sale(name))
        google.clock.seconds += 1
    google.api.preflight = None


def test_a_sweep_with_nothing_to_do() -> None:
    """Its counts say so."""
    assert sweep(world()) == {
        **dict.fromkeys(("runs", "problems", "due", "started", "finished", "again"), 0),
        "unreadable": 0,
        "out_of_time": False,
    }


def test_the_fewest_tries_come_first() -> None:
    """Of runs with equally many, the one that is due longest. What is not due yet is left."""
    google = world()
    wait_for_google(google, ["tried", "late", "early", "not due"])
    due = {"tried": (2, 1), "late": (0, 3600), "early": (0, 2), "not due": (0, 3601)}
    for name, (tries, seconds) in due.items():
        saved = google.context.runs.read(run_key(google.store.stored(IN, f"{name}.csv")))
        assert saved is not None
        at = google.clock.utc() + timedelta(seconds=seconds)
        google.context.runs.save(saved, tries=tries, due=at)
    google.clock.seconds += 3600
    counts = sweep(google)
    assert google.api.counted == ["early", "late", "tried"]
    assert (counts["due"], counts["finished"]) == (3, 3)


def test_a_sweep_ends_before_its_time_limit() -> None:
    """The next one goes on."""
    google = world(sweep_time_limit_seconds=600)
    wait_for_google(google, "abcde")
    google.clock.seconds += 601

    def takes_long(number: int) -> None:
        google.clock.seconds += 200

    google.api.after = takes_long
    for counted in ("abc", "abcde"):
        counts = sweep(google)
        assert google.api.counted == [*counted]
        assert counts["out_of_time"] == (counted == "abc")


@pytest.mark.parametrize(
    ("minutes", "is_started"), [(29, False), (30, True), (7 * 1440, True), (7 * 1440 + 1, False)]
)
def test_a_file_without_a_run_is_started(minutes: int, is_started: bool) -> None:
    """After a grace, in which its event may come, and for a week."""
    google = world(sweep_grace_minutes=30)
    google.store.put(IN, "a.csv", sale("a"))
    google.clock.seconds += 60 * minutes
    assert sweep(google)["started"] == is_started


@pytest.mark.parametrize("has_run", [False, True])
def test_a_software_error_stops_no_other_file(
    has_run: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is logged with its file, which the next sweep tries again."""
    google = world()
    if has_run:
        wait_for_google(google, "ab")
        google.clock.seconds += 601
    else:
        for name in "ab":
            google.store.put(IN, f"{name}.csv", sale(name))
            google.clock.seconds += 1

    def fails_once(number: int) -> None:
        if number == 1:
            raise ValueError

    google.api.before = fails_once
    counts = sweep(google)
    assert google.api.counted == ["b"]
    assert (counts["finished"], counts["again"]) == (1, 1)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (error,) = [line for line in lines if line["event"] == "unexpected_error"]
    assert error["run_id"].startswith("in-bucket/a.csv#")
    google.clock.seconds += 61 + 900
    sweep(google)
    assert google.api.counted == ["b", "a"]


def test_a_file_that_must_wait_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    """By its attempt, with its name; the sweep only counts it."""
    google = world()
    wait_for_google(google, "a")
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    google.clock.seconds += 601
    capsys.readouterr()
    assert sweep(google)["again"] == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["event"] == "run_redelivered"]
    assert line["run_id"].startswith("in-bucket/a.csv#")
