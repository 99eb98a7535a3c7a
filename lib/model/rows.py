"""A data row as the source delivers it and the rules take it."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

RowProblem = Literal[
    "TOO_FEW_CELLS",
    "TOO_MANY_CELLS",
    "UNCLOSED_QUOTE",  # it closes too late, in the wrong position, or never
    "INSIDE_QUOTES",  # a line that may belong to a quoted cell of a refused row
    "BROKEN_QUOTING",  # text after a closing quote: "a"b
    "UNDECODABLE",
    "NUL_BYTE",
    "CELL_TOO_LARGE",
    "RECORD_TOO_LONG",
    "UNTERMINATED_LAST_LINE",  # the file may be cut in this line
    "REPORT_FOOTER",  # not a row: a total, or a line about the report
]
ROW_PROBLEMS: tuple[RowProblem, ...] = get_args(RowProblem)

Row: TypeAlias = tuple[int, list[str], str | None, int]
"""(first line, cells, code of its problem, length in characters). A row has as many cells as the
header, or a problem and no cells. A plain tuple: one is created for every row of a file."""
