"""A year of nightly files in simulated time: every alert that should come does, and no other.

The function and the sweep are the real ones, on a storage and an API in memory. Their log lines go
through the alert policies of `terraform/`, with the sweep every hour.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import flask
import pytest
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent
from flask import Request

import main
from lib.adapters.events import FINALIZED
from lib.errors import RetryableError
from tests.fakes import START, World, passes, world
from tests.rows import core_row, csv_bytes
from tests.terraform.conftest import EXAMPLE, TERRAFORM
from tools.terraform_check import configuration
from tools.terraform_check.alerting import Monitoring, Notification, entry_of

BERLIN = ZoneInfo("Europe/Berlin")
HOLIDAYS = ("12-25", "12-26", "01-01", "2027-03-26", "2027-03-29", "2027-05-06", "2027-05-17")
DAYS = 365
NIGHT = timedelta(hours=2)
JITTER_SECONDS = 300
KEPT = timedelta(days=5)
DOWN = RetryableError("API_UNAVAILABLE", "UNAVAILABLE")

# What goes wrong, and what a person must hear of it within the hour (later: the rest).
NO_EXPORT = date(2026, 12, 9)  # a Wednesday
NO_EXPORT_ON_FRIDAY = date(2027, 2, 19)
LOST_EVENT = date(2027, 1, 20)
OUTAGE = date(2027, 4, 14)  # of the API, for three hours
LOST_GRANT = date(2027, 6, 2)  # for 50 minutes
BROKEN_EXPORT = date(2027, 7, 7)
NO_SWEEP = date(2027, 9, 1)  # for six hours
DELAYED_EXPORT = date(2027, 10, 6)  # by two hours
EXPECTED = {
    NO_EXPORT: {"no_file"},
    NO_EXPORT_ON_FRIDAY: {"no_file"},
    LOST_EVENT: {"events_missing"},
    OUTAGE: {"run_late", "file_unfinished"},
    LOST_GRANT: {"settings_invalid"},
    BROKEN_EXPORT: {"rows_failing"},
    NO_SWEEP: {"sweep_silent"},
    DELAYED_EXPORT: {"no_file"},
}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The module with a sweep every hour."""
    path = tmp_path_factory.mktemp("values") / "hourly.tfvars"
    path.write_text('sweep_schedule = "0 * * * *"\n', encoding="utf-8")
    return configuration.evaluated(TERRAFORM, EXAMPLE, Path(os.path.relpath(path, TERRAFORM)))


@dataclass(slots=True)
class Year:
    """The calls of the function, in the order of their times."""

    google: World
    monitoring: Monitoring
    output: Callable[[], str]
    calls: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    order: itertools.count[int] = field(default_factory=itertools.count)
    found: list[Notification] = field(default_factory=list)
    finished: int = 0

    def at(self, time: datetime, call: Callable[[], None]) -> None:
        heapq.heappush(self.calls, (time, next(self.order), call))

    def run(self, end: datetime) -> None:
        while self.calls and self.calls[0][0] < end:
            time, _, call = heapq.heappop(self.calls)
            self.google.clock.seconds = max(
                self.google.clock.seconds, (time - START).total_seconds()
            )
            call()
            for line in map(json.loads, self.output().splitlines()):
                self.finished += line["event"] == "run_finished"
                entry = entry_of(line, "conversions-ingest")
                self.found += self.monitoring.log(self.google.clock.utc(), entry)

    def drop(self, name: str, content: bytes, *, with_event: bool = True) -> None:
        source = self.google.store.put("in-bucket", name, content)
        if not with_event:
            return
        data = {"bucket": "in-bucket", "name": name, "generation": str(source.generation)}
        time = self.google.clock.utc().isoformat()
        event = CloudEvent({"type": FINALIZED, "source": "storage", "time": time}, data)
        self.deliver(*to_binary(event), pause=10.0)

    def deliver(self, headers: dict[str, str], body: bytes, pause: float) -> None:
        request = Request.from_values(headers=headers, data=body, method="POST")
        if main.ingest(request)[1] >= 300:
            again = self.google.clock.utc() + timedelta(seconds=pause)
            self.at(again, lambda: self.deliver(headers, body, min(2 * pause, 600)))

    def sweep(self) -> None:
        main.sweep(flask.request)
        self._delete_old()

    def _delete_old(self) -> None:
        """Delete as the life cycle of the buckets does, only earlier: lists stay short."""
        store, now = self.google.store, self.google.clock.utc()
        for key in [key for key, time in store.times.items() if now - time > KEPT]:
            store.objects.pop(key, None)
            del store.times[key]


