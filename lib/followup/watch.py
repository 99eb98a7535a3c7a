"""Who must know: everything that shows only over time, or by absence. Pure.

    what a sweep has listed ─┐
    profiles, settings      ─┼─▶ concerns that hold now ─▶ lines: new, still (daily), over
    what was told, the clock ┘                         └─▶ what is known for the next sweep

`lib.followup.concerns` has the table of all concerns and what is told of them, `rhythm` when files
are due. `lib.followup.sweep` collects what is seen, saves what is known, and logs the lines.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of_rows
from lib.config.settings import Settings
from lib.followup.concerns import Concern, Line, tell
from lib.followup.rhythm import (
    Calendar,
    ExpectedDays,
    calendar_of,
    expected_time,
    longest_gap,
    parse_expectation,
    usual_limit,
)
from lib.results.overview import FileResults, replaced
from lib.results.page import bucket_address
from lib.run.alerts import many_fail
from lib.state.concerns import Arrivals, WatchState
from lib.state.output import OVERVIEW, report_name
from lib.state.run import run_id
from lib.state.store import StoredObject

RECENT: Final = timedelta(days=3)
"""What happened to rows is a concern for so long: a report that nobody opens gets no better."""
STOPPED_FOR: Final = timedelta(days=7)
TEST_MODE_FOR: Final = timedelta(days=7)
WHOLE_FILE: Final = 4
"""So many rows, and none counts: that is no bad day, even if every tenth row is usually wrong."""
_RARE: Final = timedelta(days=5)
_NOTHING_FOR: Final = timedelta(hours=20)
"""A file that comes first, or after so long, is told even if it has a single row. But it may be the
first of many, so it has this time."""
_A_DAY: Final = timedelta(days=1)
_CHANCE: Final = math.log(1e4)
"""A chance of 1 in so many is none."""
_FILES: Final = 40
"""Files of eight weeks, one a night. Where more come, more are compared, so chances must be less.
"""
_LEAST_USUAL: Final = 0.005
_VOLUME_FILES: Final = 8
_VOLUME_ROWS: Final = 50
_VOLUME_SHARE: Final = 0.1
_REPEATED_FILES: Final = 3
_LONGER: Final = 2
"""So many times as many in a row as ever: after holidays they are more than after a weekend."""
_FILTERED_ROWS: Final = 20
_MOST_NAMES: Final = 3


class UnfinishedFile(NamedTuple):
    """A file without results, and the code of the error that ended its last attempt."""

    source: StoredObject
    cause: str


class BlockedFollowUp(NamedTuple):
    """A pending run that a person must unblock, since it was last saved."""

    source: StoredObject
    code: str


class LeftFile(NamedTuple):
    """A file that is ignored, although it looks like data, and why."""

    source: StoredObject
    reason: str


@dataclass(slots=True)
class Seen:
    """What a sweep has listed. `newest` is when the newest input object of each folder arrived."""

    files: list[FileResults] = field(default_factory=list)
    newest: dict[str, datetime] = field(default_factory=dict)
    left: list[LeftFile] = field(default_factory=list)
    unstarted: list[StoredObject] = field(default_factory=list)
    unfinished: list[UnfinishedFile] = field(default_factory=list)
    blocked: list[BlockedFollowUp] = field(default_factory=list)
    drill: bool = False

    def add_arrival(self, file: StoredObject) -> None:
        """Take an input object. A replaced or deleted version has arrived, too."""
        arrived = file.created or file.updated
        folder = profile_of(file.name)
        if arrived is not None:
            self.newest[folder] = max(arrived, self.newest.get(folder, arrived))


def profile_of(name: str) -> str:
    """Return the profile of an object: its first folder, or `default`."""
    folder, slash, _ = name.partition("/")
    return folder if slash else "default"


class Watch(NamedTuple):
    """What decides about concerns. `profiles` is None if they cannot be read now."""

    seen: Seen
    profiles: Mapping[str, Any] | None
    settings: Settings
    known: WatchState
    now: datetime

    def report_of(self, file: FileResults) -> str:
        """Return the address of a file's report."""
        return bucket_address(self.settings.output_bucket, report_name(file.results))

    def limit(self, age: timedelta = RECENT) -> str:
        """Return the time before which things are older than this, as in a label."""
        return (self.now - age).isoformat(timespec="seconds")


