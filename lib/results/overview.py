"""The overview of all files: `index.html` in the output bucket.

It is made of what a listing shows of the runs, so no results document is read.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from lib.catalogue.codes import CATALOGUE, lookup
from lib.catalogue.texts import first_sentence
from lib.results.headline import Tone, again, joined, not_counted, took
from lib.results.names import report_name, results_name, uncorrected
from lib.results.page import bucket_address, render
from lib.state.runs import RunEntry

MOST_FILES: Final = 40
RECENT: Final = timedelta(days=7)
"""A file that came so long before the newest one is no reason to act any more."""
_LOSING: Final = ("alarm", "correct")
_CODE: Final = r"\b[A-Z]+_[A-Z_]+\b"


class ShownFile(NamedTuple):
    """What the page says of a file. `address` is that of its report; empty: it has none yet."""

    entry: RunEntry
    address: str
    tone: Tone
    text: str


def render_overview(
    bucket: str, entries: Iterable[RunEntry], problems: Iterable[Mapping[str, str]]
) -> str:
    """Return the page. `problems` are the open ones, dearest first: for each its title, kind,
    severity, profile, detail, what is at stake, and what to do."""
    newest = heapq.nlargest(
        MOST_FILES, entries, key=lambda entry: (entry.arrived, entry.generation)
    )
    files = [ShownFile(entry, _address(bucket, entry), *_summary(entry)) for entry in newest]
    addresses = {file.entry.name: file.address for file in reversed(files) if file.address}
    problems = list(problems)
    recent = [entry for entry in newest if newest[0].arrived - entry.arrived <= RECENT]
    current = {entry.key for entry in uncorrected(recent)}
    losing = [file for file in files if file.tone in _LOSING and file.entry.key in current]
    return render(
        "overview.html",
        bucket=bucket,
        tone=_worst(problems, files) if problems else "correct" if losing else "done",
        problems=[
            {**problem, "detail": _with_links(problem["detail"], addresses)} for problem in problems
        ],
        losing=losing,
        files=files,
        most_files=MOST_FILES,
    )


def _address(bucket: str, entry: RunEntry) -> str:
    if not entry.is_published:
        return ""
    return bucket_address(bucket, report_name(results_name(entry.name, entry.generation)))


def _summary(entry: RunEntry) -> tuple[Tone, str]:
    """Return how serious it is, and what happened to the file in one or two sentences."""
    if entry.superseded:
        return "done", "Another version of the file has replaced this one."
    if entry.stop:
        return "alarm", f"The file was stopped: {first_sentence(lookup(entry.stop).meaning)}."
    if not entry.is_published:
        return "wait", "In progress."
    totals = entry.totals
    lost = not_counted(totals.lost, totals) if totals.lost else ""
    code = totals.code if totals.lost else ""
    why = f"Most frequent reason: {first_sentence(lookup(code).meaning)}." if code else ""
    text = joined((took(totals), lost, why, again(totals)))
    if totals.lost:
        return "alarm" if totals.is_mostly_lost else "correct", text
    is_final = not totals.waiting and bool(totals.count("uploaded", "duplicate"))
    return "done" if is_final else "wait", text


def _worst(problems: Sequence[Mapping[str, str]], files: Sequence[ShownFile]) -> Tone:
    """Return how serious the open problems are: as the files that they name, if they name any."""
    for problem in problems:
        tones = {file.tone for file in files if file.entry.name in problem["detail"]}
        if "alarm" in tones or (not tones and problem["severity"] == "ERROR"):
            return "alarm"
    return "correct"


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