def plan(year: Year) -> None:
    """Plan the nights, the sweeps, and what goes wrong."""
    luck = random.Random(7)
    google = year.google
    for day in range(DAYS):
        today = (START.astimezone(BERLIN) + timedelta(days=1 + day)).date()
        night = datetime.combine(today, datetime.min.time(), BERLIN) + NIGHT
        at = night + timedelta(seconds=luck.uniform(-JITTER_SECONDS, JITTER_SECONDS))
        if today.weekday() > 4 or f"{today:%m-%d}" in HOLIDAYS or f"{today}" in HOLIDAYS:
            continue
        if today in (NO_EXPORT, NO_EXPORT_ON_FRIDAY):
            continue
        if today == DELAYED_EXPORT:
            at += timedelta(hours=2)
        rows = [_row(10 * day + n, at, today == BROKEN_EXPORT) for n in range(6)]
        year.at(at, _dropping(year, f"{today}.csv", csv_bytes(rows), today != LOST_EVENT))
        if today == OUTAGE:
            year.at(night - timedelta(hours=1), lambda: setattr(google.api, "preflight", DOWN))
            year.at(night + timedelta(hours=3), lambda: setattr(google.api, "preflight", None))
        if today == LOST_GRANT:
            year.at(night - timedelta(hours=1), lambda: setattr(google.store, "before", refuse))
            year.at(night + timedelta(minutes=50), lambda: setattr(google.store, "before", passes))
    for hour in range(24 * DAYS):
        time = START + timedelta(hours=hour)
        if time.date() != NO_SWEEP or not 6 <= time.hour < 12:
            year.at(time, year.sweep)


def _row(number: int, at: datetime, broken: bool) -> dict[str, str]:
    time = "" if broken else f"{at - timedelta(days=2):%Y-%m-%d %H:%M:%S}+01:00"
    return core_row(number, conversion_date_time=time)


def _dropping(year: Year, name: str, content: bytes, with_event: bool) -> Callable[[], None]:
    return lambda: year.drop(name, content, with_event=with_event)


def refuse(operation: str, name: str) -> None:
    if operation == "write" and name.startswith("_state/"):
        raise RetryableError("STORAGE_FORBIDDEN", "storage.objects.create on the bucket state")


def test_a_year_of_nightly_files(
    deployed: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Jitter, weekends, holidays and changing clocks raise no alert; each fault raises its own, at
    the latest an hour after it can be known, and in words that name the file."""
    google = world(
        sweep_grace_minutes=30,
        no_file_hours=24.0,
        no_file_weekdays=("mon", "tue", "wed", "thu", "fri"),
        no_file_holidays=HOLIDAYS,
        no_file_time_zone="Europe/Berlin",
    )
    monkeypatch.setattr(main, "_context", lambda: google.context)
    # The overview takes half of the time of a sweep, and raises no alert.
    monkeypatch.setattr("lib.followup.sweep._write_overview", lambda context: None)
    year = Year(google, Monitoring(deployed, START), lambda: capsys.readouterr().out)
    plan(year)
    end = START + timedelta(days=DAYS)
    with flask.Flask("test").test_request_context():
        year.run(end)
    found = year.found + year.monitoring.until(end)

    # A missing file is told again until there is one.
    found = list({(each.alert, each.content): each for each in reversed(found)}.values())
    by_day: dict[date, set[str]] = {}
    for each in found:
        by_day.setdefault(each.at.astimezone(BERLIN).date(), set()).add(each.alert)
    assert by_day == EXPECTED
    assert year.finished > 240
    first = {
        day: min(n.at for n in found if n.at.astimezone(BERLIN).date() == day) for day in by_day
    }
    for day, at in first.items():
        begins = datetime.combine(day, datetime.min.time(), BERLIN) + NIGHT
        if day == NO_SWEEP:
            # The sweep of 05:00 UTC is the last; the next was due at 06:00.
            begins = datetime.combine(day, datetime.min.time(), START.tzinfo) + 3 * NIGHT
        grace = timedelta(minutes=30) if "no_file" in by_day[day] else timedelta(0)
        assert at - begins - grace <= timedelta(hours=1), by_day[day]
    for each in found:
        day = each.at.astimezone(BERLIN).date()
        if each.alert not in ("no_file", "sweep_silent"):
            assert f"in-bucket/{day}.csv" in each.subject