def watch(given: Watch) -> tuple[list[Line], WatchState]:
    """Return what to tell now, and what to know at the next sweep."""
    files = _by_profile(given.seen.files)
    profiles = _arrivals(given, files)
    found = {each.key: each for each in _concerns(given, files, profiles)}
    overview = bucket_address(given.settings.output_bucket, OVERVIEW)
    lines, concerns, told = tell(found, given.known, overview, given.now)
    return lines, replace(given.known, concerns=concerns, profiles=profiles, told=told)


def _by_profile(files: Iterable[FileResults]) -> dict[str, list[FileResults]]:
    """Return the files of each profile, in the order of their arrival.

    Generations that left their rows to another one are none of them.
    """
    found: dict[str, list[FileResults]] = defaultdict(list)
    for each in files:
        if each.status not in ("superseded", "same_as"):
            found[each.profile or profile_of(each.results)].append(each)
    for group in found.values():
        group.sort(key=lambda each: each.arrived_at)
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _concerns(
    given: Watch, files: Mapping[str, list[FileResults]], profiles: Mapping[str, Arrivals]
) -> Iterator[Concern]:
    for profile, group in sorted(files.items()):
        finished = [each for each in group if each.status in ("completed", "waiting")]
        real = [each for each in finished if not each.validate_only]
        yield from _rows_lost(profile, real, given)
        yield from _stopped(profile, group, given)
        yield from _volume(profile, real, given)
        yield from _nothing_new(profile, real, given)
        yield from _test_mode(profile, finished, given)
        yield from _filter(profile, real, given)
    yield from _no_file(given, profiles)
    yield from _facts(given)


# ── rows that do not count ───────────────────────────────────────────────────────────────────


def _lost(file: FileResults) -> int:
    return file.refused + file.counts.get("uncounted", 0)


def to_correct(file: FileResults) -> int:
    """Return the number of lost rows that a person can do something about.

    If a part of the rows is lost because people denied their consent, all is well.
    """
    return file.to_correct + file.counts.get("uncounted", 0)


def _is_lost(file: FileResults) -> bool:
    return 0 < file.rows <= _lost(file)


def surprise(lost: int, rows: int, usual: float) -> float:
    """Return how surprising it is to lose so many rows: it happens at most once in e to the power
    of this, if `usual` is the share of rows that are lost (the bound of Chernoff)."""
    share = lost / rows if rows else 0.0
    if share <= usual:
        return 0.0
    rest = (1 - share) * math.log((1 - share) / (1 - usual)) if share < 1 else 0.0
    return rows * (share * math.log(share / usual) + rest)


def _many(lost: int, rows: int, settings: Settings) -> bool:
    """Return whether so many are lost that a person must know. Half of the share is ordinary."""
    usual = settings.failing_rows_ratio / 2
    return many_fail(lost, rows, settings) and surprise(lost, rows, usual) >= _CHANCE - 1e-9


