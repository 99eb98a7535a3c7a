"""`UploadConversionAdjustments`: Google's documented rules for one `ConversionAdjustment`.

It adjusts the conversions that both APIs accepted: `State.book` has their histories. Google's texts
do not say what becomes of an adjustment of a conversion that was restated to 0: here it has no
effect. Sources: the proto comments of `google.ads.googleads` and its
`ConversionAdjustmentUploadError`; the ads API docs conversions/upload-adjustments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.accounts import Account, ConversionAction
from sandbox.conversions import Accepted, Change, Conversion
from sandbox.google_ads import ads_module
from sandbox.google_ads.errors import Problem
from sandbox.google_ads.rows import Row
from sandbox.google_ads.uploads import Authorize, Checked, Unique, Uploads
from sandbox.rpc import Rpc
from sandbox.state import State

_TOO_RECENT = timedelta(hours=24)
_TOO_OLD = timedelta(days=54)
_types = ads_module("services.types.conversion_adjustment_upload_service")
_TYPES: Any = ads_module(
    "enums.types.conversion_adjustment_type"
).ConversionAdjustmentTypeEnum.ConversionAdjustmentType
# The function sends no enhancements.
HAS_VALUE = {_TYPES.RETRACTION: False, _TYPES.RESTATEMENT: True}
"""The types of adjustments → whether a row of this type has a new value."""


@dataclass(frozen=True, slots=True)
class Adjustment(Checked):
    """A well-formed row: which conversion it means, and what changes."""

    kind: str
    at: datetime
    value: float | None
    currency_code: str
    order_id: str
    gclid: str
    conversion_time: datetime | None


class AdjustmentUploads(Uploads):
    request_type = _types.UploadConversionAdjustmentsRequest.pb()
    response_type = _types.UploadConversionAdjustmentsResponse.pb()
    rows = "conversion_adjustments"
    family = "conversion_adjustment_upload_error"
    too_many = "TOO_MANY_ADJUSTMENTS_IN_REQUEST"

    def __init__(self, state: State, authorize: Authorize) -> None:
        text = "Imported adjustment has a duplicate with same adjustment_date_time."
        super().__init__(state, authorize, Unique(("DUPLICATE_ADJUSTMENT_IN_REQUEST", text)))

    def is_open_to(self, account: Account) -> bool:
        return account.allowlisted_for_adjustments

    @property
    def accepted(self) -> list[Accepted]:
        return self.state.adjustments

    def check(self, row: Row) -> Adjustment | None:
        sent = row.message
        kind = sent.adjustment_type
        if kind not in HAS_VALUE:
            row.missing("adjustment_type")
        action = row.action("UPLOAD_CLICKS", "WEBPAGE", "SALESFORCE")
        moment = row.moment("adjustment_date_time")
        conversion_time = _check_identification(row, action)
        _check_value(row, action)
        if sent.user_identifiers:
            text = "User identifiers are for enhancements."
            row.refuse("field_error.VALUE_MUST_BE_UNSET", text, "user_identifiers")
        if row.problems or action is None or moment is None:
            return None
        gclid = sent.gclid_date_time_pair.gclid
        key = (sent.order_id or (gclid, conversion_time), action.id, kind, moment)
        return Adjustment(
            action.id,
            (key,),
            _TYPES(kind).name.lower(),
            moment,
            sent.restatement_value.adjusted_value if HAS_VALUE[kind] else None,
            sent.restatement_value.currency_code or row.account.currency_code,
            sent.order_id,
            gclid,
            conversion_time,
        )

    def compare(
        self, checked: Sequence[Checked | None], bad: Iterable[int], request: Any, rpc: Rpc
    ) -> list[Problem]:
        """Enter the adjustments into the book, or say why not. Later rows see earlier ones."""
        now = self.state.now()
        problems, changed = [], []
        for index, one in enumerate(checked):
            if not isinstance(one, Adjustment) or index in bad:
                continue
            conversion = self._find(one, request.customer_id)
            if refused := self._refusal(one, conversion, now):
                problems.append(self.problem(index, *refused))
                continue
            assert conversion is not None
            kind = "ignored" if conversion.restated_to_zero else one.kind
            conversion.history.append(
                Change(
                    kind, one.at, one.value, one.currency_code, "google_ads", rpc.request_id, now
                )
            )
            changed.append(conversion)
        for conversion in changed if request.validate_only else ():
            conversion.history.pop()
        return problems

    def _find(self, one: Adjustment, customer_id: str) -> Conversion | None:
        """The conversion that an adjustment means. One with an order ID is found by that only."""
        book = self.state.book
        if one.order_id:
            found = book.by_order(one.order_id, one.action_id)
        else:
            assert one.conversion_time is not None  # `check` wants one or the other
            found = book.by_click(one.gclid, one.action_id, one.conversion_time)
        if found is None or not found.adjustable or found.customer_id != customer_id:
            return None
        return found

    def _refusal(
        self, one: Adjustment, conversion: Conversion | None, now: datetime
    ) -> tuple[str, str] | None:
        """Why this conversion can't be adjusted in this way: Google's code and text, or None."""
        if conversion is None:
            text = "The conversion for this conversion action and conversion identifier can't be"
            return "CONVERSION_NOT_FOUND", f"{text} found."
        age = now - conversion.occurred_at
        if age < _TOO_RECENT:
            return "TOO_RECENT_CONVERSION", "The conversion occurred too recently."
        if age > _TOO_OLD:
            return "CONVERSION_EXPIRED", "The conversion occurred more than 54 days ago."
        if one.at < conversion.occurred_at:
            text = "Adjustment has an adjustment_date_time that occurred before the conversion."
            return "ADJUSTMENT_PRECEDES_CONVERSION", text
        if conversion.retracted:
            text = "The conversion was already retracted. This adjustment was not processed."
            return "CONVERSION_ALREADY_RETRACTED", text
        if one.value is None or conversion.restated_to_zero:
            return None
        times = [each.at for each in conversion.restatements]
        if one.at in times:
            text = "The conversion has prior a restatement with the same adjustment_date_time."
            return "RESTATEMENT_ALREADY_EXISTS", text
        if any(one.at < each for each in times):
            text = "More recent adjustment adjustment_date_time has already been reported."
            return "MORE_RECENT_RESTATEMENT_FOUND", text
        return None


def _check_identification(row: Row, action: ConversionAction | None) -> datetime | None:
    """The conversion's time, if the row names its conversion by click and time."""
    sent, pair = row.message, "gclid_date_time_pair"
    row.order_id()
    if action is not None and action.type == "WEBPAGE" and not sent.order_id:
        text = "Adjustment for website conversion requires Order ID (ie, transaction ID)."
        row.refuse("MISSING_ORDER_ID_FOR_WEBPAGE", text, "order_id")
    elif not sent.HasField(pair):
        if not sent.order_id:
            row.missing("order_id")
    elif sent.order_id:
        text = "Cannot set both gclid_date_time_pair and order_id."
        row.refuse("GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET", text)
    else:
        if not sent.gclid_date_time_pair.gclid:
            row.missing(pair, "gclid")
        return row.moment(pair, "conversion_date_time")
    return None


def _check_value(row: Row, action: ConversionAction | None) -> None:
    field, sent = "restatement_value", row.message
    if not HAS_VALUE.get(sent.adjustment_type):
        if sent.HasField(field):
            text = "A restatement value can't be set here."
            row.refuse("field_error.VALUE_MUST_BE_UNSET", text, field)
        return
    if not sent.restatement_value.HasField("adjusted_value"):
        row.missing(field, "adjusted_value")
        return
    row.money(field, "adjusted_value")
    if action is not None and action.always_use_default_value:
        code = "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE"
        text = "Can't make an adjustment to a conversion that is set up to use the default value."
        row.refuse(code, text)
