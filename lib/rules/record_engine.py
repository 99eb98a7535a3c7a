"""What the engines of all kinds of record have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lib.model.records import Row
from lib.rules.assembly import ValidatedChunk
from lib.rules.order_id_form import OrderIdForm


class RecordEngine(Protocol):
    """Checks the chunks of one file."""

    @property
    def columns(self) -> Mapping[str, int]: ...
    @property
    def order_id_form(self) -> OrderIdForm: ...

    def validate(self, rows: Sequence[Row], /) -> ValidatedChunk:
        """Check the rows of a chunk: rows → records, and the rows that are not sent."""
        ...

    def replay(self, rows: Sequence[Row], /) -> None:
        """Look at the rows of a chunk that an earlier attempt has sent."""
        ...