def _rows_lost(profile: str, files: Sequence[FileResults], given: Watch) -> Iterator[Concern]:
    """Yield the concern of a profile whose rows do not count: as few words for as many rows."""
    settings, limit = given.settings, given.limit()
    if not any(each.rows and each.finished_at >= limit for each in files):
        return
    kept = _without_corrected([each for each in files if each.rows], settings)
    recent = [each for each in kept if each.finished_at >= limit]
    streak = _streak(kept, given.now) or _streak(_final_ones(kept, given.now), given.now)
    if streak and streak[-1].finished_at < limit:
        streak = []
    whole = [each for each in recent if _is_lost(each) and each.rows >= WHOLE_FILE] or streak
    rows, lost = sum(each.rows for each in recent), sum(map(to_correct, recent))
    if len(streak) > 1:
        about = streak
        what = f"None of the last {sum(each.rows for each in streak)} rows of {profile} counts"
    elif about := whole:
        what = _none_of(whole[-1])
    elif about := [each for each in recent if _many(to_correct(each), each.rows, settings)]:
        rows, lost = about[-1].rows, to_correct(about[-1])
        what = f"{lost} of {number_of_rows(rows)} of {about[-1].name} do not count"
    elif about := [each for each in recent if _failed_later(each, settings)]:
        failed, waited = (about[-1].counts[key] for key in ("failed_later", "waited"))
        what = f"{failed} of {number_of_rows(waited)} of {about[-1].name} that waited to be sent "
        what += "again have failed"
    elif _many(lost, rows, settings):
        about = recent
        what = f"{lost} of the last {number_of_rows(rows)} of {profile} do not count"
    else:
        return
    others = f", in {len(about)} files" if len(about) > 1 else ""
    cause = f"; most often {about[-1].cause}" if about[-1].cause else ""
    since = min(_time(each.finished_at) for each in about)
    what += others + cause
    yield Concern("rows_lost", profile, since, what, link=given.report_of(about[-1]))


def _none_of(file: FileResults) -> str:
    if file.rows == 1:
        return f"The only row of {file.name} does not count"
    return f"None of the {number_of_rows(file.rows)} of {file.name} counts"


def _failed_later(file: FileResults, settings: Settings) -> bool:
    """Return whether too many rows have failed that waited to be sent again."""
    failed, waited = (file.counts.get(key, 0) for key in ("failed_later", "waited"))
    return _many(failed, waited, settings) or waited == failed >= WHOLE_FILE


def _without_corrected(files: Sequence[FileResults], settings: Settings) -> list[FileResults]:
    """Return the files without those that a later file has corrected: one of the same name, or one
    that `fix` has written."""
    kept, good, old = [], set[str](), replaced(files)
    for each in reversed(files):
        is_bad = _is_lost(each) or _many(to_correct(each), each.rows, settings)
        if not is_bad:
            good.add(each.name)
        if each.results not in old and not (is_bad and each.name in good):
            kept.append(each)
    return kept[::-1]


def _streak(files: Sequence[FileResults], now: datetime) -> Sequence[FileResults]:
    """Return the last files of which no row counts; none if that can be chance.

    A file for each lead, and every tenth is wrong: then one lost file says nothing. So they are
    compared with the share that the files before them have lost.
    """
    start = len(files)
    while start and _is_lost(files[start - 1]):
        start -= 1
    streak, before = files[start:], files[:start]
    if not streak:
        return streak
    since = _time(streak[0].arrived_at)
    is_rare = not before or since - _time(before[-1].arrived_at) >= _RARE
    if is_rare and now - since >= _NOTHING_FOR:
        return streak
    rows = sum(each.rows for each in before)
    usual = max(_LEAST_USUAL, (sum(map(_lost, before)) + 0.5) / (rows + 10))
    lost = sum(each.rows for each in streak)
    chance = _CHANCE + math.log(max(1, len(before) / _FILES))
    return streak if surprise(lost, lost, usual) >= chance - 1e-9 else []


def _final_ones(files: Sequence[FileResults], now: datetime) -> list[FileResults]:
    """Return the files before the first one of the last day that waits for outcomes.

    What is rejected is known at once, what is counted only later: of files that wait, nothing can
    be said yet.
    """
    oldest = (now - _A_DAY).isoformat(timespec="seconds")
    found = []
    for each in files:
        if not each.is_open:
            found.append(each)
        elif each.arrived_at >= oldest:
            break
    return found


