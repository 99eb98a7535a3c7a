"""The caller's number: its column → E.164 numbers, in plain text.

The numbers leave this module only in the records of calls. They are in no problem and no warning.
"""

from __future__ import annotations

from collections.abc import Sequence

from lib.model.outcomes import Problem
from lib.rules.plain_text import plain_text
from lib.rules.row_problems import RowProblems
from lib.rules.values.cells import RuleError
from lib.rules.values.identifiers import is_digest, normalize_phone

_FIELD = "caller_id"


def read_callers(
    cells: Sequence[str], regions: Sequence[str | None], problems: RowProblems
) -> list[str]:
    """Return the number of each caller. `regions` are the countries of numbers without `+`.

    A row without a number is rejected: nothing else identifies its call.
    """
    return [
        _read(row, cell, region, problems)
        for row, (cell, region) in enumerate(zip(cells, regions, strict=True))
    ]


def _read(row: int, cell: str, region: str | None, problems: RowProblems) -> str:
    text = plain_text(cell, _FIELD, problems.with_placeholders)
    if not text:
        problems.reject(row, "CALLER_ID_MISSING", _FIELD)
        return ""
    if is_digest(text):
        problems.reject(row, "CALLER_ID_HASHED", _FIELD)
        return ""
    try:
        return normalize_phone(text, region, True)
    except RuleError as error:
        code = error.code
    if code == "PHONE_MAYBE_INTERNATIONAL":
        problems.warn(row, code, _FIELD)
        return normalize_phone(text, region)
    if code == "PHONE_REGION_MISSING":
        problems.errors[row].append(Problem("CALLER_ID_WITHOUT_COUNTRY", _FIELD))
    else:
        problems.reject(row, "INVALID_CALLER_ID", _FIELD)
    return ""
