"""Reads a file as its profile says, within its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lib.config.profile import Profile
from lib.source.table import MAX_LINES, SourceOptions, Table, no_time_check, open_table
from lib.source.workbook import open_workbook
from lib.state.store import Readable


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
