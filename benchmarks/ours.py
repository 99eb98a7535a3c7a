"""The function's work from bytes to serialized requests, with all checks and all bookkeeping.

Only reading from storage and sending are missing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from lib.config.settings import CHUNK_ROWS
from lib.destinations.base import UploadResult
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.click_conversion import AdsBatch
from lib.model.account import Account, Action
from lib.model.chunk_report import ChunkReport
from lib.model.fields import RecordKind
from lib.rules.engine import Engine
from lib.rules.fields import FIELDS
from lib.rules.row_filter import RowFilter
from lib.rules.row_rules import RowRules
from lib.run.chunks import PreparedChunk, outcomes, prepare, split_into_chunks
from lib.run.preflight import CHUNK_CHARS
from lib.run.upload import Progress
from lib.source.columns import map_columns
from lib.source.table import SourceOptions, Table, open_table
from lib.state.ledger import ChunkMarker
from lib.state.run import ChunkLimits

_CLICKS: frozenset[RecordKind] = frozenset({"conversion", "adjustment"})

_ACCOUNT = Account(
    "1234567890",
    "1234567890",
    verified=True,
    actions={
        number: Action(number, f"Sale {number}", True, _CLICKS, False, 90)
        for number in ("1001", "1002")
    },
)


_LIMITS = ChunkLimits(CHUNK_ROWS, CHUNK_CHARS)


def _open(content: bytes) -> tuple[Table, Engine]:
    table = open_table(io.BytesIO(content), SourceOptions())
    columns = map_columns(table.header, {}, FIELDS)
    rules = RowRules(
        now=datetime.now(UTC),
        account=lambda customer_id: _ACCOUNT,
        customer_id="1234567890",
        capabilities=CAPABILITIES,
        zone=ZoneInfo("America/Chicago"),
        currency_code="USD",
        phone_region="US",
    )
    return table, Engine(columns.fields, rules)


def prepare_file(
    content: bytes, refused: list[int] | None = None, markers: list[bytes] | None = None
) -> Iterator[bytes]:
    """The serialized requests for a file; `refused` collects the lines of rejected rows, and
    `markers` what is saved of each chunk."""
    table, engine = _open(content)
    for chunk in split_into_chunks(table.records(), _LIMITS):
        batch = AdsBatch(1, False)
        prepared = prepare(chunk, RowFilter(), engine, batch)
        assert isinstance(prepared, PreparedChunk)
        for part in batch.take_parts():
            yield part.request.content
        report = outcomes(prepared, UploadResult({}, ()), "uploaded", False)
        if refused is not None:
            refused += [row.line for row in report.listed if row.outcome == "rejected"]
        if markers is not None:
            markers.append(msgspec.json.encode(ChunkMarker("an earlier attempt", report)))


def skip_file(content: bytes, markers: list[bytes]) -> Iterator[ChunkReport]:
    """Read a file whose chunks an earlier attempt has finished: what an attempt does with them."""
    table, engine = _open(content)
    progress = Progress()
    chunks = split_into_chunks(table.records(), _LIMITS)
    for chunk, marker in zip(chunks, markers, strict=True):
        engine.order_id_form.look_at(chunk.records)
        engine.look_at(chunk.records)
        report = msgspec.json.decode(marker, type=ChunkMarker).report
        progress.add(report, is_only=False)
        yield report
