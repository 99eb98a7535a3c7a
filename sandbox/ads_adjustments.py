"""Google's documented rules for one `ConversionAdjustment`, and what it does to its conversion.

Sources: the proto comments of `google.ads.googleads` and its `ConversionAdjustmentUploadError`; the
ads API docs conversions/upload-adjustments. Where Google's texts allow two readings,
`State.adjustment_readings` selects one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sandbox.accounts import Account, ConversionAction
from sandbox.ads_errors import Path, Problem
from sandbox.ads_fields import (
    ADJUSTMENT,
    ADJUSTMENTS,
    ENHANCEMENTS,
    judge_action,
    judge_date_time,
    judge_money,
    judge_order_id,
    missing,
)
from sandbox.ads_version import ads_module
from sandbox.conversion_book import Change, Conversion, ConversionBook
from sandbox.state import AdjustmentReadings

ROWS = "conversion_adjustments"
_TOO_RECENT = timedelta(hours=24)
_TOO_OLD = timedelta(days=54)
_TYPES: Any = ads_module(
    "enums.types.conversion_adjustment_type"
).ConversionAdjustmentTypeEnum.ConversionAdjustmentType
_RETRACTION, _RESTATEMENT = int(_TYPES.RETRACTION), int(_TYPES.RESTATEMENT)
_ENHANCEMENT = int(_TYPES.ENHANCEMENT)


class Adjustment(NamedTuple):
    """A well-formed row: which conversion it means, and what changes."""

    action: ConversionAction
    kind: Literal["restatement", "retraction", "ignored"]
    at: datetime
    value: float | None
    currency_code: str
    order_id: str
    gclid: str
    conversion_time: datetime | None

    @property
    def key(self) -> tuple[Any, ...]:
        """What identifies a duplicate within a request."""
        named = self.order_id or (self.gclid, self.conversion_time)
        return named, self.action.id, self.kind, self.at


class Rules(NamedTuple):
    """What a row is checked against; the same for all rows of a request."""

    account: Account
    now: datetime
    readings: AdjustmentReadings


def judge_adjustment(row: Any, index: int, rules: Rules) -> tuple[list[Problem], Adjustment | None]:
    """Check one raw `ConversionAdjustment` alone; finds all of its problems."""
    here: Path = ((ROWS, index),)
    problems: list[Problem] = []
    kind = row.adjustment_type
    if kind not in (_RETRACTION, _RESTATEMENT, _ENHANCEMENT):
        problems.append(missing((*here, ("adjustment_type", None))))
    wanted = ENHANCEMENTS if kind == _ENHANCEMENT else ADJUSTMENTS
    action = judge_action(row, here, rules.account, wanted, problems)
    moment = judge_date_time(row, here, "adjustment_date_time", rules.now, problems)
    conversion_time = _judge_identification(row, here, action, rules.now, problems)
    _judge_value(row, here, action, problems)
    if kind != _ENHANCEMENT and row.user_identifiers:
        text, place = "User identifiers are for enhancements.", (*here, ("user_identifiers", None))
        problems.append(Problem("field_error.VALUE_MUST_BE_UNSET", text, place))
    if problems or action is None or moment is None:
        return problems, None
    retracts, restates = kind == _RETRACTION, kind == _RESTATEMENT
    return [], Adjustment(
        action,
        "retraction" if retracts else "restatement" if restates else "ignored",
        moment,
        row.restatement_value.adjusted_value if restates else None,
        row.restatement_value.currency_code or rules.account.currency_code,
        row.order_id,
        row.gclid_date_time_pair.gclid,
        conversion_time,
    )


def _judge_identification(
    row: Any,
    here: Path,
    action: ConversionAction | None,
    now: datetime,
    problems: list[Problem],
) -> datetime | None:
    """The conversion's time, if the row names its conversion by click and time."""
    place = (*here, ("order_id", None))
    judge_order_id(row.order_id, here, ADJUSTMENT, problems)
    if action is not None and action.type == "WEBPAGE" and not row.order_id:
        text = "Adjustment for website conversion requires Order ID (ie, transaction ID)."
        problems.append(Problem(ADJUSTMENT + "MISSING_ORDER_ID_FOR_WEBPAGE", text, place))
        return None
    if not row.HasField("gclid_date_time_pair"):
        if not row.order_id:
            problems.append(missing(place))
        return None
    if row.order_id and row.adjustment_type != _ENHANCEMENT:
        text = "Cannot set both gclid_date_time_pair and order_id."
        code = ADJUSTMENT + "GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET"
        problems.append(Problem(code, text, here))
        return None
    pair, there = row.gclid_date_time_pair, (*here, ("gclid_date_time_pair", None))
    if not pair.gclid:
        problems.append(missing((*there, ("gclid", None))))
    return judge_date_time(pair, there, "conversion_date_time", now, problems)


