"""All limits of a file: the table of `docs/settings.md`, with the numbers of the code."""

from __future__ import annotations

from typing import Final

from lib.adapters import workbook as child
from lib.config.settings import Settings
from lib.model.outcomes import MAX_PROBLEMS
from lib.source import delimited, text, workbook

_SETTINGS: Final = Settings.model_fields
_FILE: Final = "the file"
_TOO_LARGE: Final = "`FILE_TOO_LARGE`"

LIMITS: Final[tuple[tuple[str, str, str, str], ...]] = (
    (
        "bytes, after decompression",
        f"`MAX_FILE_BYTES`, {_SETTINGS['max_file_bytes'].default >> 30} GiB",
        _TOO_LARGE,
        _FILE,
    ),
    (
        "lines below the header, blank ones included",
        f"`MAX_FILE_LINES`, {_SETTINGS['max_file_lines'].default:,}",
        _TOO_LARGE,
        _FILE,
    ),
    ("columns", f"{text.MAX_COLUMNS:,}", _TOO_LARGE, _FILE),
    (
        "lines before the end of the header",
        str(text.HEAD_LINES),
        "`CORRUPT_FILE` or `EMPTY_FILE`",
        _FILE,
    ),
    ("characters of a cell", f"{text.MAX_CELL_CHARS:,}", "`RECORD_TOO_LONG`", "the row"),
    ("characters of a row", f"{text.MAX_LINE_CHARS:,}", "`RECORD_TOO_LONG`", "the row"),
    (
        "lines of a row (line breaks in quoted cells)",
        str(delimited.MAX_RECORD_LINES),
        "`UNCLOSED_QUOTE`",
        "the row, and each of its lines (`INSIDE_QUOTES`)",
    ),
    (
        "a workbook (.xlsx)",
        f"{workbook.MAX_PACKED_BYTES >> 20} MiB packed; to read it, {child.CPU_SECONDS} s of CPU "
        f"time and {child.CPU_SECONDS_PER_MEBIBYTE} s for each MiB, {child.MEMORY_BYTES >> 20} MiB "
        f"of memory, and {child.PIECE_SECONDS:g} s of waiting for a piece of it",
        _TOO_LARGE,
        _FILE,
    ),
    ("rows of a sheet", f"{workbook.MAX_ROWS:,}, as in Excel", _TOO_LARGE, _FILE),
    (
        "errors that the results list for a row",
        f"{MAX_PROBLEMS}, and {MAX_PROBLEMS} warnings",
        "",
        "the list",
    ),
)
"""What, how much, the code, and what it costs."""
