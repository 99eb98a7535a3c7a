"""The fields that only calls have. Their rules are in `lib.rules.calls`."""

from __future__ import annotations

from typing import Final

from lib.model.fields import Field, RecordKind
from lib.rules.fields.units import time_zone_in_header

_ONLY: Final[frozenset[RecordKind]] = frozenset({"call"})

CALL: Final[tuple[Field, ...]] = (
    Field(
        "caller_id",
        "Calls: phone number of the caller. The Google Ads API needs it plain, not hashed.",
        aliases=("caller's phone number", "caller phone number", "caller number"),
        record_kinds=_ONLY,
        target="caller_id",
        bad_value="row",
    ),
    Field(
        "call_start_date_time",
        "Calls: when the call began.",
        aliases=("call start time", "call start date"),
        fallbacks=("call start", "call time"),
        read_unit=time_zone_in_header,
        record_kinds=_ONLY,
        target="call_time",
        bad_value="row",
        impersonal=True,
    ),
)
