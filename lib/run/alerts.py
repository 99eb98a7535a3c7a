"""When a person must know of a run: why a file is retried, and that many of its rows fail.

A file that is retried:

    a person must act (a permission, a bucket)   ──▶ alert at once
    the daily quota                              ──▶ alert at once
    anything else, and the file is late          ──▶ alert
    anything else                                ──▶ warning: the next attempt may succeed

A file is late if attempts still fail `LATE_AFTER` after its event. Only the time of the event is
needed for this, so it is known even if no state can be read or written. An attempt that sent a part
of the file and reached its time limit has not failed, however large the file is.

What shows only over time is no alert of a run: `lib.followup.watch` decides it. The lines that a
run logs of failing rows are for those who look for them, and notify nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from lib.catalogue.codes import lookup
from lib.config.settings import Settings
from lib.errors import NewerVersion, PermanentError, RetryableError
from lib.model.log import Log
from lib.model.outcomes import Tally
from lib.run.context import RunContext
from lib.source.errors import SourceError

LATE_AFTER: Final = timedelta(minutes=10)
"""The next attempt begins at most 10 minutes after a failed one, and ends at most 9 minutes later.
So with this limit, the alert comes within 30 minutes of the event, however long the attempts take.
"""


def log_redelivery(
    error: RetryableError,
    due: datetime | None,
    context: RunContext,
    log: Log,
    *,
    progressed: bool = False,
    **fields: int,
) -> None:
    """Log why an attempt failed, and an alert if a person must know.

    `due` is when the work arrived: the time of the event, or of the follow-up (None: now).
    `progressed`: the attempt has sent a part of the file.
    """
    age = context.utc_now() - due if due is not None else timedelta()
    action = lookup(error.code).action
    if isinstance(error, NewerVersion):
        log.warning("newer_version", code=error.code, detail=error.detail, action=action)
    if error.code == "DAILY_QUOTA":
        log.alert("quota_exhausted", code=error.code, detail=error.detail, action=action)
    elif lookup(error.code).needs_action:
        problem = f"{error.code}: {error.detail}. {action}"
        log.alert("settings_invalid", code=error.code, detail=problem, action=action)
    elif age >= LATE_AFTER and not progressed:
        log.alert(
            "run_late",
            code=error.code,
            detail=error.detail,
            action=action,
            minutes=round(age.total_seconds() / 60),
        )
    log.warning("run_redelivered", code=error.code, detail=error.detail, **fields)


def log_blocked_follow_up(error: PermanentError | SourceError, log: Log) -> None:
    """Log an alert: rows cannot be sent again, or not be followed up, until a person acts."""
    action = lookup(error.code).action
    log.alert("follow_up_blocked", code=error.code, detail=error.detail, action=action)


def alert_if_rows_fail(tally: Tally, settings: Settings, log: Log) -> None:
    """Log an alert if many rows were rejected or failed, in number and as a share.

    Skipped rows don't count. The code is the most frequent one that fails rows.
    """
    lost = tally.outcomes.get("rejected", 0) + tally.outcomes.get("failed", 0)
    rows = tally.validated
    if not many_fail(lost, rows, settings):
        return
    codes = {
        code: count
        for code, count in tally.codes.items()
        if lookup(code).outcome in ("rejected", "failed")
    }
    code = max(codes, key=lambda each: codes[each], default="")
    detail = f"{lost} of {rows} rows"
    action = lookup(code).advice(codes.get(code, 0), rows)
    log.alert("rows_failing", code=code, detail=detail, action=action)


def many_fail(lost: int, rows: int, settings: Settings) -> bool:
    """Return whether so many rows are lost that a person must know."""
    enough = lost >= settings.failing_rows_least
    return enough and lost > settings.failing_rows_ratio * rows
