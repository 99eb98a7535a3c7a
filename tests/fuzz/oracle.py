"""What must hold for every file, whatever is in it.

`check_rows` is for the whole path of its rows, `check_source` for the reader alone. An exception
other than those that the path handles itself, or a failed assertion, is a finding.
"""

from __future__ import annotations

import io
import json
import zlib
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from lib.cli.check import check
from lib.config.profile import Profile
from lib.destinations.registry import capabilities_of
from lib.errors import SourceError
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.log import Log
from lib.model.records import ROW_PROBLEMS, Row
from lib.results.document import results_document
from lib.run.chunks import chunk_size_of
from lib.run.reading import read_table
from lib.source import text as text_module
from lib.source.table import SourceOptions, open_table
from lib.state.runs import ChunkSize
from lib.state.store import StoredObject
from tests.fuzz.inputs import Input
from tests.fuzz.messages import SerializingDestination
from tests.results_schema import check_results

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MAX_BYTES = 1 << 22
SMALL_BLOCK = 64
SCHEMA_EVERY = 8
"""The check against the schema takes half of the time, so only some documents are checked."""


def check_rows(given: Input) -> None:
    """File → rows → records → messages → results: nothing crashes, and every row has one outcome.

    Every message can be read by the client's classes, and holds only values of the right form.
    """
    profile = Profile.model_validate(given.profile)
    reports: list[ChunkOutcomes] = []

    def connect(profile: Profile, log: Log) -> Any:
        can = capabilities_of(profile.destination)
        return SerializingDestination(can, has_account=given.has_account)

    limits = chunk_size_of(profile)
    if given.small_chunks:
        limits = ChunkSize(2, limits.chars, limits.cell_chars)
    with patch("lib.cli.dry_run.chunk_size_of", lambda profile: limits):
        checked = check(
            io.BytesIO(given.content),
            StoredObject("", "export.csv", 0, len(given.content)),
            "default",
            profile,
            NOW,
            reports.append,
            connect=connect,
            list_all=True,
        )
    lines = sorted(row.line for report in reports for row in report.listed)
    assert lines == _lines(given.content, profile), "every row has one outcome"
    assert checked.summary.counts["rows"] == len(lines)
    document = json.loads(b"".join(results_document(checked.summary, reports)))
    if zlib.crc32(given.content) % SCHEMA_EVERY == 0:
        check_results(document)


def _lines(content: bytes, profile: Profile) -> list[int]:
    """Return the lines of the rows, read apart from the check."""
    found: list[int] = []
    try:
        for line, _, _, _ in read_table(io.BytesIO(content), profile, MAX_BYTES).records():
            found.append(line)  # rows before an error count
    except SourceError:
        pass
    return found


def check_source(content: bytes) -> None:
    """Bytes → rows: each has its own line and the header's width, or a problem and no cells.

    Where blocks of bytes end does not matter, if the encoding is known.
    """
    _read(content, SourceOptions(max_bytes=MAX_BYTES))
    known = SourceOptions(encoding="utf-8", max_bytes=MAX_BYTES)
    as_one = _read(content, known)
    with patch.object(text_module, "BLOCK_BYTES", SMALL_BLOCK):
        in_blocks = _read(content, known)
    # An error of the whole file may come before or after the rows of a block.
    if as_one[1] is None and in_blocks[1] is None:
        # Lengths may differ by a line end: blocks of valid rows are read without theirs.
        rows = [[record[:3] for record in found] for found, _ in (as_one, in_blocks)]
        assert rows[0] == rows[1], "the size of a block changes no row"


def _read(content: bytes, options: SourceOptions) -> tuple[list[Row], str | None]:
    """Return the records, and the code of the error that ended them."""
    found: list[Row] = []
    last = 0
    try:
        table = open_table(io.BytesIO(content), options)
        for record in table.records():
            line, cells, problem, length = record
            assert line > last, "each row begins on a line of its own"
            assert problem is None or problem in ROW_PROBLEMS
            assert len(cells) == (len(table.header) if problem is None else 0)
            assert length >= 0
            last = line
            found.append(record)
    except SourceError as error:
        return found, error.code
    return found, None
