"""The fields that only adjustments and calls have.

The names of the columns are those of Google's templates
(https://support.google.com/google-ads/answer/7686447 for adjustments,
https://support.google.com/google-ads/answer/7014069 for calls) and of the API's fields. The rules
of these fields are in `lib.rules.adjustments` and `lib.rules.calls`.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from lib.model.adjustment_types import ADJUSTMENT_TYPES
from lib.model.fields import Field

_OF_ADJUSTMENTS: Final = partial(Field, record_kinds=frozenset({"adjustment"}), bad_value="row")
_OF_CALLS: Final = partial(Field, record_kinds=frozenset({"call"}), bad_value="row")

_TYPES: Final = [f"{each.word} ({each.meaning})" for each in ADJUSTMENT_TYPES.values()]

ADJUSTMENT: Final[tuple[Field, ...]] = (
    _OF_ADJUSTMENTS(
        "adjustment_type",
        f"Adjustments: {' or '.join(_TYPES)}.",
        template_names=("Adjustment Type",),
        target="adjustment_type",
        kind="word",
    ),
    _OF_ADJUSTMENTS(
        "adjustment_date_time",
        "Adjustments: when the conversion was retracted or got another value.",
        template_names=("Adjustment Time",),
        target="time",
    ),
    _OF_ADJUSTMENTS(
        "adjusted_value",
        "Adjustments: the new total value of the conversion, not the difference.",
        template_names=("Adjusted Value",),
        target="value",
        kind="number",
        placeholder_note="read as no value",
    ),
    _OF_ADJUSTMENTS(
        "adjusted_value_currency",
        "Adjustments: currency of the new value, if it is not currency_code.",
        template_names=("Adjusted Value Currency",),
        target="currency_code",
        kind="unit",
        placeholder_note="the row's other currency or that of the profile applies",
    ),
)

CALL: Final[tuple[Field, ...]] = (
    _OF_CALLS(
        "caller_id",
        "Calls: phone number of the caller. The Google Ads API needs it plain, not hashed.",
        template_names=("Caller's Phone Number",),
        target="caller_id",
    ),
    _OF_CALLS(
        "call_start_date_time",
        "Calls: when the call began.",
        template_names=("Call Start Time",),
        target="call_time",
    ),
)

ADJUSTMENT_FIELDS: Final = frozenset(field.name for field in ADJUSTMENT)
