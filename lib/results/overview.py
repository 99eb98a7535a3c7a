"""The overview of all files: `index.html` in the output bucket.

It is made of what a listing shows of the runs, so no results document is read.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from lib.catalogue.codes import CATALOGUE, lookup
from lib.catalogue.texts import first_sentence, number_of
from lib.model.totals import Totals
from lib.results.names import report_name, results_name, rows_to_fix
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
    with_sentence,
)
from lib.source.names import without_suffix
from lib.state.runs import RunEntry, newest_well

MOST_FILES: Final = 40
RECENT: Final = timedelta(days=7)
"""A file that came this long before the newest one needs no action any more."""
LATE: Final = timedelta(hours=2)
"""A file without results after this time is one at which somebody must look."""
SUMMED_DAYS: Final = (7, 30)
_CODE: Final = r"\b[A-Z]+_[A-Z_]+\b"

ProblemTexts = Mapping[str, Any]
"""An open problem: its `title`, `kind`, `severity`, `profile`, `code`, `detail`, `at_stake`,
`action`, and `file`, the names of its files."""


class ShownFile(NamedTuple):
    """What the page says of a file. `address` is that of its report; empty: it has none."""

    entry: RunEntry
    address: str
    headline: Headline
    why: str


class ProblemCard(NamedTuple):
    """The open problems of one file, or of other things: the first of them is the dearest.

    `details` are parts of a text, each with the address to which it links, or "".
    """

    problems: Sequence[ProblemTexts]
    details: Sequence[Sequence[tuple[str, str]]]


class ProfileSums(NamedTuple):
    """The three numbers of a profile's files of the last days, for each of `SUMMED_DAYS`."""

    profile: str
    numbers: Sequence[Sequence[Number]]


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
    problems: Iterable[ProblemTexts],
    as_of: datetime,
    unreadable: Mapping[str, str] = {},
) -> str:
    """Return the page. `problems` are the open ones, dearest first. `unreadable` are the names of
    files whose state cannot be read, each with the code of the reason."""
    entries, problems = [*entries], [*problems]
    newest = heapq.nlargest(
        MOST_FILES, entries, key=lambda entry: (entry.arrived, entry.generation)
    )
    files = [_shown_file(entry, bucket, as_of) for entry in newest]
    addresses = {file.entry.name: file.address for file in reversed(files) if file.address}
    return render(
        "overview.html",
        bucket=bucket,
        as_of=as_of,
        banner=_banner(problems, files, entries, unreadable, as_of),
        problems=[
            ProblemCard(group, [_with_links(str(each["detail"]), addresses) for each in group])
            for group in _by_file(problems)
        ],
        unreadable=[(name, lookup(code)) for name, code in sorted(unreadable.items())],
        sums=[*_sums_by_profile(entries, as_of)],
        summed_days=SUMMED_DAYS,
        files=files,
        most_files=MOST_FILES,
    )


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def _shown_file(entry: RunEntry, bucket: str, as_of: datetime) -> ShownFile:
    if not (entry.is_published or entry.superseded):
        return ShownFile(entry, "", *_without_results(entry, as_of))
    name = report_name(results_name(entry.name, entry.generation))
    address = bucket_address(bucket, name) if entry.is_published else ""
    headline, totals = _headline_of(entry), entry.totals
    code = entry.stop or (totals.code if totals.lost else "") or entry.blocked
    why = f"{first_sentence(lookup(code).meaning)}." if code else ""
    if why and headline.status == "look" and not entry.blocked:
        why = f"Main reason: {why}"
    return ShownFile(entry, address, headline, why)


def _headline_of(entry: RunEntry) -> Headline:
    headline = headline_of(
        entry.totals,
        entry.looks,
        stop=entry.stop,
        is_superseded=entry.superseded,
        is_check=entry.validate_only,
    )
    if entry.blocked and headline.status in ("done", "waiting"):
        line = with_sentence(headline.line, "What Google says later cannot be read.")
        return headline._replace(status="look", tone="amber", line=line)
    return headline


def _without_results(entry: RunEntry, as_of: datetime) -> tuple[Headline, str]:
    """Return what is said of a file without results, and why it has none."""
    cause = entry.stop or entry.cause
    why = f"{first_sentence(lookup(cause).meaning)}." if cause else ""
    attempts = number_of(entry.attempts, "attempt")
    if entry.is_settled:
        line = f"It has no results after {attempts}. Some of its rows may have reached Google."
        return Headline("stopped", "red", line, code=cause), why
    if entry.attempts == 1 and not cause and as_of - entry.arrived < LATE:
        return Headline(
            "waiting", "amber", "It has no results yet: the first attempt is running."
        ), ""
    line = f"It has no results yet, after {attempts}."
    is_late = as_of - entry.arrived >= LATE
    return Headline("look" if is_late else "waiting", "amber", line), why


# ── what to do ───────────────────────────────────────────────────────────────────────────────────