# ── other concerns about files with results ──────────────────────────────────────────────────


def _stopped(profile: str, files: Sequence[FileResults], given: Watch) -> Iterator[Concern]:
    """Yield a concern for each code that has stopped files which were not completed since.

    A file of another name has other rows. One without rows lacks nothing: the run has told it.
    """
    by_code: dict[str, list[FileResults]] = defaultdict(list)
    limit, old = given.limit(STOPPED_FOR), replaced(files)
    for each in reversed(files):
        is_told = each.code != "NO_ROWS" and each.finished_at >= limit
        if each.status == "stopped" and is_told and each.results not in old:
            by_code[each.code].append(each)
    for code, stopped in by_code.items():
        names = [*dict.fromkeys(each.name for each in stopped)]
        named = ", ".join(names[:_MOST_NAMES])
        cause = f" ({stopped[0].cause})" if stopped[0].cause else ""
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield Concern(
            "file_stopped",
            f"{profile}:{code}",
            min(_time(each.finished_at) for each in stopped),
            f"{named}{more}: {code}: {lookup(code).meaning}{cause}",
            action=lookup(code).action_if_stopped,
            link=given.report_of(stopped[0]),
        )


def _shape(name: str) -> str:
    """`sales-2026-11-24.csv` → `sales-#-#-#.csv`: a profile may get several kinds of files."""
    return re.sub(r"\d+", "#", name)


def _volume(profile: str, files: Sequence[FileResults], given: Watch) -> Iterator[Concern]:
    """Yield a concern for each kind of file whose last one is far smaller than those before it."""
    limit = given.limit()
    by_shape: dict[str, list[FileResults]] = {}
    for each in reversed(files):
        shape = _shape(each.name)
        group = by_shape.setdefault(shape, []) if each.finished_at >= limit else by_shape.get(shape)
        if group is not None and len(group) <= _VOLUME_FILES:
            group.append(each)
        elif each.finished_at < limit and all(len(g) > _VOLUME_FILES for g in by_shape.values()):
            break
    for shape, (last, *before) in by_shape.items():
        if len(before) < _VOLUME_FILES or last.finished_at < limit:
            continue
        usual = median(each.counts.get("rows", 0) for each in before)
        rows = last.counts.get("rows", 0)
        if usual > _VOLUME_ROWS and rows < _VOLUME_SHARE * usual:
            what = f"{last.name} has {number_of_rows(rows)}; usual are {usual:,.0f}"
            since = _time(last.finished_at)
            about = f"{profile}/{shape}"
            yield Concern("volume_fell", about, since, what, link=given.report_of(last))


def _nothing_new(profile: str, files: Sequence[FileResults], given: Watch) -> Iterator[Concern]:
    known = [each for each in files if each.rows]
    repeated = _repeated(known)
    limit = given.limit()
    last = [each for each in known[len(known) - repeated :] if each.arrived_at >= limit]
    if len(last) < _REPEATED_FILES:
        return
    most, before = 0, known[: len(known) - repeated]
    while before:
        earlier = _repeated(before)
        most, before = max(most, earlier), before[: len(before) - earlier - 1]
    if repeated <= _LONGER * most:
        return
    since = _time(known[-repeated].arrived_at)
    what = f"All rows of the last {repeated} files of {profile} are duplicates"
    yield Concern("nothing_new", profile, since, what, link=given.report_of(last[-1]))


def _repeated(files: Sequence[FileResults]) -> int:
    """Return how many of the last files bring nothing new."""
    last = reversed(files)
    return len([*itertools.takewhile(lambda f: f.counts.get("duplicate", 0) == f.rows, last)])


