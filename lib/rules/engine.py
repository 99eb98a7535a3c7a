"""The engine, which turns the rows of a chunk into records. Each file has its own.

rows ──▶ columns of cells                                             (`lib.rules.columns`)
     ──▶ one rule after another: each returns columns, and reports the problems of rows
             conversions   `lib.rules.conversions.check_conversions`
             adjustments   `lib.rules.adjustments.check_adjustments`
             calls         `lib.rules.calls.check_calls`
     ──▶ records, and the outcomes of the rows that are not sent      (`lib.rules.assembly`)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Final

from lib.catalogue.codes import lookup
from lib.model.fields import RecordKind, base_name
from lib.model.outcomes import Problem, RowOutcome
from lib.model.records import Adjustment, Call, Conversion, Record, Row, problem_of
from lib.rules.adjustments import check_adjustments
from lib.rules.assembly import CheckedRows, ValidatedChunk, assemble
from lib.rules.calls import check_calls
from lib.rules.columns import ChunkColumns, FileColumns, is_sent
from lib.rules.conversions import check_conversions
from lib.rules.fields import BY_NAME, ONLY_OF_ADJUSTMENTS
from lib.rules.row_rules import RowRules

Check = Callable[[ChunkColumns], CheckedRows]
"""The rules of one kind of record."""

_KINDS: Final[Mapping[RecordKind, tuple[type[Record], Check]]] = {
    "conversion": (Conversion, check_conversions),
    "adjustment": (Adjustment, check_adjustments),
    "call": (Call, check_calls),
}


class Engine(FileColumns):
    """Validates the rows of one file that become records of one kind (`RowRules.kind`).

    `columns` has, for each entry of `RowRules.entries`, the place of each field in a row. `sales`,
    which only adjustments have, is the engine that reads the same rows as the conversions that they
    are about (`lib.rules.adjustments`).
    """

    def __init__(
        self,
        columns: Sequence[Mapping[str, int]],
        rules: RowRules,
        sales: Engine | None = None,
    ) -> None:
        self._record, self._check = _KINDS[rules.kind]
        fields = dict.fromkeys(name for of_entry in columns for name in of_entry)
        used = _used_fields(fields, rules)
        places = {name: tuple(each.get(name) for each in columns) for name in used}
        super().__init__(places, rules, sales)

    def validate(self, rows: Sequence[Row], entries: Sequence[int] = ()) -> ValidatedChunk:
        """Validate the rows of a chunk. `entries` has the entry of each row; empty: it is the first
        one for all of them."""
        readable = rows
        if any(map(problem_of, rows)):
            is_readable = [not problem for _, _, problem, _ in rows]
            readable = [*compress(rows, is_readable)]
            entries = [*compress(entries, is_readable)] if entries else ()
        lines, cells, _, _ = zip(*readable, strict=True) if readable else ((), (), (), ())
        chunk = ChunkColumns(self, lines, cells, entries)
        checked = self._check(chunk)
        damaged = [
            RowOutcome(line, lookup(code).outcome or "rejected", None, (Problem(code),))
            for line, _, code, _ in rows
            if code
        ]
        return assemble(chunk, self._record, checked, damaged)


def _used_fields(fields: Iterable[str], rules: RowRules) -> Iterable[str]:
    """Return the fields that the destination can send, or that help to read other ones."""
    sent = {*rules.capabilities.kinds[rules.kind].fields}
    if rules.kind == "adjustment":
        # An API that gets the whole sale again has no field for these, but uses them.
        sent |= {*ONLY_OF_ADJUSTMENTS, "currency_code"}
    return [
        name
        for name in fields
        if is_sent(name, sent)
        and not (rules.omit_session_and_ip and BY_NAME[base_name(name)].needs_permission)
    ]
