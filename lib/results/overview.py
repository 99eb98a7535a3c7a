"""The overview of all files: `index.html` in the output bucket.

It is made of what a listing shows of the runs, so no results document is read.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lib.model.money import Sum
from lib.model.outcomes import OUTCOMES
from lib.results.names import report_name, results_name
from lib.results.page import bucket_address, money, render
from lib.state.runs import RunEntry

MOST_FILES: Final = 100


def render_overview(
    bucket: str, entries: Iterable[RunEntry], problems: Iterable[Mapping[str, str]]
) -> str:
    """Return the page. `problems` are the open ones, dearest first: for each its title, kind,
    profile, detail, what is at stake, and what to do."""
    newest = heapq.nlargest(
        MOST_FILES, entries, key=lambda entry: (entry.arrived, entry.generation)
    )
    return render(
        "overview.html",
        bucket=bucket,
        problems=list(problems),
        files=[_shown(bucket, entry) for entry in newest],
        most_files=MOST_FILES,
    )


def _shown(bucket: str, entry: RunEntry) -> dict[str, Any]:
    outcomes, uploaded = entry.totals.outcomes, entry.totals.money.get("uploaded", {})
    return {
        "name": entry.name,
        "address": bucket_address(bucket, report_name(results_name(entry.name, entry.generation))),
        "arrived": entry.arrived.isoformat(timespec="seconds"),
        "profile": entry.profile,
        "status": _status(entry),
        "rows": sum(outcomes.values()),
        "outcomes": [(each, outcomes[each]) for each in OUTCOMES if outcomes.get(each)],
        "worth": money({currency: Sum(1, micros) for currency, micros in uploaded.items()}),
    }


def _status(entry: RunEntry) -> str:
    if entry.stop:
        return f"stopped: {entry.stop}"
    if entry.superseded:
        return "superseded by another upload"
    if not entry.is_read:
        return "in progress"
    return "waiting" if entry.totals.outcomes.get("deferred") else "completed"