def _test_mode(profile: str, files: Sequence[FileResults], given: Watch) -> Iterator[Concern]:
    first = None
    for each in reversed(files):
        if not each.validate_only:
            break
        first = each
    if first is None or files[-1].arrived_at < given.limit(TEST_MODE_FOR):
        return
    since = _time(first.arrived_at)
    if given.now - since > TEST_MODE_FOR:
        what = f"{profile} has had validate_only since {since:%Y-%m-%d} or longer"
        yield Concern("test_mode", profile, since, what, link=given.report_of(files[-1]))


def _filter(profile: str, files: Sequence[FileResults], given: Watch) -> Iterator[Concern]:
    if not files or files[-1].finished_at < given.limit():
        return
    last = files[-1]
    codes = {*last.alerts.split()} - {"FILTER_KEEPS_NO_ROW"}
    skipped = 0
    for each in reversed(files):
        if each.rows:
            break
        skipped += each.counts.get("skipped", 0)
    if skipped >= _FILTERED_ROWS:
        codes = {"FILTER_KEEPS_NO_ROW"}
    for code in sorted(codes):
        what = f"{last.name}: {code}: {lookup(code).meaning}"
        since, about = _time(last.finished_at), f"{profile}:{code}"
        yield Concern("filter_mismatch", about, since, what, link=given.report_of(last))


# ── files that do not come ───────────────────────────────────────────────────────────────────


def _expect_of(profiles: Mapping[str, Any] | None, name: str) -> str:
    profile = (profiles or {}).get(name)
    text = profile.get("expect") if isinstance(profile, Mapping) else None
    return text if isinstance(text, str) else ""


def _arrivals(given: Watch, files: Mapping[str, list[FileResults]]) -> dict[str, Arrivals]:
    """Return when files of each profile arrived, as known and as seen now."""
    seen, known, now = given.seen, given.known.profiles, given.now
    names = {*files, *seen.newest, *(known if given.profiles is None else given.profiles)}
    names |= {*known}.intersection(given.settings.no_file_folders)
    found = {}
    for name in sorted(names):
        before = known.get(name, Arrivals(now))
        expect = _expect_of(given.profiles, name)
        if given.profiles is not None and before.expect != expect:
            before = replace(before, watched_since=now, expect=expect)
        times = [_time(each.arrived_at) for each in files.get(name, ())]
        newest = [seen.newest[name]] if name in seen.newest else []
        first = min((t for t in (before.first, *times, *newest) if t), default=None)
        last = max((t for t in (before.last, *times, *newest) if t), default=None)
        gap = before.longest_gap
        if first is not None and last != before.last:
            learned = longest_gap(sorted({*times, *newest}), first)
            gap = learned.total_seconds() if learned is not None else gap
        found[name] = replace(before, first=first, last=last, longest_gap=gap)
    return found


def _no_file(given: Watch, profiles: Mapping[str, Arrivals]) -> Iterator[Concern]:
    settings, now = given.settings, given.now
    calendar, problems = calendar_of(settings)
    for problem in problems:
        name = problem.partition(":")[0]
        yield Concern("watch_unclear", name, now, problem)
    if given.profiles is None:
        # Not known now, and not over.
        for key, before in given.known.concerns.items():
            kind, _, about = key.partition(":")
            if kind.startswith(("no_file", "watch_unclear")):
                yield Concern(kind, about, before.since, before.what)
        return
    said = {name for name in given.profiles if _expect_of(given.profiles, name)}
    for name in sorted(said):
        text = _expect_of(given.profiles, name)
        try:
            expectation = parse_expectation(text)
        except ValueError as error:
            yield Concern("watch_unclear", name, now, f"expect of the profile {name}: {error}")
            continue
        if expectation is not None:
            yield from _unmet(name, expectation, profiles[name], calendar, given)
    if settings.no_file_hours is not None:
        yield from _none_for_hours(settings.no_file_hours, profiles, calendar, given)
        return
    for name in given.profiles.keys() - said:
        yield from _none_as_usual(name, profiles[name], calendar, given)


