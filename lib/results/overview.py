"""The overview of all files: `index.html` in the output bucket.

It is made of what a listing shows of the runs, so no results document is read.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from lib.catalogue.codes import CATALOGUE, lookup
from lib.catalogue.texts import first_sentence, number_of
from lib.model.money import Sum
from lib.results.headline import Tone, is_mostly_lost, took_of
from lib.results.names import report_name, results_name, rows_to_fix, without_suffix
from lib.results.page import bucket_address, money, render
from lib.state.runs import RunEntry

MOST_FILES: Final = 40
RECENT: Final = timedelta(days=7)
"""A file that came so long before the newest one is no reason to act any more."""
_CODE: Final = r"\b[A-Z]+_[A-Z_]+\b"


def render_overview(
    bucket: str, entries: Iterable[RunEntry], problems: Iterable[Mapping[str, str]]
) -> str:
    """Return the page. `problems` are the open ones, dearest first: for each its title, kind,
    severity, profile, detail, what is at stake, and what to do."""
    newest = heapq.nlargest(
        MOST_FILES, entries, key=lambda entry: (entry.arrived, entry.generation)
    )
    originals = {rows_to_fix(entry.name): entry for entry in reversed(newest)}
    files = [_shown(bucket, entry, originals) for entry in newest]
    addresses = {file["name"]: file["address"] for file in reversed(files) if file["has_report"]}
    problems = list(problems)
    return render(
        "overview.html",
        bucket=bucket,
        tone=_worst(problems, files),
        problems=[
            {**problem, "detail": _with_links(problem["detail"], addresses)} for problem in problems
        ],
        losing=_losing(files),
        files=files,
        most_files=MOST_FILES,
    )


def _worst(problems: Sequence[Mapping[str, str]], files: Sequence[Mapping[str, Any]]) -> Tone:
    """Return how serious the open problems are: as the files that they name, if they name any."""
    if not problems:
        return "correct" if _losing(files) else "done"
    for problem in problems:
        tones = {file["tone"] for file in files if file["name"] in problem["detail"]}
        if "alarm" in tones or (not tones and problem["severity"] == "ERROR"):
            return "alarm"
    return "correct"


def _losing(files: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the files of the last days with rows that do not count, without those that a later one
    corrects."""
    found, later = [], set[str]()
    for file in files:
        name = without_suffix(file["name"])
        is_old = files[0]["arrived_at"] - file["arrived_at"] > RECENT
        is_corrected = bool({name, rows_to_fix(name)} & later)
        if file["tone"] in ("alarm", "correct") and not is_old and not is_corrected:
            found.append(file)
        later.add(name)
    return found


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


def _shown(bucket: str, entry: RunEntry, originals: Mapping[str, RunEntry]) -> dict[str, Any]:
    """Return what the page says of a file. `originals` are the files whose rows `fix` may have
    written, by the name of the file that it writes, without a suffix."""
    tone, text = _summary(entry)
    original = originals.get(without_suffix(entry.name))
    return {
        "name": entry.name,
        "address": _report_address(bucket, entry),
        "corrects": original.name if original else "",
        "corrects_address": _report_address(bucket, original) if original else "",
        "has_report": entry.is_read or bool(entry.stop) or entry.superseded,
        "arrived_at": entry.arrived,
        "arrived": entry.arrived.isoformat(timespec="seconds"),
        "tone": tone,
        "text": text,
        "rows": sum(entry.totals.outcomes.values()),
    }


def _report_address(bucket: str, entry: RunEntry) -> str:
    return bucket_address(bucket, report_name(results_name(entry.name, entry.generation)))


def _summary(entry: RunEntry) -> tuple[Tone, str]:
    """Return how serious it is, and what happened to the file in one or two sentences."""
    outcomes = entry.totals.outcomes
    if entry.superseded:
        return "done", "Another version of the file has replaced this one."
    if entry.stop:
        return "alarm", f"The file was stopped: {first_sentence(lookup(entry.stop).meaning)}."
    if not entry.is_read:
        return "wait", "In progress."
    uploaded = entry.totals.money.get("uploaded", {})
    worth = money({currency: Sum(1, micros) for currency, micros in uploaded.items()})
    refunds, what = entry.totals.corrections, "sale" if entry.totals.money else "row"
    took = took_of(outcomes, refunds, worth, what)
    text = f"{took}." if took else ""
    what = "row" if refunds else what
    if entry.lost:
        tone: Tone = "alarm" if is_mostly_lost(outcomes, entry.totals.money) else "correct"
        code = entry.totals.code
        why = f" Most frequent reason: {first_sentence(lookup(code).meaning)}." if code else ""
        verb = "does" if entry.lost == 1 else "do"
        return tone, f"{text} {number_of(entry.lost, what)} {verb} not count.{why}"
    if deferred := outcomes.get("deferred"):
        verb = "is" if deferred == 1 else "are"
        return (
            "wait",
            f"{text} {number_of(deferred, what)} {verb} sent again automatically.".strip(),
        )
    return "done" if outcomes.get("uploaded") or outcomes.get("duplicate") else "wait", text
