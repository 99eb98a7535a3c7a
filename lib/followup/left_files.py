"""Notices files that stay in the input bucket although their names say that they are incomplete.

A gateway renames a file when it is complete. If it dies, or the name was a mistake, the file stays,
and its rows are never sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from lib.run.context import RunContext
from lib.source.names import HIDDEN, INCOMPLETE
from lib.state.run import run_id
from lib.state.store import StoredObject

LEFT_AFTER: Final = timedelta(hours=1)
LEFT_UNTIL: Final = timedelta(days=1)
"""Older files have had their alert."""

_MOST: Final = 20
"""Number of files that one sweep names."""

_ACTION: Final = (
    "If the file is complete, rename it, without the mark of an incomplete file. If its upload was "
    "interrupted, upload it again. Delete this one."
)


@dataclass(slots=True)
class LeftFiles:
    """The ignored objects of a listing that look like files of data."""

    found: list[tuple[StoredObject, str]] = field(default_factory=list)

    def add(
        self, file: StoredObject, reason: str, age: timedelta, suffixes: tuple[str, ...]
    ) -> None:
        """Take an ignored object from a listing, with the reason and the age."""
        if not file.is_live or not file.size or not LEFT_AFTER <= age < LEFT_UNTIL:
            return
        if reason == INCOMPLETE or (reason == HIDDEN and _is_named_like_data(file.name, suffixes)):
            self.found.append((file, reason))


def _is_named_like_data(name: str, suffixes: tuple[str, ...]) -> bool:
    last = name.rsplit("/", 1)[-1].lower()
    # `~$` is the lock file of an open workbook, `._` what macOS adds to a file.
    return not last.startswith(("~$", "._")) and any(suffix in last for suffix in suffixes)


def alert_if_left(left: LeftFiles, context: RunContext) -> None:
    """Log an alert for each of these files."""
    for file, reason in left.found[:_MOST]:
        arrived: datetime | None = file.created or file.updated
        since = f"{arrived:%Y-%m-%d %H:%M} UTC" if arrived is not None else "an unknown time"
        log = context.log.bind(run_id=run_id(file))
        log.alert("file_ignored", detail=f"{reason}, since {since}", action=_ACTION)
