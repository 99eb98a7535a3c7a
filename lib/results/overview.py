"""The overview of all files: `index.html` in the output bucket.

It is made of what a listing shows of the runs, so no results document is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from lib.catalogue.codes import lookup
from lib.catalogue.open_problems import FILE_UNFINISHED, TOLD_FOR, Found, OpenProblem
from lib.catalogue.texts import for_owner, number_of
from lib.model.totals import Totals
from lib.results.fix_files import fix_files_by_run
from lib.results.names import report_name, results_name
from lib.results.page import bucket_address, render
from lib.results.sentences import (
    NOBODY,
    NOBODY_NOW,
    Headline,
    Number,
    StatusWord,
    Tone,
    headline_of,
    numbers_of,
)
from lib.state.runs import RunEntry, newest_sent

MAX_FILES: Final = 40
SUMMED_DAYS: Final = (7, 30)
_NOT_WELL: Final = ("needs attention", "stopped")


class ShownFile(NamedTuple):
    """What the page says of a file. `address` is that of its report; empty: it has none."""

    entry: RunEntry
    address: str
    headline: Headline
    why: str


class ProblemLine(NamedTuple):
    """What is said of a file, or of another thing: `file` is its name, if it has a report."""

    file: str
    address: str
    text: str


class ProblemCard(NamedTuple):
    """The open problems of one file, or of other things: the first of them is the dearest."""

    problems: Sequence[OpenProblem]
    lines: Sequence[ProblemLine]


class ProfileSums(NamedTuple):
    """The numbers of a profile's files of the last days, and how many of their rows Google had
    before, which the numbers leave out, for each of `SUMMED_DAYS`."""

    profile: str
    numbers: Sequence[tuple[Sequence[Number], int]]


class Banner(NamedTuple):
    """What all files come to, and the next step. `file` is the one whose report has it."""

    status: StatusWord
    tone: Tone
    line: str
    step: str
    file: ShownFile | None = None


def render_overview(
    bucket: str,
    entries: Iterable[RunEntry],
    problems: Sequence[OpenProblem],
    as_of: datetime,
    unreadable: Mapping[str, str] = {},
) -> str:
    """Return the page. `problems` are the open ones, dearest first. `unreadable` are the names of
    files whose state cannot be read, each with the code of the reason."""
    entries = sorted(entries, key=lambda entry: (entry.arrived, entry.generation), reverse=True)
    late = {found.run for each in problems if each.kind is FILE_UNFINISHED for found in each.found}
    files = [_shown_file(entry, bucket, is_late=entry.key in late) for entry in entries]
    by_run, sent_again = {file.entry.key: file for file in files}, _sent_again(entries)
    return render(
        "overview.html",
        bucket=bucket,
        as_of=as_of,
        banner=_banner(problems, files, by_run, sent_again, unreadable),
        problems=[
            ProblemCard(group, [_line(found, by_run) for each in group for found in each.found])
            for group in _by_file(problems)
        ],
        unreadable=[(name, lookup(code)) for name, code in sorted(unreadable.items())],
        sums=[*_sums_by_profile(entries, sent_again, as_of)],
        summed_days=SUMMED_DAYS,
        files=files[:MAX_FILES],
        most_files=MAX_FILES,
    )


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def _shown_file(entry: RunEntry, bucket: str, *, is_late: bool) -> ShownFile:
    if not (entry.is_published or entry.superseded):
        return ShownFile(entry, "", *_without_results(entry, is_late=is_late))
    name = report_name(results_name(entry.name, entry.generation))
    address = bucket_address(bucket, name) if entry.is_published else ""
    headline, totals = headline_of_entry(entry), entry.totals
    code = entry.stop or (totals.reason if totals.lost else "")
    why = lookup(code).summary if code else ""
    if headline.status == "needs attention":
        is_said = headline.code == code
        why = f"Main reason: {why}" if why and not is_said else ""
    return ShownFile(entry, address, headline, why)


def headline_of_entry(entry: RunEntry) -> Headline:
    """Return what a listing says of a file that has results, as its report does."""
    return headline_of(
        entry.totals,
        [entry.blocked, *entry.looks] if entry.blocked else entry.looks,
        stop=entry.stop,
        is_superseded=entry.superseded,
        is_check=entry.validate_only,
    )


def _without_results(entry: RunEntry, *, is_late: bool) -> tuple[Headline, str]:
    """Return what is said of a file without results, and why it has none. `is_late`: that is an
    open problem."""
    cause = entry.stop or entry.cause
    why = lookup(cause).summary if cause else ""
    attempts = number_of(entry.attempts, "attempt")
    if entry.is_settled:
        line = f"It has no results after {attempts}. Some of its rows may have reached Google."
        return Headline("stopped", "red", line, code=cause), why
    if entry.attempts == 1 and not cause and not is_late:
        return Headline(
            "waiting", "amber", "It has no results yet: the first attempt is running."
        ), ""
    line = f"It has no results yet, after {attempts}."
    return Headline("needs attention" if is_late else "waiting", "amber", line), why


# ── what to do ───────────────────────────────────────────────────────────────────────────────────


def _banner(
    problems: Sequence[OpenProblem],
    files: Sequence[ShownFile],
    by_run: Mapping[str, ShownFile],
    sent_again: Mapping[str, int],
    unreadable: Mapping[str, str],
) -> Banner:
    if problems:
        first, named = problems[0], _files_of(problems[0], by_run)
        line = number_of(count := len(_by_file(problems)), "open problem")
        if count > 1:
            line += ". The most costly" if first.at_stake else ". The first"
        line += f"{first.at_stake and f', {first.at_stake}'}: {first.title}."
        report = next((file for file in named if file.address), None)
        return Banner("needs attention", _worst(problems, by_run), line, first.action, report)
    if unreadable:
        code = lookup(next(iter(unreadable.values())))
        line = f"The state of {number_of(len(unreadable), 'file')} cannot be read."
        return Banner("needs attention", "amber", line, code.action)
    urgent = [
        file
        for file in _recent(files)
        if file.headline.status in _NOT_WELL
        and sent_again.get(file.entry.key, -1) < file.entry.totals.lost
    ]
    if urgent:
        verb = "needs" if len(urgent) == 1 else "need"
        line = f"No large problem. {number_of(len(urgent), 'file')} {verb} attention."
        report = next((file for file in urgent if file.address), None)
        step = "Do the next step of the report of" if report else "See the file below."
        return Banner("needs attention", "amber", line, step, report)
    if waiting := [file for file in files if file.headline.status == "waiting"]:
        line = f"No open problems. {number_of(len(waiting), 'file')} not finished yet."
        return Banner("waiting", "amber", line, NOBODY_NOW)
    if not files:
        return Banner(
            "waiting", "amber", "No file has come yet.", for_owner("Upload the first file.")
        )
    return Banner("done", "green", "No open problems.", NOBODY)


def _recent(files: Sequence[ShownFile]) -> list[ShownFile]:
    """Return the files of which something became known in the days before the last news of any:
    Google may refuse a row days after its file came."""

    def known_at(file: ShownFile) -> datetime:
        return file.entry.changed_at or file.entry.arrived

    last_news = max(map(known_at, files), default=datetime.min)
    return [file for file in files if last_news - known_at(file) <= TOLD_FOR]


def _by_file(problems: Sequence[OpenProblem]) -> list[list[OpenProblem]]:
    """Group the problems: those of one and the same file are one."""
    groups: dict[str, list[OpenProblem]] = {}
    for number, problem in enumerate(problems):
        runs = {each.run for each in problem.found}
        key = runs.pop() if len(runs) == 1 else ""
        groups.setdefault(key or str(number), []).append(problem)
    return [*groups.values()]


def _files_of(problem: OpenProblem, by_run: Mapping[str, ShownFile]) -> list[ShownFile]:
    return [by_run[each.run] for each in problem.found if each.run in by_run]


def _worst(problems: Sequence[OpenProblem], by_run: Mapping[str, ShownFile]) -> Tone:
    """Return how serious the open problems are: as their files, if they have any."""
    for problem in problems:
        tones = {file.headline.tone for file in _files_of(problem, by_run)}
        if "red" in tones or (not tones and problem.kind.severity == "ERROR"):
            return "red"
    return "amber"


def _line(found: Found, by_run: Mapping[str, ShownFile]) -> ProblemLine:
    """Return a line whose file links to its report, if there is one."""
    file = by_run.get(found.run)
    if file is None or not file.address:
        return ProblemLine("", "", found.line)
    name = file.entry.name
    return ProblemLine(name, file.address, found.line.removeprefix(name))


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────


def _sums_by_profile(
    entries: Sequence[RunEntry], sent_again: Mapping[str, int], as_of: datetime
) -> Iterable[ProfileSums]:
    """Yield the sums of each profile, the one with most money first."""
    by_profile: dict[str, list[RunEntry]] = {}
    for entry in entries:
        if entry.is_published and not entry.superseded and not entry.validate_only:
            by_profile.setdefault(entry.profile, []).append(entry)
    sums = {
        profile: [
            _sum_of((each for each in files if as_of - each.arrived <= period), sent_again)
            for period in map(timedelta, SUMMED_DAYS)
        ]
        for profile, files in by_profile.items()
    }

    def rank(profile: str) -> tuple[int, str]:
        of_most_days, _ = sums[profile][-1]
        money = of_most_days.meant_money().values()
        return -max((each.micros for each in money), default=0), profile

    for profile in sorted(sums, key=rank):
        yield ProfileSums(profile, [(numbers_of(total), had) for total, had in sums[profile]])


def _sum_of(entries: Iterable[RunEntry], sent_again: Mapping[str, int]) -> tuple[Totals, int]:
    """Add up files. A sale that is in many of them was taken once, and lost rows that a newer file
    has are counted there. Returns also how many rows Google had before: most are of earlier files,
    and some of attempts whose answers got lost."""
    total, had_before = Totals(), 0
    for entry in entries:
        of_file = entry.totals
        had_before += of_file.before
        if entry.key in sent_again:
            of_file = of_file.without_lost()
            total.add_plain("rejected", max(0, entry.totals.lost - sent_again[entry.key]))
        total.add(of_file.without_duplicates())
        total.other_currencies += of_file.other_currencies
    return total, had_before


def _sent_again(entries: Sequence[RunEntry]) -> dict[str, int]:
    """Return how many lost rows of a file are in a newer one, which says what became of them, by
    the key of the file. The newer one is that of `fix`, or, if the file was stopped or only
    checked, one of its name.
    """
    found = {
        key: sum(part.totals.meant for part in parts)
        for key, parts in fix_files_by_run(entries).items()
    }
    newest = newest_sent(entries)
    for entry in entries:
        is_unsent = entry.stop or entry.validate_only
        if is_unsent and entry.generation < newest.get(entry.name, 0):
            found[entry.key] = entry.totals.lost
    return found
