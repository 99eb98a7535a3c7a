"""The rules of calls: what a row must be to become a `Call`.

Google finds a call by the number of the caller and the start of the call, so a row without them is
rejected. The numbers are in plain text: they leave this module only in the records, and no problem
contains one.
"""

from __future__ import annotations

from typing import Final

from lib.errors import RuleError
from lib.rules.actions import read_actions
from lib.rules.amounts import read_conversion_values
from lib.rules.assembly import CheckedRows, Columns
from lib.rules.columns import ChunkColumns, RowProblems
from lib.rules.identity import phone_regions, read_number
from lib.rules.optional_fields import read_consents, read_optional_fields
from lib.rules.repeats import find_repeated_calls
from lib.rules.times import CONVERSION_TIME, Times, conversion_times, times_of
from lib.rules.values.identifiers import is_digest

_CALLER: Final = "caller_id"
_START: Final = "call_start_date_time"


def read_callers(chunk: ChunkColumns) -> list[str]:
    """Return the number of each caller, in E.164. A row without a number is rejected: nothing else
    identifies its call."""
    rows = zip(chunk.cells(_CALLER), phone_regions(chunk), strict=True)
    return [
        _read_caller(row, cell, region, chunk.problems) for row, (cell, region) in enumerate(rows)
    ]


def _read_caller(row: int, cell: str, region: str | None, problems: RowProblems) -> str:
    """Return the number in a cell in E.164, or "" if the row is rejected for it."""
    text = problems.plain_text(cell, _CALLER)
    if text and not is_digest(text):
        try:
            return read_number(row, text, region, _CALLER, problems)
        except RuleError as error:
            if error.code == "PHONE_REGION_MISSING":
                problems.warn(row, error.code, _CALLER)
    problems.reject(row, "INVALID_CALLER_ID", _CALLER)
    return ""


def read_call_times(chunk: ChunkColumns) -> tuple[Times, Times]:
    """Return the start of each call, and the time of its conversion."""
    problems = chunk.problems
    starts = times_of(chunk, _START, chunk.cells(_START), problems)
    conversions = conversion_times(chunk, problems)
    moments = zip(starts.instants, conversions.instants, strict=True)
    for row, (start, end) in enumerate(moments):
        if row not in problems.errors and end < start:
            problems.reject(row, "TIMES_CONTRADICT", CONVERSION_TIME)
    return starts, conversions


def check_calls(chunk: ChunkColumns) -> CheckedRows:
    """Return the calls that are sent, each once."""
    actions = read_actions(chunk)
    callers = read_callers(chunk)
    starts, times = read_call_times(chunk)
    values, currencies = read_conversion_values(chunk)
    columns: Columns = {
        "action_id": [action.id for action in actions],
        "caller_id": callers,
        "call_time": starts.texts,
        "time": times.texts,
        "value": values,
        "currency_code": currencies,
        "ad_user_data": read_consents(chunk),
        "optional_fields": read_optional_fields(chunk),
    }
    unsent = find_repeated_calls(chunk, columns, starts.instants, times.instants)
    return CheckedRows(columns, unsent)
