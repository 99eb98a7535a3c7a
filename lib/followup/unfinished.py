"""Notices files that have no results for long, whatever the reason is.

Reasons that are known have their own alerts (`lib.run.alerts`). This one needs no reason: an
instance that dies each time leaves no word, and a sweep that runs out of time does not come to all
files.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from lib.errors import NewerVersion, RetryableError
from lib.run.context import RunContext
from lib.state.output import report_path
from lib.state.run import Run, run_id
from lib.state.store import StoredObject

UNFINISHED_AFTER: Final = timedelta(hours=1)

_MOST: Final = 20
"""Number of claims that are read for this."""

_ACTION: Final = (
    "Look at the log lines of the file. If there are none, check that the function runs: its "
    "dashboard, and its revisions in Cloud Run. A large file may need this long."
)


def alert_if_unfinished(files: Sequence[StoredObject], context: RunContext) -> None:
    """Log an alert about the oldest of these files that is unfinished. They come oldest first.

    Files that wait for the daily quota have had their alert, and nobody needs to act.
    """
    now = context.utc_now()
    old = [each for each in files if now - (each.updated or now) >= UNFINISHED_AFTER]
    for each in old[:_MOST]:
        try:
            run = _claim(each, context)
            has_results = context.output.has_results(each)
        except RetryableError:
            return  # the sweep has logged this already
        if has_results or (run is not None and run.cause == "DAILY_QUOTA"):
            continue
        log = context.log.bind(run_id=run_id(each), report=report_path(each))
        code = run.cause if run is not None else ""
        detail = f"no results since {each.updated:%Y-%m-%d %H:%M} UTC"
        log.alert("file_unfinished", code=code, detail=detail, action=_ACTION, files=len(old))
        return


def _claim(file: StoredObject, context: RunContext) -> Run | None:
    try:
        return context.claims.of(file)
    except (ValueError, NewerVersion):
        return None  # the sweep has logged this already
