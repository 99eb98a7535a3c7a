"""`Adjustment` → raw protobuf `ConversionAdjustment`.

Field rules:
https://developers.google.com/google-ads/api/reference/rpc/latest/ConversionAdjustment
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from lib.destinations.base import RowResult
from lib.destinations.google_ads.api import module
from lib.destinations.google_ads.upload_kinds import UploadRequest
from lib.model.outcomes import Problem
from lib.model.records import Adjustment, AdjustmentType

ConversionAdjustment = module(
    "services.types.conversion_adjustment_upload_service"
).ConversionAdjustment.pb()

# Enum numbers, as the raw classes require (ConversionAdjustmentTypeEnum).
_TYPE: Final[dict[AdjustmentType, int]] = {"retraction": 2, "restatement": 3}


def adjustment_message(adjustment: Adjustment) -> Any:
    """Return the message. It names the conversion by its order ID, or else by gclid and time."""
    customer_id, action_id = adjustment.customer_id, adjustment.action_id
    message = ConversionAdjustment(
        adjustment_type=_TYPE[adjustment.adjustment_type],
        conversion_action=f"customers/{customer_id}/conversionActions/{action_id}",
        adjustment_date_time=adjustment.time,
    )
    if adjustment.order_id is not None:
        message.order_id = adjustment.order_id
    else:
        message.gclid_date_time_pair.gclid = adjustment.gclid
        message.gclid_date_time_pair.conversion_date_time = adjustment.conversion_time
    # Google refuses a retraction with a value.
    if adjustment.adjustment_type == "restatement":
        if adjustment.value is not None:
            message.restatement_value.adjusted_value = adjustment.value
        if adjustment.currency_code is not None:
            message.restatement_value.currency_code = adjustment.currency_code
    return message


_NOT_FOUND = "CONVERSION_NOT_FOUND"


def wait_for_new_conversions(
    request: UploadRequest,
    row_results: dict[int, RowResult],
    sent: Iterable[tuple[UploadRequest, dict[int, RowResult]]],
) -> None:
    """Say of adjustments whose conversions the same chunk has just sent that they are too recent.

    Google adjusts a conversion only after 24 hours, and does not document which of the two errors a
    new conversion causes. Both are deferred, but only for an unknown conversion somebody may have
    to act. `sent` are the chunk's requests of conversions, with their results. A validate-only
    upload stores no conversion, so such an adjustment is valid there. `row_results` is updated.
    """
    missing = [
        row
        for row, row_result in row_results.items()
        if [problem.code for problem in row_result.errors] == [_NOT_FOUND]
    ]
    if not missing:
        return
    known: set[_Name] = set()
    for conversions, results in sent:
        if conversions.customer_id == request.customer_id:
            for place, conversion in enumerate(conversions.rows):
                result = results.get(place)
                if result is None or result.outcome in ("uploaded", "duplicate", "deferred"):
                    known.update(_names_of(conversion))
    adjustments = request.rows
    for row in missing:
        if known.isdisjoint(_names_of(adjustments[row])):
            continue
        if request.validate_only:
            del row_results[row]
            continue
        said = f"Google answered {_NOT_FOUND}; this file has just sent the conversion."
        problem = Problem("TOO_RECENT_CONVERSION", row_results[row].errors[0].field, said)
        row_results[row] = RowResult("deferred", (problem,), row_results[row].warnings)


_Name = tuple[str, str, datetime | None]


def _names_of(message: Any) -> Iterable[_Name]:
    """Return by what an adjustment can name the conversion, or does name it."""
    action = message.conversion_action
    if message.order_id:
        return ((action, message.order_id, None),)
    pair = getattr(message, "gclid_date_time_pair", message)
    if pair.gclid:
        return ((action, pair.gclid, datetime.fromisoformat(pair.conversion_date_time)),)
    return ()
