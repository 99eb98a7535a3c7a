"""The function's work from bytes to serialized requests, with all checks and all bookkeeping.

Only reading from storage and sending are missing.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from lib.config.profile import Profile
from lib.destinations.base import UploadResult
from lib.destinations.data_manager import capabilities as data_manager
from lib.destinations.data_manager.messages import EventBatch, EventDefaults
from lib.destinations.google_ads import capabilities as google_ads
from lib.destinations.google_ads.messages import AdsBatch
from lib.model.account import Account, Action
from lib.model.capabilities import Capabilities
from lib.model.fields import RecordKind
from lib.model.log import SilentLog
from lib.model.outcomes import ChunkOutcomes
from lib.rules.row_rules import RULES_VERSION
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
from lib.run.plan import Plan, plan_file
from lib.run.reading import read_header, read_table
from lib.state.ledger import ChunkMarker
from lib.state.run import ChunkLimits, Terms, first_claim
from lib.state.store import StoredObject

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

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        return _ACCOUNT

    def batch(self, job_id: int, *, maybe_sent: bool, after: Any = None) -> Any:
        return self._new_batch()


def _open(content: bytes, capabilities: Capabilities, new_batch: Callable[[], Any]) -> Plan:
    profile = Profile.model_validate(
        {
            "destination": capabilities.name,
            "customer_id": "1234567890",
            "value": "action_default",
            "time_zone": "America/Chicago",
            "currency_code": "USD",
            "phone_region": "US",
        }
    )
    table = read_table(io.BytesIO(content), profile, 1 << 32)
    header = read_header(table, profile)
    now = datetime.now(UTC)
    source = StoredObject("in", "a.csv", 1, len(content), "", now, now)
    run = first_claim(source, "", now, 60, Terms("default", None, _LIMITS, RULES_VERSION, ""))
    destination: Any = _Batches(capabilities, new_batch)
    return plan_file(table, header, profile, run, lambda *_: destination, SilentLog())


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
