"""The engine, which turns the rows of a chunk into records. Each file has its own.

rows ──▶ columns of cells                                             (`lib.rules.columns`)
     ──▶ one rule after another: columns in, columns and the rows' problems out
             conversions   `lib.rules.conversions`
             adjustments   `lib.rules.adjustments`
             calls         `lib.rules.calls`
     ──▶ records, and the outcomes of the rows that are not sent      (`lib.rules.assembly`)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final

from lib.catalogue.codes import lookup
from lib.model.fields import RecordKind, base_name
from lib.model.outcomes import Problem, RowOutcome
from lib.model.records import Adjustment, Call, Conversion, Record, Row
from lib.rules.adjustments import ADJUSTMENTS
from lib.rules.assembly import ValidatedChunk, assemble
from lib.rules.calls import CALLS
from lib.rules.columns import ChunkColumns, FileRules, Rule, is_sent
from lib.rules.conversions import CONVERSIONS
from lib.rules.fields import BY_NAME
from lib.rules.fields.other_kinds import ADJUSTMENT_FIELDS
from lib.rules.row_rules import RowRules

_CODE: Final = itemgetter(2)

_LISTS: Final[Mapping[RecordKind, tuple[type[Record], Sequence[Rule]]]] = {
    "conversion": (Conversion, CONVERSIONS),
    "adjustment": (Adjustment, ADJUSTMENTS),
    "call": (Call, CALLS),
}


class Engine(FileRules):
    """Validates the rows of one file that become records of one kind (`RowRules.kind`).

    `columns` maps each field to the place of its cell in a row. An engine for adjustments needs
    `sales`, the engine of the conversions that they are about: of the same file, with the
    capabilities of the destination that gets conversions.
    """

    def __init__(
        self, columns: Mapping[str, int], rules: RowRules, sales: Engine | None = None
    ) -> None:
        self._record, self._list = _LISTS[rules.kind]
        used = _used_columns(columns, rules)
        super().__init__({**sales.columns, **used} if sales is not None else used, rules, sales)

    def validate(self, rows: Sequence[Row]) -> ValidatedChunk:
        """Validate the rows of a chunk."""
        readable = [row for row in rows if not row[2]] if any(map(_CODE, rows)) else rows
        lines, cells, _, _ = zip(*readable, strict=True) if readable else ((), (), (), ())
        chunk = ChunkColumns(self, lines, cells)
        for rule in self._list:
            rule(chunk)
        damaged = [
            RowOutcome(line, lookup(code).outcome or "rejected", None, (Problem(code),))
            for line, _, code, _ in rows
            if code
        ]
        return assemble(chunk, self._record, damaged)

    def replay(self, rows: Sequence[Row]) -> None:
        """Look at the rows of a chunk that an earlier attempt has sent: its adjustments may
        supersede others. Conversions and calls do not depend on earlier chunks."""
        if self._record is Adjustment:
            self.validate(rows)


def _used_columns(columns: Mapping[str, int], rules: RowRules) -> dict[str, int]:
    """Return the columns that the destination can send, or that help to read other columns."""
    can = rules.capabilities.of_kind(rules.kind)
    fields = set(can.fields) if can is not None else set[str]()
    if rules.kind == "adjustment":
        fields |= ADJUSTMENT_FIELDS
    return {
        column: at
        for column, at in columns.items()
        if is_sent(column, fields)
        and not (rules.omit_session_and_ip and BY_NAME[base_name(column)].only_for_some)
    }
