"""The footer of a report: totals, and lines about the report itself, below the last data row.

A Salesforce report ends with five lines of one cell each: its title, two lines about copyright and
confidentiality, who generated it and when, and the company. Spreadsheets end with a row "Total".
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from typing import Final, Literal

LONGEST_FOOTER: Final = 10
"""Maximum number of records of a footer."""

_TOTAL: Final = re.compile(
    r"(grand |sub-?|sous-)?total(s|e|en)?( (général|general|geral|complessivo|generale))?"
    r"|(sub|eind)?totaal|subtotale|(gesamt|end|zwischen)?summe|insgesamt|gesamt(ergebnis)?"
    r"|sum|suma( total)?|soma|(record )?count|anzahl"
)
_LABEL_END: Final = re.compile(r"[\s:=]*(\(.*\)|[\d.,]+( \w+)?)?[\s:=]*$")
_ABOUT_THE_REPORT: Final = re.compile(
    r"copyright|©|all rights reserved|salesforce\.com|confidential|do not distribute"
    r"|(generated|created|exported) (by|on|at|from)|end of (report|file|export)"
    r"|rows? (affected|selected|in set)|^\(\d+ rows?\)$|(number of|total) (rows|records)"
    r"|vertraulich|erstellt (von|am)|confidentiel|généré (par|le)|confidencial|generado (por|el)"
    r"|riservat|generato (da|il)|vertrouwelijk|gegenereerd (door|op)|gerado (por|em)",
)

FooterKind = Literal["total", "about", "title", "data"]
"""What a record of a footer is. `title`: one cell that names something, such as the report or the
company. `data`: one cell that may also be what is left of a row."""


def footer_length(records: Sequence[Sequence[str]], key_columns: Set[int]) -> int:
    """Return how many of the last records of a file are its footer.

    `key_columns` contain click IDs, identifiers and times. A record that has one of them, or more
    than one cell but no label such as "Total", is a data row, even if it can't be sent.
    """
    run: list[FooterKind] = []
    for cells in reversed(records[-LONGEST_FOOTER:]):
        kind = _kind(cells, key_columns)
        if kind is None:
            break
        run.append(kind)
    for at, kind in enumerate(run):
        # Only below a line about the report, a single cell cannot be a damaged row.
        if kind == "data" and "about" not in run[at:]:
            del run[at:]
            break
    length = max((at + 1 for at, kind in enumerate(run) if kind in ("total", "about")), default=0)
    if length and run[length - 1] == "about" and run[length : length + 1] == ["title"]:
        length += 1
    return length


def _kind(cells: Sequence[str], key_columns: Set[int]) -> FooterKind | None:
    filled = [at for at, cell in enumerate(cells) if cell.strip()]
    if not filled:
        return None
    first = filled[0]
    text = cells[first].strip().casefold()
    if _TOTAL.fullmatch(_LABEL_END.sub("", text)):
        return "total" if key_columns.isdisjoint(filled[1:]) else None
    # A text with unquoted delimiters is one cell too: "2026 salesforce.com, inc."
    if not all(cells[at].startswith(" ") for at in filled[1:]):
        return None
    if _ABOUT_THE_REPORT.search(" ".join(cells).casefold()):
        return "about"
    if len(filled) > 1:
        return None
    looks_like_data = not any(map(str.isspace, text)) and any(
        each.isdigit() or each == "@" for each in text
    )
    return "data" if looks_like_data else "title"
