"""How many documents are read."""

from __future__ import annotations

import threading

from lib.state.documents import read_ahead


def test_eight_documents_are_read_beside_each_other() -> None:
    """They come in their order, and no more are in memory before the first of them is used."""
    begun: list[int] = []
    together = threading.Barrier(8)

    def read(number: int) -> int:
        begun.append(number)
        together.wait(5)
        return number

    with read_ahead(read, range(16)) as found:
        assert next(found) == 0
        assert sorted(begun) == [*range(8)]
        assert [*found] == [*range(1, 16)]
