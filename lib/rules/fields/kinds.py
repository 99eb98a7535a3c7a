"""How files with other records than click conversions are recognized, and what they need.

The names of the columns are those of Google's templates
(https://support.google.com/google-ads/answer/7686447 for adjustments,
https://support.google.com/google-ads/answer/7014069 for calls) and of the API's fields.
"""

from __future__ import annotations

from typing import Final

from lib.model.fields import FileKind
from lib.rules.fields.adjustment import ADJUSTMENT
from lib.rules.fields.call import CALL

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

OTHER_KINDS: Final = (ADJUSTMENTS, CALLS)