def _unmet(
    name: str, expectation: ExpectedDays, arrivals: Arrivals, calendar: Calendar, given: Watch
) -> Iterator[Concern]:
    """Yield the concern that the file after the last one did not come by its time."""
    grace = timedelta(minutes=given.settings.no_file_grace_minutes)
    after = arrivals.watched_since
    if arrivals.last is not None:
        met = expectation.next_due(arrivals.last - grace, calendar)
        after = max(after, met) if met is not None else after
    due = expectation.next_due(after, calendar)
    if due is None or given.now <= due + grace:
        return
    last = f"the last came {_minute(arrivals.last)}" if arrivals.last else "none ever came"
    what = f"No file of {name} by {due:%Y-%m-%d %H:%M %Z} ({arrivals.expect}); {last}"
    yield Concern("no_file", name, due, what)


def _none_for_hours(
    hours: float, profiles: Mapping[str, Arrivals], calendar: Calendar, given: Watch
) -> Iterator[Concern]:
    """Yield a concern for each watched folder without a file for so long.

    A folder that never had a file is new, so nothing is expected in it yet.
    """
    last = {name: each.last for name, each in profiles.items() if each.last is not None}
    watched = {name: last[name] for name in given.settings.no_file_folders if name in last}
    if not given.settings.no_file_folders and last:
        watched = {"": max(last.values())}
    most = timedelta(hours=hours, minutes=given.settings.no_file_grace_minutes)
    for name, since in watched.items():
        if expected_time(since, given.now, calendar) > most:
            where = f"No file in {name}" if name else "No file"
            yield Concern("no_file", name, since, f"{where} since {_minute(since)}")


def _none_as_usual(
    name: str, arrivals: Arrivals, calendar: Calendar, given: Watch
) -> Iterator[Concern]:
    if arrivals.last is None or arrivals.longest_gap is None:
        return
    gap = timedelta(seconds=arrivals.longest_gap)
    if expected_time(arrivals.last, given.now, calendar) > usual_limit(gap):
        days = gap.total_seconds() / 86400
        what = (
            f"No file of {name} since {_minute(arrivals.last)}; the longest gap was {days:.1f} days"
        )
        yield Concern("no_file_as_usual", name, arrivals.last, what)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


# ── what the sweep has looked up ─────────────────────────────────────────────────────────────


def _facts(given: Watch) -> Iterator[Concern]:
    seen, now = given.seen, given.now
    if seen.unstarted:
        oldest = seen.unstarted[0]
        since = oldest.updated or now
        what = f"{_named(oldest)}, uploaded {_minute(since)}: no event has started it"
        yield Concern("events_missing", "", since, what + _and_more(seen.unstarted))
    if seen.unfinished:
        oldest, cause = seen.unfinished[0]
        since = oldest.updated or now
        why = f" ({cause})" if cause else ""
        what = f"{_named(oldest)} has no results since {_minute(since)}{why}"
        yield Concern("file_unfinished", "", since, what + _and_more(seen.unfinished))
    for each in seen.left:
        since = each.source.created or each.source.updated or now
        what = f"{_named(each.source)}: {each.reason}, since {_minute(since)}"
        yield Concern("file_ignored", run_id(each.source), since, what)
    by_code: dict[str, list[BlockedFollowUp]] = defaultdict(list)
    for blocked in seen.blocked:
        by_code[blocked.code].append(blocked)
    for code, group in by_code.items():
        what = f"{_named(group[0].source)}: {code}: {lookup(code).meaning}{_and_more(group)}"
        yield Concern("follow_up_blocked", code, now, what, action=lookup(code).action)
    if seen.drill:
        yield Concern("drill", "", now, "Somebody tests whether notifications arrive")


def _named(source: StoredObject) -> str:
    return f"{source.bucket}/{source.name}"


def _and_more(things: Sequence[object]) -> str:
    return f"; and {len(things) - 1} more" if len(things) > 1 else ""
