"""The function's work from bytes to serialized requests, with all checks and all bookkeeping.

Only reading from storage and sending are missing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lib.config.settings import CHUNK_ROWS
from lib.destinations.base import UploadResult
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.click_conversion import AdsBatch
from lib.model.account import Account, Action
from lib.model.fields import RecordKind
from lib.rules.engine import Engine
from lib.rules.fields import FIELDS
from lib.rules.row_filter import RowFilter
from lib.rules.row_rules import RowRules
from lib.run.chunks import PreparedChunk, outcomes, prepare, split_into_chunks
from lib.run.preflight import CHUNK_CHARS
from lib.source.columns import map_columns
from lib.source.table import SourceOptions, open_table
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


def prepare_file(content: bytes, refused: list[int] | None = None) -> Iterator[bytes]:
    """The serialized requests for a file; `refused` collects the lines of rejected rows."""
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
    engine = Engine(columns.fields, rules)
    for chunk in split_into_chunks(table.records(), ChunkLimits(CHUNK_ROWS, CHUNK_CHARS)):
        batch = AdsBatch(1, False)
        prepared = prepare(chunk, RowFilter(), engine, batch)
        assert isinstance(prepared, PreparedChunk)
        for part in batch.take_parts():
            yield part.request.message.SerializeToString()
        report = outcomes(prepared, UploadResult({}, ()), "uploaded", False)
        if refused is not None:
            refused += [row.line for row in report.listed if row.outcome == "rejected"]