def _banner(
    problems: Sequence[ProblemTexts],
    files: Sequence[ShownFile],
    entries: Sequence[RunEntry],
    unreadable: Mapping[str, str],
    as_of: datetime,
) -> Banner:
    by_name = {file.entry.name: file for file in reversed(files)}
    if problems:
        first = problems[0]
        named = [by_name[name] for name in _files_of(first, by_name) if by_name[name].address]
        at_stake = f" The dearest: {first['at_stake']}." if first["at_stake"] else ""
        line = f"{number_of(len(_by_file(problems)), 'open problem')}.{at_stake}"
        step = f"{first['title']}: {first['action']}"
        tone = _worst(problems, by_name)
        return Banner("look", tone, line, step, named[0] if named else None)
    if unreadable:
        code = lookup(next(iter(unreadable.values())))
        line = f"The state of {number_of(len(unreadable), 'file')} cannot be read."
        return Banner("look", "amber", line, code.action)
    newest = files[0].entry.arrived if files else as_of
    fixed = _fixed(entries)
    current = [
        file
        for file in files
        if newest - file.entry.arrived <= RECENT and file.entry.key not in fixed
    ]
    to_look = [file for file in current if file.headline.status in ("look", "stopped")]
    if to_look:
        count = number_of(len(to_look), "file")
        verb = "needs" if len(to_look) == 1 else "need"
        first_file = next((file for file in to_look if file.address), None)
        step = "Do the next step of the report of" if first_file else "See the file below."
        line = f"No large problem. {count} {verb} a look."
        return Banner("look", "amber", line, step, first_file)
    if waiting := [file for file in files if file.headline.status == "waiting"]:
        line = f"No open problems. {number_of(len(waiting), 'file')} not finished yet."
        return Banner("waiting", "amber", line, NOBODY_NOW)
    if not files:
        return Banner("waiting", "amber", "No file has come yet.", "Upload the first file.")
    return Banner("done", "green", "No open problems.", NOBODY)


def _by_file(problems: Sequence[ProblemTexts]) -> list[list[ProblemTexts]]:
    """Group the problems: those of one and the same file are one."""
    groups: list[list[ProblemTexts]] = []
    of_file: dict[tuple[str, str], list[ProblemTexts]] = {}
    for problem in problems:
        names: Sequence[str] = problem.get("file") or []
        key = (str(problem["profile"]), names[0]) if len(names) == 1 else None
        if key is not None and key in of_file:
            of_file[key].append(problem)
            continue
        groups.append([problem])
        if key is not None:
            of_file[key] = groups[-1]
    return groups


def _files_of(problem: ProblemTexts, names: Iterable[str]) -> list[str]:
    """Return those of these names that a problem names, in its order."""
    said = "\n".join([*(problem.get("file") or ()), problem["detail"]])
    return sorted((name for name in names if name in said), key=said.index)


def _worst(problems: Sequence[ProblemTexts], files: Mapping[str, ShownFile]) -> Tone:
    """Return how serious the open problems are: as the files that they name, if they name any."""
    for problem in problems:
        tones = {files[name].headline.tone for name in _files_of(problem, files)}
        if "red" in tones or (not tones and problem["severity"] == "ERROR"):
            return "red"
    return "amber"


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────


def _sums_by_profile(entries: Sequence[RunEntry], as_of: datetime) -> Iterable[ProfileSums]:
    """Yield the sums of each profile, the one with most money first."""
    fixed = _fixed(entries)
    by_profile: dict[str, list[RunEntry]] = {}
    for entry in entries:
        if entry.is_published and not entry.superseded and not entry.validate_only:
            by_profile.setdefault(entry.profile, []).append(entry)
    totals = {
        profile: [
            _sum_of([each for each in files if as_of - each.arrived <= timedelta(days=days)], fixed)
            for days in SUMMED_DAYS
        ]
        for profile, files in by_profile.items()
    }

    def rank(profile: str) -> tuple[int, str]:
        of_most_days = totals[profile][-1].meant_money()
        return -max((each.micros for each in of_most_days.values()), default=0), profile

    for profile in sorted(totals, key=rank):
        yield ProfileSums(profile, [numbers_of(each) for each in totals[profile]])


def _sum_of(entries: Sequence[RunEntry], fixed: set[str]) -> Totals:
    """Add up files. What was lost and sent again in a file of `fix` is not lost."""
    total = Totals()
    for entry in entries:
        of_file = entry.totals.without_lost() if entry.key in fixed else entry.totals
        total.add(of_file)
        total.other_currencies += of_file.other_currencies
    return total


def _fixed(entries: Sequence[RunEntry]) -> set[str]:
    """Return the keys of the files whose rows a later file has: one that `fix` has written, or, for
    a file that was stopped, a newer one of its name that is well."""
    fixed, later, well = set[str](), dict[str, datetime](), newest_well(entries)
    for entry in entries:
        name = without_suffix(entry.name)
        later[name] = max(entry.arrived, later.get(name, entry.arrived))
    for entry in entries:
        corrected_at = later.get(rows_to_fix(entry.name, entry.generation))
        is_corrected = corrected_at is not None and corrected_at >= entry.arrived
        if is_corrected or (entry.stop and entry.generation < well.get(entry.name, 0)):
            fixed.add(entry.key)
    return fixed


def _with_links(detail: str, addresses: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the parts of a detail, each with the address to which it links, or "".

    A file links to its report. A code is replaced by its sentence.
    """
    names = sorted(addresses, key=len, reverse=True)
    wanted = [*(rf"(?<![\w./-]){re.escape(name)}(?![\w./-])" for name in names), _CODE]
    parts = re.split(f"({'|'.join(wanted)})", detail)
    return [(_in_words(part), addresses.get(part, "")) for part in parts if part]


def _in_words(part: str) -> str:
    return f"“{first_sentence(lookup(part).meaning)}”" if part in CATALOGUE else part
