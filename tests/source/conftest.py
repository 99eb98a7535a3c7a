"""A shared fixture that reads a file given as bytes or text."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from lib.source.table import SourceOptions, Table, open_table

Reader = Callable[..., tuple[Table, list[tuple[int, list[str], str | None]]]]


@pytest.fixture(scope="session")
def read() -> Reader:
    """Open a file and read all its records: `read(content, **options) -> (table, records)`."""

    def read_all(content: bytes | str, **options: Any) -> tuple[Table, list[Any]]:
        raw = content.encode() if isinstance(content, str) else content
        table = open_table(io.BytesIO(raw), SourceOptions(**options))
        return table, [record[:3] for record in table.records()]

    return read_all
