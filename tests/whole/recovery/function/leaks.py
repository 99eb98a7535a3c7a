"""What must never happen, done on purpose: a cell says how it leaks."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from typing import Any

import lib.run.upload
from lib.model.outcomes import RowOutcome


def begin() -> None:
    """Let every row whose cells say "leak by ..." do so."""
    judge_all = lib.run.upload.prepare

    def prepare(number: int, given: Iterable[Any], plan: Any, batch: Any) -> Any:
        records = list(given)
        prepared = judge_all(number, iter(records), plan, batch)
        for line, cells, _ in records:
            text = " ".join(cells)
            if "leak by log" in text:
                print("row", line, cells, file=sys.stderr)
            if "leak by exception" in text:
                try:
                    raise ValueError(text)
                except ValueError:
                    traceback.print_exc()
            if "leak by outcome" in text:
                # Into the chunk's marker, and from there into the results document.
                prepared.refused.append(RowOutcome(line, "rejected", text))
        return prepared

    lib.run.upload.prepare = prepare
