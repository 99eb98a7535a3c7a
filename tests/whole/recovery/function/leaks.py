"""Leaks on purpose, which must never happen otherwise: a cell names the way it leaks."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import lib.run.sending
from lib.model.outcomes import Problem, RowOutcome


def begin() -> None:
    """Make every row leak in the way that its cells ask for with "leak by ..."."""
    prepare_all = lib.run.sending.prepare

    def prepare(plan: Any, chunk: Any, *others: Any, **named: Any) -> Any:
        # A row has one outcome, so one that leaks by its outcome is not prepared.
        rows = [row for row in chunk.rows if "leak by outcome" not in " ".join(row[1])]
        prepared = prepare_all(plan, chunk._replace(rows=rows), *others, **named)
        prepared = prepared._replace(record_lines=chunk.record_lines)
        for line, cells, *_ in chunk.rows:
            text = " ".join(cells)
            if "leak by log" in text:
                print("row", line, cells, file=sys.stderr)
            if "leak by exception" in text:
                try:
                    raise ValueError(text)
                except ValueError:
                    traceback.print_exc()
            if "leak by outcome" in text:
                # This reaches the chunk's marker, and from there the results document.
                leaked = Problem("INVALID_DATE", "", text)
                prepared.parts[0].rows.refused.append(RowOutcome(line, "rejected", text, (leaked,)))
        return prepared

    lib.run.sending.prepare = prepare
