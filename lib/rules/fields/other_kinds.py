"""Adjustments and calls: the fields that only they have, and how their files are recognized.

The names of the columns are those of Google's templates
(https://support.google.com/google-ads/answer/7686447 for adjustments,
https://support.google.com/google-ads/answer/7014069 for calls) and of the API's fields. The rules
of these fields are in `lib.rules.adjustments` and `lib.rules.calls`.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from lib.model.fields import Field, FileKind
from lib.rules.fields.units import currency_in_header, time_zone_in_header

_OF_ADJUSTMENTS: Final = partial(Field, record_kinds=frozenset({"adjustment"}), bad_value="row")
_OF_CALLS: Final = partial(Field, record_kinds=frozenset({"call"}), bad_value="row")

ADJUSTMENT: Final[tuple[Field, ...]] = (
    _OF_ADJUSTMENTS(
        "adjustment_type",
        "Adjustments: RETRACT (the conversion no longer counts) or RESTATE (it has another value).",
        target="adjustment_type",
        kind="word",
    ),
    _OF_ADJUSTMENTS(
        "adjustment_date_time",
        "Adjustments: when the conversion was retracted or got another value.",
        aliases=("adjustment time", "adjustment date"),
        fallbacks=("refunded at", "refund date", "refund time", "refunded date"),
        prefers_first_fallback=True,
        read_unit=time_zone_in_header,
        target="time",
    ),
    _OF_ADJUSTMENTS(
        "adjusted_value",
        "Adjustments: the new total value of the conversion, not the difference.",
        aliases=("restated value",),
        read_unit=currency_in_header,
        target="value",
        kind="number",
        placeholder_note="read as no value",
    ),
    _OF_ADJUSTMENTS(
        "adjusted_value_currency",
        "Adjustments: currency of the new value, if it is not currency_code.",
        aliases=("adjusted value currency code", "adjusted currency"),
        target="currency_code",
        kind="unit",
        placeholder_note="the row's other currency or that of the profile applies",
    ),
)

CALL: Final[tuple[Field, ...]] = (
    _OF_CALLS(
        "caller_id",
        "Calls: phone number of the caller. The Google Ads API needs it plain, not hashed.",
        aliases=("caller's phone number", "caller phone number", "caller number"),
        target="caller_id",
    ),
    _OF_CALLS(
        "call_start_date_time",
        "Calls: when the call began.",
        aliases=("call start time", "call start date"),
        fallbacks=("call start", "call time"),
        read_unit=time_zone_in_header,
        target="call_time",
    ),
)

ADJUSTMENT_FIELDS: Final = frozenset(field.name for field in ADJUSTMENT)

ADJUSTMENTS: Final = FileKind(
    "adjustment",
    "ADJUSTMENT_FILE",
    fields=ADJUSTMENT,
    required=(
        ("adjustment_type",),
        ("adjustment_date_time",),
        # Which of them names the conversion is decided row by row.
        ("order_id", "gclid"),
    ),
    # Google's files have RETRACT and RESTATE, its API the nouns.
    words=frozenset({"RETRACT", "RETRACTION", "RESTATE", "RESTATEMENT"}),
    may_have_click_id=True,
)

CALLS: Final = FileKind(
    "call",
    "CALL_FILE",
    fields=CALL,
    required=(("caller_id",), ("call_start_date_time",), ("conversion_date_time",)),
)

CALL_NAMES: Final = (*CALLS.headers, *(name for field in CALL for name in field.fallbacks))
"""Names of columns that suggest calls."""

VAGUE_CALL_NAMES: Final = ("start time", "started at")
"""Names that call trackers give to the start of a call. They suggest calls only in a file whose
other columns speak of calls."""

OTHER_KINDS: Final = (ADJUSTMENTS, CALLS)
