"""Notices that many rows of a file fail: the file is finished, but its export may be broken."""

from __future__ import annotations

from lib.catalogue.codes import lookup
from lib.config.settings import Settings
from lib.model.log import Log
from lib.model.outcomes import Tally


def alert_if_rows_fail(tally: Tally, settings: Settings, log: Log) -> None:
    """Log an alert if many rows were rejected or failed, in number and as a share.

    Skipped rows don't count. The code is the most frequent one that fails rows.
    """
    lost = tally.outcomes.get("rejected", 0) + tally.outcomes.get("failed", 0)
    rows = tally.rows - tally.outcomes.get("skipped", 0)
    if not many_fail(lost, rows, settings):
        return
    codes = {
        code: count
        for code, count in tally.codes.items()
        if lookup(code).outcome in ("rejected", "failed")
    }
    code = max(codes, key=lambda each: codes[each], default="")
    detail = f"{lost} of {rows} rows"
    log.alert("rows_failing", code=code, detail=detail, action=lookup(code).action)


def many_fail(lost: int, rows: int, settings: Settings) -> bool:
    """Return whether so many rows are lost that a person must know."""
    enough = lost >= settings.failing_rows_least
    return enough and lost > settings.failing_rows_ratio * rows
