"""A last line without a line end: the file may have been cut there, for example by a broken upload.

    open last line ──▶ can a cut matter? ──no──▶ sent at once
                         │ yes
                         ▼
                  deferred (UNTERMINATED_LAST_LINE), the other rows are sent at once
                         │ 10 minutes later, the sweep
                         ├─ a newer generation of the file ──▶ not_attempted (LAST_LINE_REPLACED)
                         ├─ the file is gone               ──▶ failed (SOURCE_GONE), alert
                         └─ otherwise                      ──▶ sent as it is

A cut value is worse than a late one: 1270.00 that arrives as 1 is counted as 1, and the complete
upload that follows is a duplicate.
"""

from __future__ import annotations

from typing import Final

from lib.config.profile import Profile
from lib.model.outcomes import Problem
from lib.run.preflight import UploadJob
from lib.source.delimited import Hold
from lib.source.table import Table

UNTERMINATED_LAST_LINE: Final = "UNTERMINATED_LAST_LINE"


def hold_of(table: Table, job: UploadJob, profile: Profile) -> Hold:
    """Return when the record in an open last line must wait.

    A complete record needs not wait if its last column is neither sent nor in the row filter.
    """
    if not profile.hold_open_last_line:
        return "never"
    return "always" if table.last_column in job.used_columns else "broken"


def note_on_unterminated_line(
    table: Table, job: UploadJob | None, profile: Profile
) -> list[Problem]:
    """Return the linter's note if a run would hold the last record that was read."""
    if job is None or table.open_record is None:
        return []
    hold = hold_of(table, job, profile)
    holds = hold == "always" or (hold == "broken" and table.open_record == "broken")
    return [Problem("NO_FINAL_LINE_END")] if holds else []
