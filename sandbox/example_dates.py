"""The files in examples/ with the dates of another day, so that they never become too old.

Google counts conversions of the last 90 days. The files keep the dates of the days when they were
written, in the formats of their programs. `drop` moves all of them by the same number of days.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
WRITTEN_ON = date(2026, 11, 25)
"""The files were exported on this day: their deals were won before it."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_YEAR_FIRST = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)(?=\b|T)")
_NUMBERS = re.compile(r"\b(\d{1,2})([/.])(\d{1,2})\2(20\d\d)\b")
_NAMED = re.compile(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}}), (20\d\d)\b")


def is_example(path: Path) -> bool:
    """Whether a file is an export in examples/."""
    return path.resolve().parent == EXAMPLES and path.suffix != ".json"


def moved_to(path: Path, today: date) -> bytes:
    """An export in examples/ as if it had been written `today`. Everything else stays as it is."""
    days = today - WRITTEN_ON
    content = path.read_bytes()
    if not days:
        return content
    if path.suffix == ".xlsx":
        return _moved_workbook(content, days)
    # Dates consist of ASCII. Latin-1 keeps every byte of the other text.
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
    return _moved_text(content.decode(encoding), days).encode(encoding)


def _moved_workbook(content: bytes, days: timedelta) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in workbook:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, datetime):
                    cell.value += days
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _moved_text(text: str, days: timedelta) -> str:
    def year_first(match: re.Match[str]) -> str:
        year, month, day = map(int, match.groups())
        return str(date(year, month, day) + days)

    def named(match: re.Match[str]) -> str:
        month = _MONTHS.index(match[1]) + 1
        moved = date(int(match[3]), month, int(match[2])) + days
        return f"{_MONTHS[moved.month - 1]} {moved.day}, {moved.year}"

    text = _YEAR_FIRST.sub(year_first, text)
    text = _NAMED.sub(named, text)
    return _NUMBERS.sub(_numbers(text, days), text)


def _numbers(text: str, days: timedelta) -> Callable[[re.Match[str]], str]:
    """11/18/2026 or 18.11.2026: a day over 12 in the file shows the order."""
    day_first = any(int(match[1]) > 12 for match in _NUMBERS.finditer(text))

    def change(match: re.Match[str]) -> str:
        day, month = (match[1], match[3]) if day_first else (match[3], match[1])
        moved = date(int(match[4]), int(month), int(day)) + days
        has_zeros = match[1].startswith("0") or match[3].startswith("0") or day_first
        parts = [moved.day, moved.month] if day_first else [moved.month, moved.day]
        shown = [f"{part:02}" if has_zeros else str(part) for part in parts]
        return match[2].join([*shown, str(moved.year)])

    return change
