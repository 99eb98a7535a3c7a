"""How files with other records than click conversions are recognized.

The names are those of Google's templates
(https://support.google.com/google-ads/answer/7686447 for adjustments,
https://support.google.com/google-ads/answer/7014069 for calls) and of the API's fields.
"""

from __future__ import annotations

from typing import Final

from lib.model.fields import FileKind

ADJUSTMENTS: Final = FileKind(
    "ADJUSTMENT_FILE",
    headers=(
        "adjustment type",
        "adjustment time",
        "adjustment date time",
        "adjusted value",
        "adjusted value currency",
    ),
    # Google's files have RETRACT and RESTATE, its API the nouns.
    words=frozenset({"RETRACT", "RETRACTION", "RESTATE", "RESTATEMENT"}),
    may_have_click_id=True,
)

CALLS: Final = FileKind(
    "CALL_FILE",
    headers=(
        "caller's phone number",
        "caller phone number",
        "caller id",
        "call start time",
        "call start date time",
    ),
)

OTHER_KINDS: Final = (ADJUSTMENTS, CALLS)
