"""How results describe themselves to browsers, and to the overview of all files.

The overview is made of one listing of the bucket, so a results document carries what it shows.
"""

from __future__ import annotations

import json

from lib.results.document import RunSummary
from lib.state.store import Label

_ALWAYS_ASK = "private, no-cache"
"""Results are replaced when Google reports more, so no browser may show an old version unasked."""

PAGE = Label("text/html; charset=utf-8", _ALWAYS_ASK)


def label_of(summary: RunSummary) -> Label:
    """Return the label of a results document: its status, counts, and when it was written."""
    counts = {name: count for name, count in summary.counts.items() if count}
    metadata = {
        "status": summary.status,
        "finished_at": summary.finished_at.isoformat(timespec="seconds"),
        "counts": json.dumps(counts, separators=(",", ":")),
        "to_correct": str(summary.findings.to_correct),
    }
    return Label("application/json", _ALWAYS_ASK, metadata)
