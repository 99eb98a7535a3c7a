"""Checks of the fields that clicks, calls and adjustments have in common, as pure functions."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sandbox.accounts import Account, ConversionAction
from sandbox.ads_errors import Path, Problem
from sandbox.currencies import CURRENCIES

UPLOAD = "conversion_upload_error."
ADJUSTMENT = "conversion_adjustment_upload_error."
TOO_RECENT = timedelta(hours=6)
_ACTION = re.compile(r"customers/\d+/conversionActions/(\d+)").fullmatch
_VARIABLE = re.compile(r"customers/\d+/conversionCustomVariables/(\d+)").fullmatch
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d").fullmatch


class Wanted(NamedTuple):
    """What a kind of upload accepts: types of conversion actions; and the family of its errors."""

    types: frozenset[str]
    family: str


CLICKS = Wanted(frozenset({"UPLOAD_CLICKS"}), UPLOAD)
CALLS = Wanted(frozenset({"UPLOAD_CALLS"}), UPLOAD)
ADJUSTMENTS = Wanted(frozenset({"UPLOAD_CLICKS", "WEBPAGE", "SALESFORCE"}), ADJUSTMENT)
ENHANCEMENTS = Wanted(frozenset({"WEBPAGE"}), ADJUSTMENT)


def missing(place: Path) -> Problem:
    return Problem("field_error.REQUIRED", "The required field was not set.", place)


def judge_action(
    row: Any, here: Path, account: Account, wanted: Wanted, problems: list[Problem]
) -> ConversionAction | None:
    """The conversion action of a row, or None and a problem."""
    place = (*here, ("conversion_action", None))
    name = row.conversion_action
    if not name:
        problems.append(missing(place))
        return None
    match = _ACTION(name)
    if match is None:
        text = f"Resource name '{name}' is malformed."
        problems.append(Problem("request_error.RESOURCE_NAME_MALFORMED", text, place, name))
        return None
    # "Validation will ignore the customer id and use the conversion action id" (proto comment).
    action = account.owned_action(int(match[1]))
    if action is None or action.status != "ENABLED":
        text = "The conversion action specified in the upload request cannot be found."
        problems.append(Problem(wanted.family + "NO_CONVERSION_ACTION_FOUND", text, place, name))
        return None
    if action.type not in wanted.types:
        text = "The conversion action isn't set up for uploading conversions."
        code = wanted.family + "INVALID_CONVERSION_ACTION_TYPE"
        problems.append(Problem(code, text, place, name))
        return None
    if action.age_hours < TOO_RECENT / timedelta(hours=1):
        text = "Can't import events to a conversion action that was just created."
        problems.append(Problem(wanted.family + "TOO_RECENT_CONVERSION_ACTION", text, place, name))
        return None
    return action


def judge_date_time(
    row: Any, here: Path, field: str, now: datetime, problems: list[Problem]
) -> datetime | None:
    """The moment in this field of a row, or None and a problem."""
    place = (*here, (field, None))
    text = getattr(row, field)
    if not text:
        problems.append(missing(place))
        return None
    if not text.isascii() or _DATE_TIME(text) is None:
        # `yyyy-mm-dd hh:mm:ss+|-hh:mm`; the offset and its colon are required.
        code = "date_error.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET"
        problems.append(Problem(code, "The date-time string is invalid.", place, text))
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        code = "date_error.INVALID_FIELD_VALUES_IN_DATE_TIME"
        problems.append(Problem(code, "The date-time has impossible values.", place, text))
        return None
    if moment > now:
        # Google documents no code for a time in the future; this code fits best.
        code = "date_error.LATER_THAN_MAXIMUM_DATE"
        problems.append(Problem(code, "The conversion lies in the future.", place, text))
        return None
    return moment


def judge_money(row: Any, here: Path, field: str, problems: list[Problem]) -> None:
    """Check an amount and its currency."""
    value, place = getattr(row, field), (*here, (field, None))
    if not math.isfinite(value):
        text = "The value is not a finite number."
        problems.append(Problem("field_error.INVALID_VALUE", text, place))
    elif value < 0:
        text = "The value must not be negative."
        problems.append(Problem("range_error.TOO_LOW", text, place))
    if row.currency_code and row.currency_code not in CURRENCIES:
        place = (*here, ("currency_code", None))
        text = "The currency code is not supported."
        problems.append(Problem("currency_code_error.UNSUPPORTED", text, place, row.currency_code))


def judge_order_id(order_id: str, here: Path, family: str, problems: list[Problem]) -> None:
    if "@" in order_id:
        text = "Can't import events with order IDs containing PII."
        place = (*here, ("order_id", None))
        problems.append(Problem(family + "ORDER_ID_CONTAINS_PII", text, place, order_id))


def judge_custom_variables(row: Any, here: Path, account: Account, problems: list[Problem]) -> None:
    """Custom variables must exist, be enabled, and contain no personal data."""
    enabled = {one.id for one in account.custom_variables if one.status == "ENABLED"}
    for number, variable in enumerate(row.custom_variables):
        nested = (*here, ("custom_variables", number))
        name = variable.conversion_custom_variable
        match = _VARIABLE(name)
        if match is None or int(match[1]) not in enabled:
            text = "Enable the custom variable in your conversion settings."
            place = (*nested, ("conversion_custom_variable", None))
            problems.append(Problem(UPLOAD + "CUSTOM_VARIABLE_NOT_ENABLED", text, place, name))
        if "@" in variable.value:
            text = "Custom variables must not contain personally identifiable information."
            code = UPLOAD + "CUSTOM_VARIABLE_VALUE_CONTAINS_PII"
            problems.append(Problem(code, text, (*nested, ("value", None)), variable.value))
