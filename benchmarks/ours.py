"""The function's work from bytes to serialized requests, with all checks and all bookkeeping.

Only reading from storage and sending are missing.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from benchmarks.rows import PROFILE
from lib.config.profile import Profile
from lib.destinations.base import EncodedRequest, UploadResult
from lib.destinations.data_manager import messages as event_messages
from lib.destinations.data_manager.messages import EventDefaults
from lib.destinations.google_ads import messages as ads_messages
from lib.destinations.registry import capabilities_of
from lib.model.account import Account, ConversionAction
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.fields import RecordKind
from lib.model.log import Log, SilentLog
from lib.run.attempt import Sums
from lib.run.chunks import PreparedChunk, chunk_size_of, chunks_of, outcomes, prepare
from lib.run.plan import Plan, plan_file
from lib.run.reading import read_header, read_table
from lib.state.runs import Run
from lib.state.store import StoredObject

_CLICKS: frozenset[RecordKind] = frozenset({"conversion", "adjustment"})
_MAX_BYTES = 4 << 30
NOW = datetime.now(UTC)


Encode = Callable[[RecordKind, Sequence[Any], str], Sequence[EncodedRequest]]


def _encode_ads(
    kind: RecordKind, records: Sequence[Any], customer_id: str
) -> Sequence[EncodedRequest]:
    return ads_messages.encode(kind, records, customer_id, 1, validate_only=False)


def _encode_events(
    kind: RecordKind, records: Sequence[Any], customer_id: str
) -> Sequence[EncodedRequest]:
    return event_messages.encode(kind, records, customer_id, EventDefaults())


class _Encoding:
    """A destination that only serializes."""

    sunset = None

    def __init__(self, name: str, encode: Encode) -> None:
        self.capabilities = capabilities_of(name)
        self._encode = encode

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        return Account(
            customer_id,
            customer_id,
            verified=True,
            actions={
                number: ConversionAction(number, f"Sale {number}", True, _CLICKS, False, 90)
                for number in ("1001", "1002")
            },
        )

    def encode(
        self, kind: RecordKind, records: Sequence[Any], customer_id: str, job_id: int
    ) -> Sequence[EncodedRequest]:
        return self._encode(kind, records, customer_id)


def run_of(profile: Profile) -> Run:
    """Return the run of a file with this profile."""
    source = StoredObject("input", "file.csv", 1, 1)
    written = profile.document()
    return Run(
        source, NOW, NOW, "default", written, chunk_size_of(profile), "working", "owner", NOW
    )


def _open(content: bytes, name: str, encode: Encode) -> tuple[Plan, Run]:
    profile = Profile.model_validate(PROFILE | {"destination": name})
    run = run_of(profile)
    table = read_table(io.BytesIO(content), profile, _MAX_BYTES)
    destination: Any = _Encoding(name, encode)

    def connect(profile: Profile, log: Log) -> Any:
        return destination

    header = read_header(table, profile)
    return plan_file(table, header, profile, NOW, connect, SilentLog()), run


def prepare_file(
    content: bytes, refused: list[int] | None = None, markers: list[bytes] | None = None
) -> Iterator[bytes]:
    """The serialized requests for a file; `refused` collects the lines of rejected rows, and
    `markers` what is saved of each chunk."""
    return _prepare(content, "google_ads", _encode_ads, refused, markers)


def prepare_events(content: bytes, refused: list[int] | None = None) -> Iterator[bytes]:
    """The same for the Data Manager API."""
    return _prepare(content, "data_manager", _encode_events, refused, None)


def _prepare(
    content: bytes,
    name: str,
    encode: Encode,
    refused: list[int] | None,
    markers: list[bytes] | None,
) -> Iterator[bytes]:
    plan, run = _open(content, name, encode)
    for chunk in chunks_of(plan.records(), run.cut, plan.table.width):
        prepared = prepare(plan, chunk, 1)
        assert isinstance(prepared, PreparedChunk)
        for request in prepared.parts[0].requests:
            yield request.content
        found = outcomes(
            prepared, [UploadResult({}, ())], "uploaded", run.now, "1234567890", list_all=False
        )
        if refused is not None:
            refused += [row.line for row in found.listed if row.outcome == "rejected"]
        if markers is not None:
            markers.append(msgspec.json.encode(found))


def skip_file(content: bytes, markers: list[bytes]) -> Iterator[ChunkOutcomes]:
    """Read a file whose chunks an earlier attempt has finished: what an attempt does with them."""
    plan, run = _open(content, "google_ads", _encode_ads)
    sums = Sums()
    chunks = chunks_of(plan.records(), run.cut, plan.table.width)
    for _, marker in zip(chunks, markers, strict=True):
        replayed = msgspec.json.decode(marker, type=ChunkOutcomes)
        sums.add(replayed)
        yield replayed
