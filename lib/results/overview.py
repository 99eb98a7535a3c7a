"""The overview of all files: `index.html` in the output bucket, made of what a listing tells.

It is made of the labels of the results documents (`lib.results.document`), so no document is read.
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple, get_args

import msgspec

from lib.model.money import ACCOUNT_CURRENCY, MICROS, Sum, add_sums, most_frequent_first
from lib.model.outcomes import LOST, OUTCOMES
from lib.results.document import Status
from lib.results.page import bucket_address, money, render, share_of
from lib.state.concerns import KnownConcern
from lib.state.output import RESULTS, report_name, rows_to_fix, without_suffix
from lib.state.store import LabelledObject

MOST_FILES = 100
DAYS_SHOWN = 30
HELD: Final = (*LOST, "deferred")
"""Outcomes of rows that should count, and do not, or not yet."""
_MATCHED_FILES: Final = 10
_MOST_CHARTS: Final = 3
_ALL: Final = 200
_SIZES: Final = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))
_COUNTS: Final = msgspec.json.Decoder(dict[str, int])
_MONEY: Final = msgspec.json.Decoder(dict[str, dict[str, Sum]])
_GENERATION = re.compile(r"\.\d+$")


class FileResults(NamedTuple):
    """What the label of a results document says about its file.

    Times are texts, all in UTC and to the second, so that they are in the order of time. `money`
    has the sums by outcome and currency. `cause` is the detail of the error that stopped the file,
    or the code of most rows to correct.
    """

    results: str
    finished_at: str
    arrived_at: str
    status: str
    counts: Mapping[str, int]
    money: Mapping[str, Mapping[str, Sum]]
    to_correct: int
    profile: str
    code: str
    alerts: str
    validate_only: bool
    cause: str = ""

    @property
    def name(self) -> str:
        """The name of the file; a very long one is shortened."""
        return _GENERATION.sub("", self.results.removesuffix(RESULTS))

    @property
    def needs_action(self) -> bool:
        """Whether a person must act: rows to correct, or a file that was stopped."""
        return self.status == "stopped" or self.to_correct > 0

    @property
    def is_open(self) -> bool:
        """Whether the outcome of a row may change."""
        return bool(self.counts.get("deferred") or self.counts.get("awaiting"))

    @property
    def refused(self) -> int:
        """Number of rows that do not count although they should."""
        return sum(self.counts.get(each, 0) for each in LOST)

    @property
    def rows(self) -> int:
        """Number of rows that should count."""
        return self.counts.get("rows", 0) - self.counts.get("skipped", 0)


def replaced(files: Iterable[FileResults]) -> set[str]:
    """Return the results of the files that later ones replace.

    A stopped file was completed under the same name. Of rows to correct, a file has come that `fix`
    has written; with fewer rows, some were left out.
    """
    found, completed, fixed = set[str](), set[str](), dict[str, int]()
    for each in sorted(files, key=lambda each: each.arrived_at, reverse=True):
        rows = each.to_correct + each.counts.get("uncounted", 0)
        is_stopped = each.status == "stopped"
        if (is_stopped and each.name in completed) or rows <= fixed.get(rows_to_fix(each.name), -1):
            found.add(each.results)
        if each.status in ("completed", "waiting") and not each.validate_only:
            completed.add(each.name)
            name = without_suffix(each.name)
            fixed[name] = max(fixed.get(name, 0), each.counts.get("rows", 0))
    return found


def labelled_files(objects: Iterable[LabelledObject]) -> Iterator[FileResults]:
    """Yield the results with a label, in the order of their names."""
    for each in objects:
        if not each.name.endswith(RESULTS):
            continue
        label = each.metadata
        try:
            found = FileResults(
                each.name,
                label["finished_at"],
                label["arrived_at"],
                label["status"],
                _COUNTS.decode(label["counts"]),
                _MONEY.decode(label.get("money", "{}")),
                int(label["to_correct"]),
                label.get("profile", ""),
                label.get("code", ""),
                label.get("alerts", ""),
                "validate_only" in label,
                label.get("cause", ""),
            )
        except (KeyError, ValueError, msgspec.DecodeError):
            continue
        if found.status in get_args(Status):
            yield found


@dataclass(slots=True)
class _Day:
    """The rows of the files that arrived on a day, and what they are worth.

    `held` are those that do not count, or not yet.
    """

    uploaded: int = 0
    held: int = 0
    worth: dict[str, Sum] = field(default_factory=dict)
    held_worth: dict[str, Sum] = field(default_factory=dict)


@dataclass(slots=True)
class _OfProfile:
    """The last file of a profile. `matches`: when its last files arrived whose rows without a click
    ID have a final status, how many matched, and of how many."""

    last: FileResults
    matches: list[tuple[str, int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Overview:
    """What the page shows. Its size depends on the days and the profiles, not on the files.

    `concerns` are those that hold, by key (`lib.followup.concerns`).
    """

    files: int = 0
    latest: list[tuple[str, FileResults]] = field(default_factory=list)
    days: dict[str, _Day] = field(default_factory=dict)
    profiles: dict[str, _OfProfile] = field(default_factory=dict)
    concerns: Mapping[str, KnownConcern] = field(default_factory=dict)

    def add(self, file: FileResults) -> None:
        """Add a file. They may come in any order."""
        self.files += 1
        heapq.heappush(self.latest, (file.finished_at, file))
        if len(self.latest) > MOST_FILES:
            heapq.heappop(self.latest)
        if not file.validate_only:
            self._add_to_day(file)
        found = self.profiles.setdefault(file.profile, _OfProfile(file))
        found.last = max(found.last, file, key=lambda each: (each.arrived_at, each.results))
        matchable, unmatched = file.counts.get("matchable", 0), file.counts.get("unmatched", 0)
        if matchable:
            heapq.heappush(found.matches, (file.arrived_at, matchable - unmatched, matchable))
            if len(found.matches) > _MATCHED_FILES:
                heapq.heappop(found.matches)

    def _add_to_day(self, file: FileResults) -> None:
        day = self.days.setdefault(file.arrived_at[:10], _Day())
        day.uploaded += file.counts.get("uploaded", 0)
        add_sums(day.worth, file.money.get("uploaded", {}))
        for outcome in HELD:
            day.held += file.counts.get(outcome, 0)
            add_sums(day.held_worth, file.money.get(outcome, {}))
        if len(self.days) > 2 * DAYS_SHOWN:
            del self.days[min(self.days)]  # if it came again, it would be too old to be shown


def render_overview(bucket: str, overview: Overview) -> str:
    """Return the page. It depends on nothing else, so the same files make the same page."""
    files = [file for _, file in sorted(overview.latest, reverse=True)]
    old = replaced(files)
    to_act = [each for each in files if each.needs_action and each.results not in old]
    at_stake: dict[str, Sum] = {}
    for each in to_act:
        if not each.validate_only:
            for outcome in LOST:
                add_sums(at_stake, each.money.get(outcome, {}))
    days = _last_days(overview.days)
    of_days: dict[str, Sum] = {}
    for day in days.values():
        add_sums(of_days, day.worth)
        add_sums(of_days, day.held_worth)
    currencies = [*most_frequent_first(of_days)]
    return render(
        "overview.html",
        bucket=bucket,
        number_of_files=overview.files,
        files=[_shown(bucket, each, old) for each in files],
        to_act=len(to_act),
        replaced=sum(each.status == "stopped" and each.results in old for each in files),
        at_stake=money(at_stake),
        waiting=sum(each.status == "waiting" for each in files),
        concerns=[(each.since, each.what) for each in _by_age(overview.concerns)],
        profiles=[_profile(bucket, name, overview) for name in sorted(overview.profiles)],
        charts=_charts(days, currencies[:_MOST_CHARTS]),
        more_currencies=len(currencies) > _MOST_CHARTS,
        days=[(day, _day_in_numbers(each)) for day, each in days.items()][::-1],
        share=share_of(sum(each.refused for each in files), sum(each.rows for each in files)),
    )


def _by_age(concerns: Mapping[str, KnownConcern]) -> list[KnownConcern]:
    return sorted(concerns.values(), key=lambda each: (each.since, each.what))


def _shown(bucket: str, file: FileResults, old: Collection[str] = ()) -> dict[str, Any]:
    return {
        "name": file.name,
        "address": bucket_address(bucket, report_name(file.results)),
        "finished_at": file.finished_at,
        "status": file.status,
        "needs_action": file.needs_action and file.results not in old,
        "is_replaced": file.results in old,
        "rows": file.counts.get("rows", 0),
        "outcomes": [(each, file.counts[each]) for each in OUTCOMES if file.counts.get(each)],
        "worth": money(file.money.get("uploaded", {})),
    }


def _profile(bucket: str, name: str, overview: Overview) -> dict[str, Any]:
    found = overview.profiles[name]
    matched = sum(matches for _, matches, _ in found.matches)
    matchable = sum(rows for _, _, rows in found.matches)
    return {
        "name": name or "(none)",
        "last": _shown(bucket, found.last),
        "arrived_at": found.last.arrived_at,
        "match_rate": share_of(matched, matchable) if matchable else "–",
        "concerns": sum(_is_about(key, name) for key in overview.concerns),
    }


def _is_about(key: str, profile: str) -> bool:
    """Return whether a concern is about a profile: `volume_fell:shop/leads-#.csv` is about `shop`.

    Concerns about everything have no name after their kind, like files without a profile.
    """
    about = key.partition(":")[2]
    return bool(profile) and f"{about}:".startswith((f"{profile}:", f"{profile}/"))


# ── the charts ───────────────────────────────────────────────────────────────────────────────


def _last_days(days: Mapping[str, _Day]) -> dict[str, _Day]:
    """Return every day of the last ones, also those on which nothing came."""
    if not days:
        return {}
    newest = date.fromisoformat(max(days))
    shown = [str(newest - timedelta(days=ago)) for ago in range(DAYS_SHOWN)]
    return {day: days.get(day, _Day()) for day in reversed(shown)}


def _day_in_numbers(day: _Day) -> dict[str, Any]:
    return {
        "uploaded": day.uploaded,
        "held": day.held,
        "worth": money(day.worth, _ALL),
        "held_worth": money(day.held_worth, _ALL),
    }


def _charts(days: Mapping[str, _Day], currencies: Sequence[str]) -> list[dict[str, Any]]:
    """Return a chart of the rows, and one of the values in each of these currencies."""
    charts: dict[str, list[tuple[float, float]]] = {
        "Rows per day": [(each.uploaded, each.held) for each in days.values()]
    }
    for currency in currencies:
        charts[f"Value per day in {currency or ACCOUNT_CURRENCY}"] = [
            (_units(day.worth, currency), _units(day.held_worth, currency)) for day in days.values()
        ]
    return [
        _chart(f"{what}, uploaded and held back", days, values)
        for what, values in charts.items()
        if any(map(any, values))
    ]


def _units(sums: Mapping[str, Sum], currency: str) -> float:
    return sums.get(currency, Sum()).micros / MICROS


def _chart(
    title: str, days: Iterable[str], values: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    """Return where bars, lines and numbers of a chart are, in a box of 372 by 150.

    Left of the plot are the numbers of the lines, below it a date a week.
    """
    left, top, width, height = 40, 8, 316, 120
    step = _step(max(max(both) for both in values))
    lines = max(1, math.ceil(max(max(both) for both in values) / step))
    scale, slot = height / (lines * step), width / len(values)
    bars, dates = [], []
    for at, (day, both) in enumerate(zip(days, values, strict=True)):
        x = left + at * slot
        for number, (value, kind) in enumerate(zip(both, ("uploaded", "held"), strict=True)):
            if value:
                tall = max(value * scale, 1)
                place = round(x + (0.1 + 0.4 * number) * slot, 1), round(top + height - tall, 1)
                bars.append((*place, round(0.4 * slot, 1), round(tall, 1), kind))
        if (len(values) - 1 - at) % 7 == 0:
            moment = date.fromisoformat(day)
            dates.append((round(x + slot / 2, 1), f"{moment.day} {moment:%b}"))
    grid = [(round(top + height - n * step * scale, 1), _short(n * step)) for n in range(lines + 1)]
    sums = (_short(round(sum(each))) for each in zip(*values, strict=True))
    return {"title": title, "bars": bars, "grid": grid, "dates": dates, "sums": list(sums)}


def _step(highest: float) -> float:
    """Return the distance of the lines: 1, 2 or 5 times a power of ten, for four lines at most."""
    power = 10.0 ** max(0, math.floor(math.log10(max(highest, 1) / 4)))
    return next(step * power for step in (1, 2, 5, 10) if highest <= 4 * step * power)


def _short(value: float) -> str:
    """`12,000` → `12k`: there is little room beside a chart."""
    if value < 1e4:
        return f"{value:,.0f}"
    rounded = float(f"{value:.3g}")
    size, sign = next(each for each in _SIZES if rounded >= each[0])
    return f"{rounded / size:,.10g}{sign}"
