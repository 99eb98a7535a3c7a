"""Of what is well, nobody is told: a year of ordinary life, with chance.

Schedules drift by 45 minutes, people have weekends and holidays, every tenth row is wrong, some
rows wait for hours, some months have no deals. `make test` lives through a part of one year,
`EVERY_CALL=1` through twenty years.
"""

from __future__ import annotations

import heapq
import itertools
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest

from tests.followup.days import DAY, HOUR, START, Days

EVERY = bool(os.environ.get("EVERY_CALL"))
SEEDS = range(20) if EVERY else range(2)
LENGTH = timedelta(days=365 if EVERY else 70)
HOLIDAYS = {
    *("12-25", "12-26", "01-01", "2027-03-26", "2027-03-29", "2027-05-06", "2027-05-17", "10-03"),
}
WRONG = 0.1
PROFILES = {
    "nightly": {},
    "small": {},
    "leads": {},
    "weekly": {},
    "monthly": {},
    "rolling": {},
    "often": {},
    "said": {"expect": "every weekday by 02:45"},
}


def is_working_day(day: date) -> bool:
    return day.weekday() < 5 and f"{day:%m-%d}" not in HOLIDAYS and f"{day}" not in HOLIDAYS


@dataclass(slots=True)
class Year:
    """What happens, in the order of time."""

    luck: random.Random
    days: Days
    calls: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=itertools.count)

    def at(self, time: datetime, call: Callable[[], None]) -> None:
        heapq.heappush(self.calls, (time, next(self.order), call))

    def file(self, name: str, at: datetime, rows: int, known: int = 0) -> None:
        """A file with new rows, and with some that Google knows. It drifts."""
        at += timedelta(minutes=self.luck.uniform(-45, 45))
        self.at(at, lambda: self._write(name, rows, known))

    def _write(self, name: str, rows: int, known: int) -> None:
        if not rows + known:
            self.days.results(name, status="stopped", code="NO_ROWS")
            return
        wrong = sum(self.luck.random() < WRONG for _ in range(rows))
        waiting = sum(self.luck.random() < 0.05 for _ in range(rows - wrong))
        counts = {"uploaded": rows - wrong - waiting, "duplicate": known, "rejected": wrong // 2}
        counts["failed"] = wrong - wrong // 2
        status = "waiting" if waiting else "completed"
        awaiting = counts["uploaded"] if "often" in name else 0
        results = self.days.results(
            name, status=status, deferred=waiting, awaiting=awaiting, **counts
        )
        if waiting or awaiting:
            counts["uploaded"] += waiting
            later = self.days.now + 6 * HOUR
            self.at(later, lambda: self.days.follow_up(results, waited=waiting, **counts))

    def live(self, length: timedelta) -> None:
        for number in range(length.days):
            self._day(START.replace(hour=0) + (number + 1) * DAY)
        for number in range(length // (6 * HOUR)):
            self.at(START + number * 6 * HOUR, lambda: None)
        while self.calls:
            time, _, call = heapq.heappop(self.calls)
            if time > START + length:
                return
            self.days.now = time
            call()
            if time.minute == 0:
                self.days.sweep()

    def _day(self, day: datetime) -> None:
        luck, month = self.luck, f"{day:%m}"
        self.file(f"rolling/{day:%F}.csv", day + HOUR, self._new(day), luck.randint(200, 220))
        for hour in range(0, 24, 6):
            self.file(f"often/{day:%F}-{hour}.csv", day + hour * HOUR, luck.randint(2, 12))
        if not is_working_day(day.date()):
            return
        self.file(f"nightly/{day:%F}.csv", day + 2 * HOUR, luck.randint(20, 60))
        self.file(f"said/{day:%F}.csv", day + 2 * HOUR, luck.randint(20, 60))
        deals = 0 if month == "02" else luck.randint(0, 8)  # a month without deals
        self.file("small/export.csv", day + 3 * HOUR, deals)
        for _ in range(luck.randint(5, 11)):
            self.file(f"leads/{luck.random()}.csv", day + luck.uniform(8, 18) * HOUR, 1)
        if day.weekday() == 0:
            self.file(f"weekly/{day:%F}.csv", day + 6 * HOUR, luck.randint(100, 300))
        following = itertools.takewhile(
            lambda each: each.month == day.month, (day + n * DAY for n in range(1, 9))
        )
        if not any(is_working_day(each.date()) for each in following) and month != "06":
            self.file(f"monthly/{day:%F}.csv", day + 18 * HOUR, luck.randint(5, 40))

    def _new(self, day: datetime) -> int:
        """Return the new deals of the day before: none on weekends and holidays."""
        return self.luck.randint(1, 9) if is_working_day(day.date() - DAY) else 0


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_told_of_ordinary_life(seed: int) -> None:
    """Not of weekends, holidays, drift, months without deals, nor of every tenth row."""
    holidays = tuple(sorted(HOLIDAYS))
    settings = Days().settings.model_copy(update={"no_file_holidays": holidays})
    year = Year(random.Random(seed), Days(settings, PROFILES))
    year.live(LENGTH)
    assert [(f"{each.at:%F %H:%M}", each.key, each.detail) for each in year.days.lines] == []
