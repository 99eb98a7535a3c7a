"""The fields that only adjustments have. Their rules are in `lib.rules.adjustments`."""

from __future__ import annotations

from typing import Final

from lib.model.fields import Field, RecordKind
from lib.rules.fields.units import currency_in_header, time_zone_in_header

_ONLY: Final[frozenset[RecordKind]] = frozenset({"adjustment"})

ADJUSTMENT: Final[tuple[Field, ...]] = (
    Field(
        "adjustment_type",
        "Adjustments: RETRACT (the conversion no longer counts) or RESTATE (it has another value).",
        record_kinds=_ONLY,
        target="adjustment_type",
        bad_value="row",
        kind="word",
        impersonal=True,
    ),
    Field(
        "adjustment_date_time",
        "Adjustments: when the conversion was retracted or got another value.",
        aliases=("adjustment time", "adjustment date"),
        fallbacks=("refunded at", "refund date", "refund time", "refunded date"),
        prefers_first_fallback=True,
        read_unit=time_zone_in_header,
        record_kinds=_ONLY,
        target="time",
        bad_value="row",
        impersonal=True,
    ),
    Field(
        "adjusted_value",
        "Adjustments: the new total value of the conversion, not the difference.",
        aliases=("restated value",),
        read_unit=currency_in_header,
        record_kinds=_ONLY,
        target="value",
        bad_value="row",
        kind="number",
        placeholder_note="read as no value",
        impersonal=True,
    ),
    Field(
        "adjusted_value_currency",
        "Adjustments: currency of the new value, if it is not currency_code.",
        aliases=("adjusted value currency code", "adjusted currency"),
        record_kinds=_ONLY,
        target="currency_code",
        bad_value="row",
        placeholder_note="the row's other currency or that of the profile applies",
        impersonal=True,
    ),
)
