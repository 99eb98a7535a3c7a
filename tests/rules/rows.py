"""A few rows, validated as a run does it: what is sent of each, and what is said of it."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from lib.destinations.registry import capabilities_of
from lib.model.account import Account, ConversionAction
from lib.model.fields import UNDECLARED, RecordKind
from lib.model.records import Row
from lib.rules.engine import Engine
from lib.rules.row_rules import EntryRules, RowRules

EVERY_KIND: frozenset[RecordKind] = frozenset({"conversion", "adjustment", "call"})
ACTIONS = {
    "1001": ConversionAction("1001", "Sale", True, EVERY_KIND, False, 90),
    "1002": ConversionAction("1002", "Lead", True, EVERY_KIND, False, 30),
    "1003": ConversionAction("1003", "Contact", True, EVERY_KIND, True, 90),  # one per click
}
ACCOUNT = Account("1234567890", "1234567890", currency_code="USD", verified=True, actions=ACTIONS)
TIMES = {
    "sold": "2026-11-10 10:00:00",
    "noon": "2026-11-12 12:00:00",
    "evening": "2026-11-12 18:00:00",
}
"""Words that stand for times in the cells of a row."""


@dataclass(slots=True)
class Validated:
    """The results of the rows of a file, by line."""

    sent: dict[int, Any] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    """The codes of refused rows."""
    fields: dict[int, str] = field(default_factory=dict)
    """The codes of refused rows, each with its column."""
    details: dict[int, str] = field(default_factory=dict)
    outcomes: dict[int, str] = field(default_factory=dict)
    warned: dict[int, str] = field(default_factory=dict)
    placeholders: dict[str, int] = field(default_factory=dict)


def rules_of(
    destination: str = "google_ads", currency_code: str | None = None, **settings: Any
) -> RowRules:
    entries = settings.pop("entries", [EntryRules("1001")])
    capabilities = settings.pop("capabilities", capabilities_of(destination))
    return RowRules(
        now=datetime(2026, 11, 24, 12, tzinfo=UTC),
        **{
            "capabilities": capabilities,
            "sent_order_id": capabilities.sent_order_id,
            "account": ACCOUNT,
            "entries": [each._replace(currency_code=currency_code) for each in entries],
            "zone": UTC,
            "phone_region": "US",
            "ad_user_data": None,
            "date_order": None,
            "number_format": UNDECLARED,
            "integer_order_ids": False,
            "derive_order_id": True,
            "omit_session_and_ip": False,
            "is_of_tag": False,
            "kind": "conversion",
            **settings,
        },
    )


def engine_for(header: list[str], kind: RecordKind = "conversion", **settings: Any) -> Engine:
    """Return the engine of a file with these columns."""
    columns = [{name: at for at, name in enumerate(header)}]
    if kind != "adjustment":
        return Engine(columns, rules_of(kind=kind, **settings))
    sales = Engine(columns, rules_of(**settings))
    return Engine(columns, rules_of(kind=kind, **settings), sales)


def rows_of(text: str, first_line: int = 2) -> list[Row]:
    rows = csv.reader(text.strip().splitlines())
    return [
        (line, [TIMES.get(cell, cell) for cell in cells], None, 1)
        for line, cells in enumerate(rows, first_line)
    ]


def validate(text: str, destination: str = "google_ads", **settings: Any) -> Validated:
    """Validate a small file whose first line contains field names."""
    header, _, body = text.strip().partition("\n")
    engine = engine_for(header.split(","), destination=destination, **settings)
    validated = Validated()
    found = engine.validate(rows_of(body))
    warnings = []
    for number, record in zip(found.lines, found.records, strict=True):
        validated.sent[number] = record
        warnings.append((number, record.warnings))
    for row in found.refused:
        codes = [each.code for each in row.errors]
        validated.refused[row.line] = " ".join(codes)
        validated.fields[row.line] = " ".join(f"{e.code} {e.field}" for e in row.errors)
        validated.details[row.line] = "; ".join(each.detail for each in row.errors)
        validated.outcomes[row.line] = row.outcome
        warnings.append((row.line, row.warnings))
    for number, problems in warnings:
        if problems:
            validated.warned[number] = " ".join(each.code for each in problems)
    validated.placeholders |= found.placeholders
    return validated


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
