"""The function's work from bytes to serialized requests, with all checks and all bookkeeping.

Only reading from storage and sending are missing.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from lib.destinations.base import UploadResult
from lib.destinations.data_manager import capabilities as data_manager
from lib.destinations.data_manager.messages import EventBatch, EventDefaults
from lib.destinations.google_ads import capabilities as google_ads
from lib.destinations.google_ads.messages import AdsBatch
from lib.model.account import Account, Action
from lib.model.capabilities import Capabilities
from lib.model.fields import RecordKind
from lib.model.outcomes import ChunkOutcomes
from lib.rules.engine import Engine
from lib.rules.fields import FIELDS
from lib.rules.row_filter import RowFilter, kind_columns
from lib.rules.row_rules import RowRules
from lib.run.attempt import Progress
from lib.run.chunks import (
    CELL_CHARS,
    CHUNK_CHARS,
    CHUNK_ROWS,
    PreparedChunk,
    chunks_of,
    outcomes,
    prepare,
)
from lib.run.plan import Part, Plan
from lib.run.reading import Header
from lib.source.header import map_columns
from lib.source.table import SourceOptions, open_table
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


_LIMITS = ChunkLimits(CHUNK_ROWS, CHUNK_CHARS, CELL_CHARS)


class _Batches:
    """A destination that only serializes."""

    sunset = None

    def __init__(self, capabilities: Capabilities, new_batch: Callable[[], Any]) -> None:
        self.capabilities = capabilities
        self._new_batch = new_batch

    def batch(self, job_id: int, *, maybe_sent: bool, after: Any = None) -> Any:
        return self._new_batch()


def _open(content: bytes, capabilities: Capabilities, new_batch: Callable[[], Any]) -> Plan:
    table = open_table(io.BytesIO(content), SourceOptions())
    columns = map_columns(table.header, {}, FIELDS)
    kinds = kind_columns(table.header, table.first_rows(), columns.fields.values())
    places = table.keep_only({*columns.fields.values(), *kinds})
    cells = {name: places[column] for name, column in columns.fields.items()}
    rules = RowRules(
        now=datetime.now(UTC),
        account=lambda: _ACCOUNT,
        capabilities=capabilities,
        zone=ZoneInfo("America/Chicago"),
        currency_code="USD",
        phone_region="US",
    )
    destination: Any = _Batches(capabilities, new_batch)
    return Plan(
        table=table,
        header=Header(columns.fields, {}, (), {}, visible=()),
        row_filter=RowFilter(kind_columns=kinds, places=places),
        parts=(Part("conversion", Engine(cells, rules), destination),),
        sales=capabilities,
        adjusts=False,
        customer_id="1234567890",
        validate_only=False,
        notes=(),
        places=places,
    )


def prepare_file(
    content: bytes, refused: list[int] | None = None, markers: list[bytes] | None = None
) -> Iterator[bytes]:
    """The serialized requests for a file; `refused` collects the lines of rejected rows, and
    `markers` what is saved of each chunk."""
    batch = partial(AdsBatch, 1, False)
    return _prepare(content, google_ads.CAPABILITIES, batch, refused, markers)


def prepare_events(content: bytes, refused: list[int] | None = None) -> Iterator[bytes]:
    """The same for the Data Manager API."""
    batch = partial(EventBatch, EventDefaults())
    return _prepare(content, data_manager.CAPABILITIES, batch, refused, None)


def _prepare(
    content: bytes,
    capabilities: Capabilities,
    new_batch: Callable[[], Any],
    refused: list[int] | None,
    markers: list[bytes] | None,
) -> Iterator[bytes]:
    plan = _open(content, capabilities, new_batch)
    for chunk in chunks_of(plan.table.records(), _LIMITS, plan.table.width):
        prepared = prepare(plan, chunk, 1, maybe_sent=False)
        assert isinstance(prepared, PreparedChunk)
        batch: Any = prepared.parts[0].batch
        for request in batch.take_requests():
            yield request.content
        found = outcomes(prepared, [UploadResult({}, ())], "uploaded", False)
        if refused is not None:
            refused += [row.line for row in found.listed if row.outcome == "rejected"]
        if markers is not None:
            markers.append(msgspec.json.encode(ChunkMarker("an earlier attempt", found)))


def skip_file(content: bytes, markers: list[bytes]) -> Iterator[ChunkOutcomes]:
    """Read a file whose chunks an earlier attempt has finished: what an attempt does with them."""
    plan = _open(content, google_ads.CAPABILITIES, partial(AdsBatch, 1, False))
    progress = Progress()
    chunks = chunks_of(plan.table.records(), _LIMITS, plan.table.width)
    for chunk, marker in zip(chunks, markers, strict=True):
        plan.replay(chunk.rows)
        replayed = msgspec.json.decode(marker, type=ChunkMarker).outcomes
        progress.add(replayed)
        yield replayed
