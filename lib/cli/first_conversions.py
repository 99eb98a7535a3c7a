"""The first conversions of a file as Google will get them, for the person who has the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lib.catalogue.texts import number_of_rows
from lib.cli.check import CheckResult
from lib.destinations.registry import capabilities_of
from lib.model.money import ACCOUNT_CURRENCY, MICROS, amount
from lib.model.records import Adjustment, Call, Record, is_derived_order_id

_LETTERS: Final = 6
"""Of a click ID, at each end."""


def first_conversions(checked: CheckResult) -> Iterator[str]:
    """Yield a line for each of the first records that would be sent, below a title."""
    sent = checked.summary.tally.outcomes.get("ok", 0)
    few = len(checked.first)
    how_many = f"The first {few} of {number_of_rows(sent)}" if sent > few else "All"
    title = capabilities_of(checked.summary.metadata.destination).title
    yield f"{how_many}, as the {title} will get them:"
    for record in checked.first:
        yield f"  {_as_text(record)}"


def _as_text(record: Record) -> str:
    """Return what a person needs to recognize a record. It contains no personal data."""
    parts = [record.time]
    if isinstance(record, Adjustment):
        parts.append(record.adjustment_type)
    if record.value is not None:
        value = amount(round(record.value * MICROS), always_cents=True)
        parts.append(f"{value} {record.currency_code or f'({ACCOUNT_CURRENCY})'}")
    elif not isinstance(record, Adjustment):
        parts.append("no value: that of the action")
    parts.append(f"action {record.action_id}")
    if record.order_id:
        is_derived = is_derived_order_id(record.order_id)
        parts.append("derived order ID" if is_derived else f"order {record.order_id}")
    return " · ".join([*parts, *_identifiers(record)])


def _identifiers(record: Record) -> list[str]:
    """Return by what Google finds the click or the person: a shortened click ID, kinds of data."""
    if isinstance(record, Call):
        return ["caller"]
    if isinstance(record, Adjustment):
        return []
    found = [
        f"{name} {_shortened(value)}"
        for name, value in (
            *(("gclid", record.gclid), ("gbraid", record.gbraid), ("wbraid", record.wbraid)),
        )
        if value
    ]
    found += ["email"] * bool(record.hashed_emails) + ["phone"] * bool(record.hashed_phones)
    more = record.optional_fields
    return [*found, "address"] if more is not None and more.address else found


def _shortened(click_id: str) -> str:
    if len(click_id) <= 2 * _LETTERS:
        return click_id
    return f"{click_id[:_LETTERS]}...{click_id[-_LETTERS:]}"
