"""The rows that the report has no room for: a CSV beside the results document, for a spreadsheet.

It is written chunk by chunk, so it needs no more memory for a million rows than for one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lib.model.money import plain_amount
from lib.model.outcomes import ChunkOutcomes, RowOutcome
from lib.results.findings import is_noteworthy, root_first

COLUMNS: Final = (
    *("record", "line", "outcome", "code", "column", "order_id", "value", "currency"),
    "what to do",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-][\d\s.,:()/-]*")
"""A phone number or an amount with a sign: a spreadsheet calculates nothing else from it."""
_TEXT: Final = re.compile(r'="[^"]*"')
"""How spreadsheets keep leading zeros: a formula, but one that only says a text."""


def in_spreadsheet(text: str) -> str:
    """Return the text as a cell that no spreadsheet takes for a formula.

    Spreadsheets write the same apostrophe, so `lib.rules.values.cells.unwrap` removes it.
    """
    bare = text.strip(" ")
    if not bare.startswith(_FORMULA) or _NUMBER.fullmatch(bare) or _TEXT.fullmatch(bare):
        return text
    return f"'{text}"


def rows_as_csv(head: Mapping[str, Any], chunks: Iterable[ChunkOutcomes]) -> Iterator[bytes]:
    """Return every row that the report could list, in pieces. `head` is the document without rows.

    It begins with a byte order mark, without which Excel would misread names that are not English.
    """
    yield _lines([COLUMNS], "\ufeff")
    for chunk in chunks:
        numbers = chunk.record_numbers() if chunk.listed else {}
        rows = [row for row in chunk.listed if is_noteworthy(row)]
        if rows:
            yield _lines(_cells(row, numbers[row.line], head) for row in rows)


def _cells(row: RowOutcome, record: int, head: Mapping[str, Any]) -> list[object]:
    problems = root_first(row)
    codes = list(dict.fromkeys(each.code for each in problems))
    names = dict.fromkeys(head["columns"].get(p.field, p.field) for p in problems if p.field)
    actions = dict.fromkeys(head["codes"][code]["action"] for code in codes)
    value = "" if row.micros is None else plain_amount(row.micros)
    texts = [row.outcome, " ".join(codes), ", ".join(names), row.order_id or ""]
    texts += [value, row.currency, " ".join(actions)]
    return [record, row.line, *map(in_spreadsheet, texts)]


def _lines(rows: Iterable[Iterable[object]], start: str = "") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return (start + text.getvalue()).encode()
