"""Google's documented rules for one `ClickConversion`, as pure functions.

Where Google's documentation does not name the error code, a comment explains the choice. Sources:
the proto comments of `google.ads.googleads`, and the ads API docs conversions/upload-offline and
conversions/troubleshooting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sandbox.accounts import Account, ConversionAction
from sandbox.ads_errors import Path, Problem
from sandbox.ads_fields import (
    CLICKS,
    TOO_RECENT,
    UPLOAD,
    judge_action,
    judge_custom_variables,
    judge_date_time,
    judge_money,
    judge_order_id,
)

_CLICK_ID = re.compile(r"[A-Za-z0-9_-]{10,512}").fullmatch
_SHA256 = re.compile(r"[0-9a-fA-F]{64}").fullmatch
_CLICK_ID_FIELDS = (
    ("gclid", "UNPARSEABLE_GCLID"),
    ("gbraid", "UNPARSEABLE_GBRAID"),
    ("wbraid", "UNPARSEABLE_WBRAID"),
)
_IDENTIFIER_ONLY_DAYS = 63


class Judged(NamedTuple):
    """The result for a row: its problems, or otherwise the keys that identify duplicates."""

    problems: list[Problem]
    action_id: int = 0
    click_key: tuple[str, int, float] | None = None
    order_key: tuple[str, int] | None = None


class Rules(NamedTuple):
    """What a row is checked against; the same for all rows of a request."""

    account: Account
    clicks: Mapping[str, datetime]
    now: datetime


def judge_row(row: Any, index: int, rules: Rules) -> Judged:
    """Check one raw `ClickConversion`; finds all of its problems, not only the first one."""
    here: Path = (("conversions", index),)
    problems: list[Problem] = []
    add = problems.append

    action = judge_action(row, here, rules.account, CLICKS, problems)
    moment = judge_date_time(row, here, "conversion_date_time", rules.now, problems)
    click_id = _judge_click_ids(row, here, action, problems)
    if row.user_identifiers:
        _judge_identifiers(row, here, rules.account, problems)
    elif not click_id and not row.WhichOneof("session_attributes") and not row.user_ip_address:
        text = "A click id or user identifiers are required."
        add(Problem("field_error.REQUIRED", text, (*here, ("gclid", None))))
    _judge_extras(row, here, rules.account, action, problems)
    if moment is not None and action is not None:
        _judge_age(row, here, click_id, moment, action, rules, problems)
    if problems or moment is None or action is None:
        return Judged(problems)
    return Judged(
        problems,
        action.id,
        (click_id, action.id, moment.timestamp()) if click_id else None,
        (row.order_id, action.id) if row.order_id else None,
    )


def _judge_click_ids(
    row: Any, here: Path, action: ConversionAction | None, problems: list[Problem]
) -> str:
    given = [(name, code, getattr(row, name)) for name, code in _CLICK_ID_FIELDS]
    given = [one for one in given if one[2]]
    for name, code, value in given:
        if _CLICK_ID(value) is None:
            text = f"The {name} could not be decoded."
            problems.append(Problem(UPLOAD + code, text, (*here, (name, None)), value))
    if row.gbraid and row.wbraid:
        text = "Can't use both gbraid and wbraid parameters."
        place = (*here, ("gbraid", None))
        problems.append(Problem(UPLOAD + "GBRAID_WBRAID_BOTH_SET", text, place))
    elif len(given) > 1:
        # Google's documentation does not clearly say whether a gclid and a braid can be combined.
        # The sandbox is strict, because sending exactly one is always correct.
        text = "Only one of gclid, gbraid and wbraid may be set."
        place = (*here, (given[1][0], None))
        problems.append(Problem("field_error.VALUE_MUST_BE_UNSET", text, place, given[1][2]))
    if action is not None and action.counting_type == "ONE_PER_CLICK":
        for name, _, value in given:
            if name != "gclid":
                code = UPLOAD + "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID"
                text = "One-per-click conversion actions can't be used with gbraid or wbraid."
                problems.append(Problem(code, text, (*here, (name, None)), value))
    return given[0][2] if given else ""


def _judge_identifiers(row: Any, here: Path, account: Account, problems: list[Problem]) -> None:
    place = (*here, ("user_identifiers", None))
    if len(row.user_identifiers) > 5:
        # The proto comment has the limit but no code; this is the general code for lists.
        text = "At most 5 user identifiers are allowed."
        problems.append(Problem("collection_size_error.TOO_MANY", text, place))
    if account.data_policy_prohibits_enhanced_conversions:
        code = "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS"
        text = "Enhanced conversions can't be used because of Google customer data policies."
        problems.append(Problem(UPLOAD + code, text, place))
    elif not account.accepted_customer_data_terms:
        code = "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
        text = "The customer has not accepted the customer data terms."
        problems.append(Problem(UPLOAD + code, text, place))
    elif not account.enhanced_conversions_for_leads:
        code = "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"
        text = "Enhanced conversions for leads are not turned on."
        problems.append(Problem(UPLOAD + code, text, place))
    for number, identifier in enumerate(row.user_identifiers):
        nested = (*here, ("user_identifiers", number))
        member = identifier.WhichOneof("identifier")
        if member in ("hashed_email", "hashed_phone_number"):
            value = getattr(identifier, member)
            if _SHA256(value) is None:
                text = "Make sure you hash user provided data using SHA-256."
                code = UPLOAD + "INVALID_USER_IDENTIFIER"
                problems.append(Problem(code, text, (*nested, (member, None)), value))
        elif member is None:
            text = "The required field was not set."
            problems.append(Problem("field_error.REQUIRED", text, nested))
        else:
            text = "Use only hashed email or phone number."
            code = UPLOAD + "UNSUPPORTED_USER_IDENTIFIER"
            problems.append(Problem(code, text, (*nested, (member, None))))


def _judge_extras(
    row: Any,
    here: Path,
    account: Account,
    action: ConversionAction | None,
    problems: list[Problem],
) -> None:
    add = problems.append
    judge_money(row, here, "conversion_value", problems)
    judge_order_id(row.order_id, here, UPLOAD, problems)
    if row.custom_variables and row.user_identifiers:
        # Google drops such a conversion without a specific code; the sandbox reports an error.
        text = "Custom variables can't be used with user identifiers."
        add(Problem("field_error.VALUE_MUST_BE_UNSET", text, (*here, ("custom_variables", None))))
    judge_custom_variables(row, here, account, problems)
    _judge_attribution(row, here, action, problems)
    if row.consent.ad_personalization:
        place = (*here, ("consent", None), ("ad_personalization", None))
        text = "ad_personalization can't be set on click conversions."
        add(Problem("field_error.VALUE_MUST_BE_UNSET", text, place))
    if not account.allowlisted_for_session_attributes:
        code = "not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
        text = "The customer is not allowlisted for accessing this feature."
        attributes = row.WhichOneof("session_attributes")
        if attributes:
            add(Problem(code, text, (*here, (attributes, None))))
        if row.user_ip_address:
            add(Problem(code, text, (*here, ("user_ip_address", None)), row.user_ip_address))


def _judge_attribution(
    row: Any, here: Path, action: ConversionAction | None, problems: list[Problem]
) -> None:
    place = (*here, ("external_attribution_data", None))
    has_data = row.HasField("external_attribution_data")
    external = action is not None and action.external_attribution
    if row.user_identifiers and (has_data or external):
        code = "EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION_NOT_PERMITTED_WITH_USER_IDENTIFIER"
        text = "User provided data can't be used with external attribution models."
        problems.append(Problem(UPLOAD + code, text, place))
    if action is None:
        return
    if has_data and not external:
        code = "EXTERNAL_ATTRIBUTION_DATA_SET_FOR_NON_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION"
        text = "The conversion action doesn't use an external attribution model."
        problems.append(Problem(UPLOAD + code, text, place))
    if not external:
        return
    data = row.external_attribution_data
    if not data.external_attribution_model or not 0 < data.external_attribution_credit <= 1:
        code = "EXTERNAL_ATTRIBUTION_DATA_NOT_SET_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION"
        text = "The external attribution model and its credit are required."
        problems.append(Problem(UPLOAD + code, text, place))
    if row.order_id:
        code = "ORDER_ID_NOT_PERMITTED_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION"
        text = "Order IDs can't be used with an external attribution model."
        place = (*here, ("order_id", None))
        problems.append(Problem(UPLOAD + code, text, place, row.order_id))


def _judge_age(
    row: Any,
    here: Path,
    click_id: str,
    moment: datetime,
    action: ConversionAction,
    rules: Rules,
    problems: list[Problem],
) -> None:
    place = (*here, ("conversion_date_time", None))
    days = action.lookback_days if click_id else min(action.lookback_days, _IDENTIFIER_ONLY_DAYS)
    window = timedelta(days=days)
    clicked = rules.clicks.get(click_id) if click_id else None
    if clicked is not None:
        if rules.now - clicked < TOO_RECENT:
            text = "The click occurred less than 6 hours ago."
            problems.append(Problem(UPLOAD + "TOO_RECENT_EVENT", text, here, click_id))
            return
        if moment < clicked:
            text = "The conversion_date_time precedes the click."
            code = UPLOAD + "CONVERSION_PRECEDES_EVENT"
            problems.append(Problem(code, text, place, row.conversion_date_time))
            return
    # A click precedes its conversion. So if the conversion is older than the window, its click is
    # too, whenever it happened.
    if rules.now - moment > window or (clicked is not None and moment - clicked > window):
        text = "The click occurred before this conversion's click-through window."
        problems.append(Problem(UPLOAD + "EXPIRED_EVENT", text, place, row.conversion_date_time))
