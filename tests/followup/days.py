"""Days of a deployment, as a sweep sees them: results come, time passes, and `watch` tells.

Nothing else runs, so a year takes seconds. `tests/followup/test_concerns_of_a_sweep.py` lets the
real sweep collect what is seen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from lib.config.settings import Settings
from lib.followup.watch import Seen, Watch, profile_of, watch
from lib.results.overview import FileResults
from lib.state.concerns import WatchState

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


PAGE = (Path(__file__).parents[2] / "docs" / "operate.md").read_text("utf-8")
CAUSES = PAGE.split("\n## Which problem raises which alert\n")[1].split("\n## ")[0]


_ROWS = re.findall(r"^\| (.+?) \| \[`(\w+)`\]\(#[\w-]+\) \| (.+?) \|$", CAUSES, re.M)
LISTED_ALERTS = {problem: alert for problem, alert, _ in _ROWS}
"""The alert of each problem in docs/operate.md. A problem has one cause, or several."""
LISTED_TIMES = {problem: time for problem, _, time in _ROWS}
"""How long it takes until it is heard: one time, or from the shortest to the longest."""


def problem_of(cause: str) -> str:
    """Return the problem that docs/operate.md lists for a cause: what is before the parenthesis."""
    return cause.partition(" (")[0]


def is_listed(cause: str, time: timedelta) -> bool:
    """Return whether docs/operate.md says that a cause is heard after this time."""
    shortest, _, longest = LISTED_TIMES[problem_of(cause)].partition(" to ")
    if not longest:
        return heard_after(time) == shortest
    least, most = (int(re.sub(r"\D", "", each) or 0) for each in (shortest, longest))
    return least <= math.ceil(time.total_seconds() / 60) <= most


def heard_after(time: timedelta) -> str:
    """Return a time as docs/operate.md shows it."""
    minutes = math.ceil(time.total_seconds() / 60)
    if minutes < 1:
        return "at once"
    if minutes < 120:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 72 else f"{round(hours / 24)} days"


class ToldLine(NamedTuple):
    """A line, and when it was logged."""

    at: datetime
    told: str
    kind: str
    key: str
    severity: str
    detail: str
    action: str


def settings(**given: Any) -> Settings:
    return Settings(input_bucket="in-bucket", output_bucket="out-bucket", **given)


def text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


@dataclass(slots=True)
class Days:
    """A deployment. Results are kept for `kept`, objects of the input bucket for 30 days."""

    settings: Settings = field(default_factory=settings)
    profiles: Mapping[str, Any] | None = field(default_factory=lambda: {"default": {}})
    now: datetime = START
    kept: timedelta = timedelta(weeks=9)
    files: dict[str, FileResults] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    state: WatchState = field(default_factory=WatchState)
    lines: list[ToldLine] = field(default_factory=list)
    numbers: int = 0

    def results(
        self,
        name: str,
        at: datetime | None = None,
        *,
        status: str = "completed",
        code: str = "",
        alerts: str = "",
        test: bool = False,
        **counts: int,
    ) -> str:
        """Write the results of a file that arrives now, or at a time. Return their name."""
        self.numbers += 1
        arrived = text(at or self.now)
        counts.setdefault("rows", sum(counts[each] for each in counts if each in OUTCOMES))
        results = f"{name}.{self.numbers}.results.json"
        self.files[results] = FileResults(
            *(results, arrived, arrived, status, counts, {}, _lost(counts)),
            *(profile_of(name), code, alerts, test),
        )
        self.seen.newest[profile_of(name)] = at or self.now
        return results

    def follow_up(self, results: str, **counts: int) -> None:
        """Write the results of a file again: the outcomes of rows that waited."""
        before = self.files[results]
        status = "waiting" if counts.get("deferred") else "completed"
        rows = before.counts["rows"]
        self.files[results] = before._replace(
            finished_at=text(self.now),
            status=status,
            counts={"rows": rows, **counts},
            to_correct=_lost(counts),
        )

    def sweep(self, at: datetime | None = None) -> list[ToldLine]:
        """Sweep now, or at a time. Return what is told."""
        self.now = at or self.now
        oldest = text(self.now - self.kept)
        self.files = {k: each for k, each in self.files.items() if each.finished_at >= oldest}
        old = self.now - timedelta(days=30)
        self.seen.newest = {k: at for k, at in self.seen.newest.items() if at >= old}
        self.seen.files = [*self.files.values()]
        given = Watch(self.seen, self.profiles, self.settings, self.state, self.now)
        found, self.state = watch(given)
        told = [
            ToldLine(
                self.now, line.told, line.fields["kind"], line.fields["key"], line.severity, *said
            )
            for line in found
            for said in [(line.fields["detail"], line.fields["action"])]
        ]
        self.lines += told
        return told

    def pass_until(self, end: datetime, every: timedelta = HOUR / 4) -> list[ToldLine]:
        """Sweep again and again. Return what is told until then."""
        before = len(self.lines)
        while self.now + every <= end:
            self.sweep(self.now + every)
        self.now = end
        return self.lines[before:]

    def first(self, kind: str) -> ToldLine:
        """Return when a kind of concern was told first."""
        return next(each for each in self.lines if each.kind == kind)


def _lost(counts: Mapping[str, int]) -> int:
    return sum(counts.get(each, 0) for each in ("rejected", "failed", "not_attempted"))


OUTCOMES = (
    *("uploaded", "duplicate", "rejected", "failed", "deferred", "skipped", "not_attempted", "ok"),
)