def _judge_value(
    row: Any, here: Path, action: ConversionAction | None, problems: list[Problem]
) -> None:
    there = (*here, ("restatement_value", None))
    if row.adjustment_type != _RESTATEMENT:
        if row.HasField("restatement_value"):
            text = "A restatement value can't be set here."
            problems.append(Problem("field_error.VALUE_MUST_BE_UNSET", text, there))
        return
    if not row.restatement_value.HasField("adjusted_value"):
        problems.append(missing((*there, ("adjusted_value", None))))
        return
    judge_money(row.restatement_value, there, "adjusted_value", problems)
    if action is not None and action.always_use_default_value:
        code = "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE"
        text = "Can't make an adjustment to a conversion that is set up to use the default value."
        problems.append(Problem(ADJUSTMENT + code, text, here))


def repeats_in_request(
    adjustments: Sequence[Adjustment | None], refused: Literal["all", "later"]
) -> list[Problem]:
    """Rows that repeat an adjustment of the request: all of them, or all but the first."""
    counts = Counter(one.key for one in adjustments if one is not None)
    problems: list[Problem] = []
    seen: set[Any] = set()
    for index, one in enumerate(adjustments):
        if one is None or counts[one.key] < 2:
            continue
        if one.key in seen or refused == "all":
            name = "ADJUSTMENT" if one.kind != "ignored" else "ENHANCEMENT"
            text = "Imported adjustment has a duplicate with same adjustment_date_time."
            code = f"{ADJUSTMENT}DUPLICATE_{name}_IN_REQUEST"
            problems.append(Problem(code, text, ((ROWS, index),)))
        seen.add(one.key)
    return problems


def find(adjustment: Adjustment, book: ConversionBook) -> Conversion | None:
    """The conversion that an adjustment means. One with an order ID is found by that only."""
    if adjustment.order_id:
        found = book.by_order(adjustment.order_id, adjustment.action.id)
    else:
        assert adjustment.conversion_time is not None  # `judge_adjustment` wants one or the other
        found = book.by_click(adjustment.gclid, adjustment.action.id, adjustment.conversion_time)
    return found if found is not None and found.adjustable else None


def _is_recent(conversion: Conversion, now: datetime) -> bool:
    times = (conversion.occurred_at, conversion.arrived_at)
    return any(moment is not None and now - moment < _TOO_RECENT for moment in times)


def judge_change(
    adjustment: Adjustment, conversion: Conversion | None, rules: Rules
) -> tuple[str, str] | None:
    """Why this conversion can't be adjusted in this way: Google's code and text, or None."""
    readings, now = rules.readings, rules.now
    if (
        conversion is None
        or conversion.customer_id != rules.account.customer_id
        or (readings.recent_conversions == "not_found" and _is_recent(conversion, now))
    ):
        text = "The conversion for this conversion action and conversion identifier can't be found."
        return "CONVERSION_NOT_FOUND", text
    age = now - conversion.occurred_at
    if age < _TOO_RECENT:
        return "TOO_RECENT_CONVERSION", "The conversion occurred too recently."
    if age > _TOO_OLD:
        return "CONVERSION_EXPIRED", "The conversion occurred more than 54 days ago."
    if adjustment.at < conversion.occurred_at:
        text = "Adjustment has an adjustment_date_time that occurred before the conversion."
        return "ADJUSTMENT_PRECEDES_CONVERSION", text
    retracted = conversion.retracted and readings.retracted_conversions == "error"
    zero = conversion.restated_to_zero and readings.restated_to_zero == "error"
    if retracted or zero:
        text = "The conversion was already retracted. This adjustment was not processed."
        return "CONVERSION_ALREADY_RETRACTED", text
    if adjustment.kind == "restatement" and not (
        conversion.retracted or conversion.restated_to_zero
    ):
        times = [one.at for one in conversion.restatements]
        if adjustment.at in times:
            text = "The conversion has prior a restatement with the same adjustment_date_time."
            return "RESTATEMENT_ALREADY_EXISTS", text
        if any(adjustment.at < one for one in times):
            text = "More recent adjustment adjustment_date_time has already been reported."
            return "MORE_RECENT_RESTATEMENT_FOUND", text
    return None


def change(adjustment: Adjustment, conversion: Conversion, now: datetime, request: str) -> Change:
    """The entry in the history of a conversion. What can't be adjusted any more stays as it is."""
    over = conversion.retracted or conversion.restated_to_zero
    return Change(
        "ignored" if over else adjustment.kind,
        adjustment.at,
        adjustment.value,
        adjustment.currency_code,
        "google_ads",
        request,
        now,
    )
