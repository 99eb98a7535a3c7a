"""Reads a file within its limits and its time.

Not every byte makes a row: a file can consist of blank lines, of one endless line, or of empty
gzip members. So the reader calls a `TimeCheck` after every block of bytes, and the run before each
chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lib.config.profile import Profile
from lib.errors import NothingDone, RetryableError
from lib.model.deadline import Deadline
from lib.source.table import MAX_LINES, SourceOptions, Table, no_time_check, open_table
from lib.source.workbook import open_workbook
from lib.state.claims import Lease
from lib.state.store import Readable


class TimeCheck:
    """A point of progress: is the run still ours, and is there time left?

    `has_sent`: the attempt has begun to send or to report a chunk.
    """

    def __init__(self, lease: Lease, deadline: Deadline, monotonic: Callable[[], float]) -> None:
        self._lease = lease
        self._deadline = deadline
        self._monotonic = monotonic
        self.has_sent = False

    def __call__(self) -> None:
        """Raise `LeaseLost`, or `RetryableError` when time is up or the platform ends the instance.

        It is a `NothingDone` if only the file can be the reason why nothing was sent.
        """
        self._lease.check()
        if self._monotonic() < self._deadline.last_start:
            return
        code = self._deadline.code
        if code == "DEADLINE" and not self.has_sent:
            raise NothingDone(code, "while the file was read")
        raise RetryableError(code, "while the file was read")


def read_table(
    stream: Readable,
    profile: Profile | None,
    max_bytes: int,
    max_lines: int = MAX_LINES,
    on_block: Callable[[], None] = no_time_check,
) -> Table:
    """Bytes → a table. Raises `SourceError`, or `PermanentError` if the object no longer exists.

    `on_block` is called whenever a block of bytes has been read, and may raise.
    """
    options = replace(source_options(profile, max_bytes), max_lines=max_lines, on_block=on_block)
    return open_table(*open_workbook(stream, options))


def source_options(profile: Profile | None, max_bytes: int) -> SourceOptions:
    """Return how a file is read: as its profile says, or by its content."""
    if profile is None:
        return SourceOptions(max_bytes=max_bytes)
    return SourceOptions(
        encoding=profile.encoding,
        delimiter=profile.delimiter,
        sheet=profile.sheet,
        decimal_comma=profile.decimal_comma,
        max_bytes=max_bytes,
    )
