"""What the function does between bytes and serialized requests, with every check of a row and all
bookkeeping; only reading from storage and sending are left out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lib.destinations.base import UploadResult
from lib.destinations.google_ads.click_conversion import AdsBatch
from lib.model.account import Account, Action
from lib.rules.engine import RowRules, compile_plan
from lib.run.chunks import Prepared, outcomes, prepare, split_into_chunks
from lib.source.columns import map_columns
from lib.source.table import SourceOptions, open_table

_ACCOUNT = Account(
    "1234567890",
    "1234567890",
    verified=True,
    actions={
        number: Action(number, f"Sale {number}", True, True, False, 90)
        for number in ("1001", "1002")
    },
)


def prepare_file(content: bytes, refused: list[int] | None = None) -> Iterator[bytes]:
    """The serialized requests of a file; `refused` gets the lines of rows that don't go out."""
    table = open_table(io.BytesIO(content), SourceOptions())
    columns = map_columns(table.header, {})
    rules = RowRules(
        now=datetime.now(UTC),
        account=lambda customer_id: _ACCOUNT,
        customer_id="1234567890",
        zone=ZoneInfo("America/Chicago"),
        currency_code="USD",
        phone_region="US",
    )
    plan = compile_plan(columns.fields, rules)
    for chunk in split_into_chunks(table.records()):
        batch = AdsBatch(1, False)
        prepared = prepare(chunk.number, chunk.records, plan, batch)
        assert isinstance(prepared, Prepared)
        for part in batch.take_parts():
            yield part.request.SerializeToString()
        report = outcomes(prepared, UploadResult({}, ()), "uploaded", False)
        if refused is not None:
            refused += [row.line for row in report.listed if row.outcome == "rejected"]
